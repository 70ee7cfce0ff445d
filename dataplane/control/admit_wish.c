// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the caller asks for.

#include "control/control_priv.h"

#include <stdio.h>

int admit_listener(struct control *c, struct wish *w)
{
	struct object *o = c->tags[w->q->tag % TAGS_MAX];

	if (!o || o->kind != DP_LISTENER || o->gone)
		return admit_say(w, SRT_REJ_CLOSE, "the listener is gone");
	w->listener = &o->listener;
	return c->draining ? admit_say(w, SRT_REJX_DOWN, "this node is draining") : ADMIT_NEXT;
}

static const char *refused_str(int code)
{
	switch (code) {
	case SRT_REJ_VERSION:
		return "it speaks a version of SRT before 1.3";
	case SRT_REJ_MESSAGEAPI:
		return "it asks for the file mode, and only the live mode is served";
	case SRT_REJ_CONGESTION:
		return "it asks for a congestion control other than live";
	case SRT_REJ_FILTER:
		return "it asks for a packet filter (FEC), and none is served";
	case SRT_REJ_GROUP:
		return "it calls as a group of links of a kind that is not served";
	case SRT_REJX_BAD_REQUEST:
		return "its stream id holds a zero byte";
	default:
		return "its handshake is malformed";
	}
}

// What its worker could tell by the datagram alone.
int admit_handshake(struct control *, struct wish *w)
{
	int code = w->q->refused;

	return code ? admit_say(w, code, refused_str(code)) : ADMIT_NEXT;
}

static bool is_publish(const struct streamid *id, const struct dp_listener *l)
{
	return id->mode == STREAMID_PUBLISH ||
	       (id->mode == STREAMID_UNSET && l->default_mode == DP_MODE_PUBLISH);
}

int admit_streamid(struct control *c, struct wish *w)
{
	const char *text = w->q->req.streamid;
	int rc = text[0] ? streamid_parse(text, w->listener->dialects, &w->id) : 0;

	streamid_show(text, &w->id, w->a->shown, sizeof(w->a->shown));
	if (rc)
		return admit_say(w, streamid_reject_code(rc), streamid_error_str(rc));
	w->publishes = is_publish(&w->id, w->listener);
	if (!w->id.name[0])
		snprintf(w->id.name, sizeof(w->id.name), "%.*s", STREAM_NAME_MAX,
			w->listener->default_stream);
	if (!w->id.name[0])
		return admit_say(
			w, SRT_REJX_BAD_REQUEST, "no stream is named and there is no default");
	if (w->q->req.group.id && !w->publishes)
		return admit_say(w, SRT_REJ_GROUP,
			"it plays over a group of links, and only publishers may be bonded");
	return ADMIT_NEXT;
}
