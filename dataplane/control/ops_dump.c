// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Pages of live sessions and of objects (decisions B13): read in place, without a word to a worker.
// A session's cursor is {worker:32, slot:32} + 1; an object's is the next one's {kind:8, id:56},
// for the table may change between two pages.

#include "control/ops.h"

#include <errno.h>
#include <string.h>

struct page {
	struct dp_writer w;
	uint32_t n, limit;
	uint64_t next;
};

static uint8_t buf[DP_MSG_MAX];

// record: bytes of one.
static void page_begin(struct page *g, const struct request *r, uint32_t limit, size_t record)
{
	static const struct dp_dump_r nothing;
	size_t fit = (DP_MSG_MAX - sizeof(struct dp_hdr) - sizeof(nothing)) / record;

	*g = (struct page){.limit = !limit || limit > DP_DUMP_MAX ? DP_DUMP_MAX : limit};
	if (g->limit > fit)
		g->limit = (uint32_t)fit;
	dp_wire_begin(&g->w, buf, DP_DUMP_R, r->in->hdr.seq);
	dp_wire_put(&g->w, &nothing, sizeof(nothing));
}

static void page_end(struct page *g, struct request *r, size_t record)
{
	struct dp_dump_r head = {
		.size = sizeof(head), .n = g->n, .record_size = (uint32_t)record, .next = g->next};

	memcpy(buf + sizeof(struct dp_hdr), &head, sizeof(head));
	dp_wire_end(&g->w);
	server_send(r->from, g->w.buf, g->w.len, -1);
	r->answered = true;
}

static bool wanted(const struct dp_dump *d, const struct dp_session *s)
{
	uint8_t mode = d->what == DP_DUMP_PUBLISHERS ? DP_MODE_PUBLISH : DP_MODE_PLAY;

	return s->mode == mode && (!d->stream[0] || !strcmp(d->stream, s->stream));
}

static void dump_sessions(struct control *c, struct request *r, const struct dp_dump *d)
{
	const struct control_workers *k = &c->o.workers;
	uint64_t from = d->cursor ? d->cursor - 1 : 0;
	uint32_t slot = (uint32_t)from;
	struct dp_session s;
	struct page g;

	page_begin(&g, r, d->limit, sizeof(s));
	for (unsigned w = (unsigned)(from >> 32); w < k->n && !g.next; w++, slot = 0)
		for (; slot < k->n_slots(k->ctx, w); slot++) {
			if (!k->session(k->ctx, w, slot, &s) || !wanted(d, &s))
				continue;
			if (g.n == g.limit) {
				g.next = ((uint64_t)w << 32 | slot) + 1;
				break;
			}
			badge_show(c, &s);
			dp_wire_put_raw(&g.w, &s, sizeof(s));
			g.n++;
		}
	page_end(&g, r, sizeof(s));
}

static void object_fill(struct control *c, const struct object *o, struct dp_object_state *out)
{
	const struct control_workers *k = &c->o.workers;
	struct dp_session s;

	*out = (struct dp_object_state){
		.kind = o->kind, .state = o->state, .id = o->id, .version = o->version};
	memcpy(out->error, o->error, sizeof(out->error));
	if (o->session &&
		k->session(
			k->ctx, session_key_worker(o->session), session_key_slot(o->session), &s) &&
		s.key == o->session) {
		out->packets = s.packets;
		out->bytes = s.bytes;
	}
}

static void dump_objects(struct control *c, struct request *r, const struct dp_dump *d)
{
	const struct objects *t = &c->objects;
	struct dp_object_state s;
	struct page g;
	uint32_t i = objects_from(t, (uint32_t)(d->cursor >> 56), d->cursor & ~0ull >> 8);

	page_begin(&g, r, d->limit, sizeof(s));
	for (; i < t->n && g.n < g.limit; i++, g.n++) {
		object_fill(c, t->all[i], &s);
		dp_wire_put_raw(&g.w, &s, sizeof(s));
	}
	if (i < t->n)
		g.next = (uint64_t)t->all[i]->kind << 56 | t->all[i]->id;
	page_end(&g, r, sizeof(s));
}

void op_dump(struct control *c, struct request *r)
{
	struct dp_dump *d = &r->body.dump;

	d->stream[sizeof(d->stream) - 1] = '\0';
	if (d->what == DP_DUMP_OBJECTS)
		dump_objects(c, r, d);
	else if (d->what == DP_DUMP_SUBSCRIBERS || d->what == DP_DUMP_PUBLISHERS)
		dump_sessions(c, r, d);
	else
		request_fail(r, -EINVAL, "no such dump");
}
