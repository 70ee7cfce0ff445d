// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/log.h"
#include "control/control_priv.h"

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

// The stream id stays out of the log: it may hold a password or a token.
void refusal_tell(struct control *c, const struct wish *w, int code)
{
	struct refusals *r = &c->refusals;
	unsigned of_one = share_held(&r->by, w->q->peer.ip);
	char peer[ENDPOINT_STRLEN];

	if (of_one < REFUSALS_NOTICES_OF_ONE)
		share_take(&r->by, w->q->peer.ip);
	if (may_notice(r, of_one))
		notice_reject(c, &w->q->peer, w->id.name, w->publishes, code, w->why);
	if (!may_log(r, of_one))
		return;
	endpoint_str(&w->q->peer, peer, sizeof(peer));
	if (w->id.name[0])
		log_info("%s may not %s %s (%d): %s", peer, w->publishes ? "publish" : "play",
			w->id.name, code, w->why);
	else
		log_info("%s is refused (%d): %s", peer, code, w->why);
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
	notice_reject(c, peer, "", false, code, rendezvous);
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
