#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// One run: a publisher and a player, or a publisher, a relay and a player that joins later.

#include "sim/party.h"
#include "sim/plan.h"

enum { PUB, REL_IN, REL_OUT, SUB, PARTIES };
enum { PUB_TO_REL, REL_TO_PUB, REL_TO_SUB, SUB_TO_REL, LINKS };

// After a path has healed, and everybody is there, and what went before is played: from here on
// nothing may be asked for, repaired or given up.
struct calm {
	bool healed, settled;
	ts_us from;
	uint32_t n;		  // first number that counts
	uint32_t resent[PARTIES]; // by then
	uint32_t naks[PARTIES];
};

struct sim {
	struct plan plan;
	struct link links[LINKS];
	struct party parties[PARTIES];
	struct media made, relayed, played;
	ts_us now, due; // due: next packet of the source
	bool joined;
	struct calm calm;
	char fault[200];
};

void sim_init(struct sim *s, const struct plan *plan);
void sim_fini(struct sim *s);
// Until everything is played, a party found a fault or no session came up.
void sim_run(struct sim *s);
// A party's fault becomes the run's.
bool sim_faulty(struct sim *s);
bool sim_no_session(const struct party *p);
