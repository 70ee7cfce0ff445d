// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"

#include <rte_ring_elem.h>

// The ring holds an end of every session there can be, and more (init.c); none begins without a
// command. So it is full only when control has died with the process still alive, and then nobody
// misses the event.
void path_event(struct path *p, const struct event *e)
{
	struct event copy = *e;

	rte_ring_sp_enqueue_elem(p->up, &copy, sizeof(copy));
	p->up_dirty = true;
}
