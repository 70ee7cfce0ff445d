// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "flow_bed.h"

#include "io/port_mem.h"
#include "path/path.h"
#include "proto/srt_pkt.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct flow_bed {
	struct path path;
	struct batch batch;
	struct session *slots;
	uint32_t *ids; // apart, so that making a packet does not touch its session
	uint8_t data[FLOW_BATCH][SRT_HDR];
};

static void must(bool ok)
{
	if (ok)
		return;
	fprintf(stderr, "flow bed: no memory\n");
	exit(1);
}

struct endpoint flow_bed_peer(unsigned i)
{
	return endpoint_of_v4(0x0a000000 + i / 4, (uint16_t)(1024 + 7 * i));
}

struct flow_bed *flow_bed_new(unsigned n)
{
	struct flow_bed *b = calloc(1, sizeof(*b));
	uint32_t random = 1;

	must(b);
	b->slots = aligned_alloc(alignof(struct session), n * sizeof(*b->slots));
	b->ids = calloc(n, sizeof(*b->ids));
	must(b->slots && b->ids);
	memset(b->slots, 0, n * sizeof(*b->slots));
	b->path.port = port_mem_open(FLOW_BATCH); // the stage asks it what it thins itself
	must(b->path.port);
	session_table_init(&b->path.sessions, b->slots, n, 0);
	for (unsigned i = 0; i < n; i++) {
		struct session *s = session_take(&b->path.sessions);

		s->kind = SESSION_SUB;
		s->id = b->ids[i] = session_id_make(0, s->slot, random = random * 5 + 3);
		s->peer = flow_bed_peer(i);
	}
	for (unsigned i = 0; i < FLOW_BATCH; i++)
		b->batch.pkts[i].rx = (struct port_rx){.data = b->data[i], .len = SRT_HDR};
	return b;
}

void flow_bed_free(struct flow_bed *b)
{
	b->path.port->ops->close(b->path.port);
	free(b->ids);
	free(b->slots);
	free(b);
}

uint32_t flow_bed_id(const struct flow_bed *b, unsigned i)
{
	return b->ids[i];
}

void flow_bed_packet(struct flow_bed *b, unsigned at, unsigned i)
{
	be32_put(b->data[at] + 12, b->ids[i]);
	b->batch.pkts[at].rx.peer = flow_bed_peer(i);
}

unsigned flow_bed_steer(struct flow_bed *b)
{
	b->batch.n = FLOW_BATCH;
	path_steer(&b->path, &b->batch);
	return b->batch.n;
}
