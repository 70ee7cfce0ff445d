// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/log.h"
#include "control/control_priv.h"

#include <string.h>

LOG_SUBSYSTEM(admit)

static bool may_log(struct refusals *r, unsigned of_one)
{
	if (r->lines < REFUSALS_LINES && of_one < REFUSALS_LINES_OF_ONE) {
		r->lines++;
		return true;
	}
	r->kept_back++;
	return false;
}

static bool may_notice(struct refusals *r, unsigned of_one)
{
	return of_one < REFUSALS_NOTICES_OF_ONE && r->notices < REFUSALS_NOTICES && ++r->notices;
}

// Its stream id without what is secret in it, though it may be refused before that was looked at.
// Who finds no place is one of many, and not looked at either.
static const char *shown(const struct wish *w, char buf[DP_SHOWN_MAX])
{
	struct streamid id = {0};

	if (w->a && w->a->shown[0])
		return w->a->shown;
	buf[0] = '\0';
	if (w->listener) {
		streamid_parse(w->q->req.streamid, w->listener->dialects, &id);
		streamid_show(w->q->req.streamid, &id, buf, DP_SHOWN_MAX);
	}
	return buf;
}

// What the line does not say yet.
static const char *if_more(const struct wish *w, const char *streamid)
{
	return strcmp(streamid, w->id.name) ? streamid : "";
}

static void log_refusal(const struct wish *w, int code, const char *streamid)
{
	const char *lead = *streamid ? ", stream id " : "";
	char peer[ENDPOINT_STRLEN];

	endpoint_str(&w->q->peer, peer, sizeof(peer));
	if (w->id.name[0])
		log_info("%s may not %s %s (%d): %s%s%s", peer, w->publishes ? "publish" : "play",
			w->id.name, code, w->why, lead, streamid);
	else
		log_info("%s is refused (%d): %s%s%s", peer, code, w->why, lead, streamid);
}

void refusal_tell(struct control *c, const struct wish *w, int code)
{
	struct refusals *r = &c->refusals;
	unsigned of_one = share_held(&r->by, w->q->peer.ip);
	char buf[DP_SHOWN_MAX];
	const char *streamid = shown(w, buf);

	if (of_one < REFUSALS_NOTICES_OF_ONE)
		share_take(&r->by, w->q->peer.ip);
	if (may_notice(r, of_one))
		notice_reject(c, w, code, streamid);
	if (may_log(r, of_one))
		log_refusal(w, code, if_more(w, streamid));
}

void refusal_by_worker(struct control *c, const struct endpoint *peer, int code)
{
	static const char rendezvous[] = "it calls for a rendezvous, and only callers are served: "
					 "let it call by mode=caller";
	struct wish w = {.q = &(struct parked){.peer = *peer}, .why = ADMIT_FULL};
	char text[ENDPOINT_STRLEN];

	if (code != SRT_REJX_BAD_MODE) {
		refusal_tell(c, &w, code);
		return;
	}
	if (c->refusals.unproved++ >= REFUSALS_UNPROVED) {
		c->refusals.kept_back++;
		return;
	}
	w.why = rendezvous;
	notice_reject(c, &w, code, "");
	log_info(
		"%s is refused (%d): %s", endpoint_str(peer, text, sizeof(text)), code, rendezvous);
}

void refusals_second(struct control *c)
{
	struct refusals *r = &c->refusals;
	uint64_t key = r->by.key;

	if (r->kept_back)
		log_info("%u more were refused than lines are written a second", r->kept_back);
	if (r->notices || r->lines || r->unproved) {
		*r = (struct refusals){0};
		share_init(&r->by, key);
	}
}
