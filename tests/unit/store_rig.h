#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A store in a folder of its own, and calls that wait for their answer on the loop.

#include "ctl/store/store.h"
#include "test.h"

#include <event2/event.h>

struct rig {
	struct event_base *base;
	struct store *store;
	char dir[64], url[128];
	char log[8192]; // what watches and lists have shown: "+a=1@3 -b@4 "
	enum store_rc rc;
	store_rev rev;
	bool answered;
};

void rig_open(struct rig *r);
void rig_reopen(struct rig *r);
void rig_close(struct rig *r); // removes the folder

// Run the loop until *flag, or fail after ten seconds.
void rig_wait(struct rig *r, const bool *flag);

// key@rev must hold (rev < 0: no comparison). val NULL: delete.
enum store_rc rig_write(struct rig *r, const char *key, store_rev rev, const char *val);

// As text in log.
const char *rig_list(struct rig *r, const char *prefix);

// A watch callback that writes log; arg: the rig.
void rig_on_events(
	void *arg, enum store_rc rc, store_rev upto, const struct store_event *ev, size_t n);
void rig_on_done(void *arg, enum store_rc rc, store_rev rev);
