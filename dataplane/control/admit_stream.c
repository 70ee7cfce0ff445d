// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Which stream that is; on an open listener its first publisher makes it.

#include "control/control_priv.h"

static int find(struct control *c, struct wish *w)
{
	w->stream = stream_find(c, w->id.name);
	if (w->stream && w->stream->closing)
		return admit_say(w, SRT_REJ_CLOSE, "the stream is being closed");
	if (w->stream)
		return ADMIT_NEXT;
	if (!w->publishes || !w->listener->open)
		return admit_say(w, SRT_REJX_NOTFOUND, "no such stream");
	w->stream = stream_make(c, w->id.name);
	return w->stream ? ADMIT_NEXT
			 : admit_say(w, SRT_REJX_OVERLOAD, "--max-streams of sluice-dp is reached");
}

int admit_stream(struct control *c, struct wish *w)
{
	int code = find(c, w);

	if (code)
		return code;
	if (!w->stream->declared && !w->listener->open)
		return admit_say(w, SRT_REJX_NOTFOUND, "no such stream");
	return w->stream->open ? ADMIT_NEXT : admit_wait(c, w, ADMIT_FOR_STREAM);
}
