// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The dataplane protocol, both ways. The input is a row of messages, each behind its length in 16
// bits: the owner's to sluice-dp, whose workers have room for nothing, and each as an answer to the
// daemon's client.

#include "base/log.h"
#include "control/control_priv.h"
#include "control/stats.h"
#include "ctl/dp/dp_client.h"
#include "fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

struct fake {
	struct cmd *cmds[4096];
	unsigned n;
};

static int post_cmd(void *ctx, unsigned worker, struct cmd *c)
{
	struct fake *f = ctx;

	if (f->n == sizeof(f->cmds) / sizeof(f->cmds[0]))
		return -EAGAIN;
	c->status = c->kind == CMD_STREAM_OPEN || c->kind == CMD_STREAM_CLOSE ? 0 : -ENOSPC;
	f->cmds[f->n++] = c;
	return 0;
}

static unsigned read_events(void *ctx, unsigned worker, struct event *out, unsigned n)
{
	struct fake *f = ctx;

	if (!n || !f->n)
		return 0;
	*out = (struct event){.kind = EV_DONE, .cmd = f->cmds[0]};
	memmove(&f->cmds[0], &f->cmds[1], --f->n * sizeof(f->cmds[0]));
	return 1;
}

static unsigned n_slots(void *ctx, unsigned worker)
{
	return 1;
}

static bool read_session(void *ctx, unsigned worker, unsigned slot, struct dp_session *out)
{
	return false;
}

static int sock_listen(void *ctx, const struct endpoint *local, int *fds, char *err, size_t cap)
{
	snprintf(err, cap, "no sockets here");
	return -EADDRINUSE;
}

static int sock_bind(void *ctx, const struct port_sock_source *s, char *err, size_t cap)
{
	FUZZ_CHECK(memchr(s->iface, 0, sizeof(s->iface)));
	snprintf(err, cap, "no sockets here");
	return -ENODEV;
}

static struct fake fake;

static struct control *control_make(void)
{
	static struct dp_stats_header *stats;
	static int fd;
	struct control_opts o = {
		.workers = {1, post_cmd, read_events, NULL, n_slots, read_session, &fake},
		.sockets = {sock_listen, sock_bind, NULL, NULL},
		.event_fd = -1,
		.max_streams = 4,
		.max_subscribers = 4,
		.listen_fd = -1,
	};

	if (!stats)
		stats = stats_new(1, 4, 1, NULL, 0, &fd);
	o.stats = stats;
	o.stats_fd = fd;
	return control_new(&o);
}

// The table is in order, and adds up to what is told of it.
static void check(struct control *c)
{
	uint64_t digest[8];
	uint32_t count[8], n = 0;

	objects_digest(c, digest, count);
	for (unsigned i = 0; i < 8; i++)
		n += count[i];
	FUZZ_CHECK(n == c->objects.n);
	for (uint32_t i = 0; i < c->objects.n; i++) {
		const struct object *o = c->objects.all[i];

		FUZZ_CHECK(object_find(c, o->kind, o->id) == o);
		FUZZ_CHECK(o->state != DP_OBJ_ERROR || o->error[0]);
	}
}

static long no_send(void *ctx, const void *msg, size_t len)
{
	return (long)len;
}

struct input {
	const uint8_t *msg;
	size_t len;
};

static long one_message(void *ctx, void *msg, size_t cap, int *fd)
{
	const struct input *in = ctx;
	size_t n = in->len < cap ? in->len : cap;

	*fd = -1;
	memcpy(msg, in->msg, n);
	return (long)n;
}

static void to_client(const uint8_t *msg, size_t len, enum dp_dump_what what)
{
	static struct dp_client k;
	struct input in = {msg, len};
	struct dp_msg m;

	dp_client_open_transport(
		&k, &(struct dp_transport){.send = no_send, .recv = one_message, .ctx = &in});
	if (dp_client_read(&k, what, &m))
		return;
	if (m.type == DP_ACK)
		FUZZ_CHECK(memchr(m.ack.error, 0, sizeof(m.ack.error)));
	if (m.type == DP_NOTICE)
		FUZZ_CHECK(memchr(m.notice.stream, 0, sizeof(m.notice.stream)) &&
			   memchr(m.notice.text, 0, sizeof(m.notice.text)));
	if (m.type != DP_DUMP_R)
		return;
	for (uint32_t i = 0; i < m.dump.n; i++)
		if (what == DP_DUMP_OBJECTS)
			FUZZ_CHECK(memchr(m.objects[i].error, 0, sizeof(m.objects[i].error)));
		else
			FUZZ_CHECK(memchr(m.sessions[i].stream, 0, sizeof(m.sessions[i].stream)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct control *c = control_make();
	struct client from = {.fd = -1, .role = DP_ROLE_OWNER};
	ts_us now = TS_S;

	FUZZ_CHECK(c);
	log_set(NULL, LOG_ERROR);
	while (len > 2) {
		size_t n = (size_t)(data[0] << 8 | data[1]);

		data += 2;
		len -= 2;
		if (n > len)
			n = len;
		ops_message(c, &from, data, n);
		control_turn(c, now += 50 * TS_MS);
		check(c);
		to_client(data, n, DP_DUMP_OBJECTS);
		to_client(data, n, DP_DUMP_SUBSCRIBERS);
		data += n;
		len -= n;
	}
	for (unsigned i = 0; i < 64; i++)
		control_turn(c, now += TS_MS);
	control_free(c);
	return 0;
}
