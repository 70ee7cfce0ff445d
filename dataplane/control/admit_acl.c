// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Whether it may come from there: the listener's rules, then the stream's bans and rules.

#include "control/control_priv.h"

int admit_listener_acl(struct control *, struct wish *w)
{
	return acl_lets_in(&w->listener->acl, w->q->peer.ip)
		       ? ADMIT_NEXT
		       : admit_say(
				 w, SRT_REJX_FORBIDDEN, "the listener does not let its address in");
}

int admit_stream_acl(struct control *c, struct wish *w)
{
	const struct object *o = w->stream->declared;

	if (ban_holds(&c->bans, c->now, w->q->peer.ip, w->id.name))
		return admit_say(
			w, SRT_REJX_FORBIDDEN, "its address is banned from the stream for a while");

	return !o || acl_lets_in(&o->stream.acl, w->q->peer.ip)
		       ? ADMIT_NEXT
		       : admit_say(w, SRT_REJX_FORBIDDEN, "the stream does not let its address in");
}
