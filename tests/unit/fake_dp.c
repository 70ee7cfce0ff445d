// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "fake_dp.h"

#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const nouns[DP_KINDS] = {[DP_LISTENER] = "listener",
	[DP_STREAM] = "stream",
	[DP_ROUTE] = "route",
	[DP_SOURCE] = "source",
	[DP_SECRET] = "secret",
	[DP_POLICY] = "policy"};

static void note(struct fake_dp *f, const char *what, const char *name)
{
	size_t at = strlen(f->log);

	snprintf(f->log + at, sizeof(f->log) - at, "%s%s%s ", what, *name ? ":" : "", name);
}

static size_t place_of(const struct fake_dp *f, uint32_t kind, uint64_t id)
{
	size_t at = 0;

	while (at < f->n && (f->objects[at].s.kind < kind ||
				    (f->objects[at].s.kind == kind && f->objects[at].s.id < id)))
		at++;
	return at;
}

struct fake_object *fake_dp_find(struct fake_dp *f, uint32_t kind, uint64_t id)
{
	size_t at = place_of(f, kind, id);

	return at < f->n && f->objects[at].s.kind == kind && f->objects[at].s.id == id
		       ? &f->objects[at]
		       : NULL;
}

static void digest(const struct fake_dp *f, uint64_t sums[8], uint32_t counts[8])
{
	memset(sums, 0, 8 * sizeof(*sums));
	memset(counts, 0, 8 * sizeof(*counts));
	for (size_t i = 0; i < f->n; i++) {
		sums[f->objects[i].s.kind] += dp_mix(f->objects[i].s.id, f->objects[i].s.version);
		counts[f->objects[i].s.kind]++;
	}
}

static void send_msg(struct fake_dp *f, const void *msg, size_t len, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec v = {(void *)(uintptr_t)msg, len};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	if (fd >= 0) {
		struct cmsghdr *h;

		m.msg_control = control;
		m.msg_controllen = sizeof(control);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(f->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL), len);
}

static void answer(struct fake_dp *f, enum dp_type type, uint32_t seq, int status, const void *body,
	size_t size, int fd)
{
	uint8_t buf[sizeof(struct dp_hdr) + 2048];
	struct dp_writer w;
	struct dp_hdr h;

	dp_wire_begin(&w, buf, type, seq);
	dp_wire_put(&w, body, size);
	dp_wire_end(&w);
	memcpy(&h, buf, sizeof(h));
	h.status = status;
	memcpy(buf, &h, sizeof(h));
	send_msg(f, buf, w.len, fd);
}

static void acknowledge(struct fake_dp *f, uint32_t seq, int status, uint32_t held, const char *why)
{
	struct dp_ack a = {.held = held};

	snprintf(a.error, sizeof(a.error), "%s", why);
	answer(f, DP_ACK, seq, status, &a, sizeof(a), -1);
}

static void on_hello(struct fake_dp *f, struct dp_reader *r)
{
	struct dp_hello_r out = {.abi = DP_ABI,
		.pid = getpid(),
		.n_workers = 1,
		.instance = f->instance,
		.generation = f->generation,
		.version = "fake"};
	struct dp_hello h;

	assert_int_equal(dp_wire_body(r, &h, sizeof(h)), 0);
	assert_int_equal(h.role, DP_ROLE_OWNER);
	f->hellos++;
	f->epoch = h.owner_epoch;
	if (f->refuse_hello) {
		acknowledge(f, r->hdr.seq, -EPERM, 0, "a later owner is here");
		return;
	}
	digest(f, out.digest, out.count);
	answer(f, DP_HELLO_R, r->hdr.seq, 0, &out, sizeof(out), f->stats_fd);
}

static size_t body_size(uint32_t kind)
{
	static const size_t sizes[DP_KINDS] = {[DP_LISTENER] = sizeof(struct dp_listener),
		[DP_STREAM] = sizeof(struct dp_stream),
		[DP_ROUTE] = sizeof(struct dp_route),
		[DP_SOURCE] = sizeof(struct dp_source),
		[DP_SECRET] = sizeof(struct dp_secret),
		[DP_POLICY] = sizeof(struct dp_policy)};

	assert_in_range(kind, DP_LISTENER, DP_POLICY);
	return sizes[kind];
}

static void insert(struct fake_dp *f, const struct dp_obj *o)
{
	size_t at = place_of(f, o->kind, o->id);

	if (fake_dp_find(f, o->kind, o->id))
		return;
	if (f->n == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 64;
		f->objects = reallocarray(f->objects, f->cap, sizeof(*f->objects));
		assert_non_null(f->objects);
	}
	memmove(&f->objects[at + 1], &f->objects[at], (f->n++ - at) * sizeof(*f->objects));
	f->objects[at] = (struct fake_object){.s = {.kind = o->kind, .id = o->id}};
}

static void on_set(struct fake_dp *f, struct dp_reader *r)
{
	union {
		struct dp_listener listener;
		struct dp_stream stream;
		struct dp_route route;
		struct dp_source source;
		struct dp_secret secret;
		struct dp_policy policy;
	} body;
	struct fake_object *x;
	struct dp_obj o;
	const char *name;

	assert_int_equal(dp_wire_body(r, &o, sizeof(o)), 0);
	assert_int_equal(dp_wire_body(r, &body, body_size(o.kind)), 0);
	name = o.kind == DP_STREAM   ? body.stream.name
	       : o.kind == DP_ROUTE  ? body.route.stream
	       : o.kind == DP_SOURCE ? body.source.stream
				     : "";
	f->sets++;
	note(f, nouns[o.kind], name);
	if (o.id == f->refuse_id) {
		acknowledge(f, r->hdr.seq, -ENOSPC, 0, "no room for it");
		return;
	}
	insert(f, &o);
	x = fake_dp_find(f, o.kind, o.id);
	x->s.version = o.version;
	x->s.state = DP_OBJ_ACTIVE;
	x->marked = true;
	snprintf(x->name, sizeof(x->name), "%s", name);
	acknowledge(f, r->hdr.seq, 0, 0, "");
}

static void drop_object(struct fake_dp *f, size_t at)
{
	memmove(&f->objects[at], &f->objects[at + 1], (--f->n - at) * sizeof(*f->objects));
}

static void on_del(struct fake_dp *f, struct dp_reader *r)
{
	struct fake_object *x;
	struct dp_obj o;

	assert_int_equal(dp_wire_body(r, &o, sizeof(o)), 0);
	x = fake_dp_find(f, o.kind, o.id);
	f->dels++;
	note(f, "-", x ? x->name : "");
	if (x)
		drop_object(f, (size_t)(x - f->objects));
	acknowledge(f, r->hdr.seq, x ? 0 : -ENOENT, 0, x ? "" : "no such object");
}

static void on_begin(struct fake_dp *f, struct dp_reader *r)
{
	f->begins++;
	note(f, "begin", "");
	for (size_t i = 0; i < f->n; i++)
		f->objects[i].marked = false;
	acknowledge(f, r->hdr.seq, 0, 0, "");
}

static uint32_t sweep(struct fake_dp *f, bool force)
{
	size_t gone = 0;

	for (size_t i = 0; i < f->n; i++)
		gone += !f->objects[i].marked;
	if (!force && gone > DP_SWEEP_GUARD_MIN && gone * 100 > f->n * DP_SWEEP_GUARD_PERCENT)
		return (uint32_t)gone;
	for (size_t i = f->n; i-- > 0;)
		if (!f->objects[i].marked)
			drop_object(f, i);
	return 0;
}

// Does what came add up? Asked before anything is swept.
static bool adds_up(const struct fake_dp *f, const struct dp_sync_commit *c)
{
	struct dp_sync_commit came = {0};

	for (size_t i = 0; i < f->n; i++) {
		const struct dp_object_state *s = &f->objects[i].s;

		if (!f->objects[i].marked)
			continue;
		came.digest[s->kind] += dp_mix(s->id, s->version);
		came.count[s->kind]++;
	}
	return !memcmp(came.digest, c->digest, sizeof(came.digest)) &&
	       !memcmp(came.count, c->count, sizeof(came.count));
}

static void on_commit(struct fake_dp *f, struct dp_reader *r)
{
	struct dp_sync_commit c;
	uint32_t held;

	assert_int_equal(dp_wire_body(r, &c, sizeof(c)), 0);
	f->commits++;
	note(f, "commit", "");
	if (!adds_up(f, &c) || f->spoil_commit) {
		f->spoil_commit = false;
		acknowledge(f, r->hdr.seq, -EILSEQ, 0, "what came does not add up");
		return;
	}
	held = sweep(f, c.force);
	f->generation += !held;
	acknowledge(f, r->hdr.seq, 0, held, "");
}

static void on_kick(struct fake_dp *f, struct dp_reader *r)
{
	struct dp_kick k;
	bool there = false;

	assert_int_equal(dp_wire_body(r, &k, sizeof(k)), 0);
	f->kicks++;
	f->kicked = k.session;
	for (size_t i = 0; i < f->n_sessions; i++)
		there = there || f->sessions[i].key == k.session;
	acknowledge(f, r->hdr.seq, there ? 0 : -ENOENT, 0, there ? "" : "no such session");
}

// A record of a dump: counted from 1, as the cursor does.
static bool record(struct fake_dp *f, const struct dp_dump *d, uint64_t at, const void **out)
{
	if (d->what == DP_DUMP_OBJECTS) {
		*out = at < f->n ? &f->objects[at].s : NULL;
		return *out;
	}
	*out = at < f->n_sessions ? &f->sessions[at] : NULL;
	return *out && f->sessions[at].mode == (d->what == DP_DUMP_PUBLISHERS) &&
	       (!*d->stream || !strcmp(d->stream, f->sessions[at].stream));
}

static void on_dump(struct fake_dp *f, struct dp_reader *r)
{
	static uint8_t buf[DP_MSG_MAX];
	const void *records[DP_DUMP_MAX], *x;
	struct dp_dump_r out = {0};
	struct dp_writer w;
	struct dp_dump d;
	uint64_t at;
	size_t fit;

	assert_int_equal(dp_wire_body(r, &d, sizeof(d)), 0);
	f->dumps++;
	out.record_size = d.what == DP_DUMP_OBJECTS ? sizeof(struct dp_object_state)
						    : sizeof(struct dp_session);
	fit = (DP_MSG_MAX - sizeof(struct dp_hdr) - sizeof(out)) / out.record_size;
	for (at = d.cursor; out.n < d.limit && out.n < DP_DUMP_MAX && out.n < fit; at++) {
		if (record(f, &d, at, &x))
			records[out.n++] = x;
		else if (!x)
			break;
	}
	record(f, &d, at, &x);
	out.next = x ? at : 0;
	dp_wire_begin(&w, buf, DP_DUMP_R, r->hdr.seq);
	dp_wire_put(&w, &out, sizeof(out));
	for (uint32_t i = 0; i < out.n; i++)
		dp_wire_put_raw(&w, records[i], out.record_size);
	send_msg(f, buf, dp_wire_end(&w), -1);
}

static void on_verdict(struct fake_dp *f, struct dp_reader *r)
{
	assert_int_equal(dp_wire_body(r, &f->verdict, sizeof(f->verdict)), 0);
	f->verdicts++;
}

static void take(struct fake_dp *f, struct dp_reader *r)
{
	static void (*const table[])(struct fake_dp *, struct dp_reader *) = {
		[DP_HELLO] = on_hello,
		[DP_SYNC_BEGIN] = on_begin,
		[DP_SYNC_COMMIT] = on_commit,
		[DP_OBJ_SET] = on_set,
		[DP_OBJ_DEL] = on_del,
		[DP_KICK] = on_kick,
		[DP_DUMP] = on_dump,
		[DP_ADMIT_R] = on_verdict,
	};

	assert_true(r->hdr.type < sizeof(table) / sizeof(*table) && table[r->hdr.type]);
	table[r->hdr.type](f, r);
}

void fake_dp_hang_up(struct fake_dp *f)
{
	if (f->read)
		event_free(f->read);
	if (f->fd >= 0)
		close(f->fd);
	f->read = NULL;
	f->fd = -1;
}

static void on_readable(evutil_socket_t fd, short, void *arg)
{
	static uint8_t buf[DP_MSG_MAX];
	struct fake_dp *f = arg;
	struct dp_reader r;
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n <= 0) {
		fake_dp_hang_up(f);
		return;
	}
	assert_int_equal(dp_wire_read(&r, buf, (size_t)n), 0);
	if (!f->deaf)
		take(f, &r);
}

static void on_accept(evutil_socket_t fd, short, void *arg)
{
	struct fake_dp *f = arg;
	int size = 4 << 20, peer = accept(fd, NULL, NULL);

	assert_true(peer >= 0);
	fake_dp_hang_up(f);
	setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	f->fd = peer;
	f->read = event_new(f->base, peer, EV_READ | EV_PERSIST, on_readable, f);
	event_add(f->read, NULL);
}

void fake_dp_init(struct fake_dp *f, struct event_base *base)
{
	*f = (struct fake_dp){
		.base = base, .listen_fd = -1, .fd = -1, .stats_fd = -1, .instance = 1};
	strcpy(f->dir, "/tmp/sluice-fake-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/dp.sock", f->dir);
}

void fake_dp_start(struct fake_dp *f)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	strcpy(a.sun_path, f->path);
	f->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f->listen_fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(f->listen_fd, 4), 0);
	f->accept = event_new(f->base, f->listen_fd, EV_READ | EV_PERSIST, on_accept, f);
	event_add(f->accept, NULL);
}

void fake_dp_kill(struct fake_dp *f)
{
	fake_dp_hang_up(f);
	if (f->accept)
		event_free(f->accept);
	if (f->listen_fd >= 0)
		close(f->listen_fd);
	f->accept = NULL;
	f->listen_fd = -1;
	unlink(f->path);
	f->n = 0;
	f->instance++;
	f->generation = 0;
}

void fake_dp_fini(struct fake_dp *f)
{
	fake_dp_kill(f);
	free(f->objects);
	assert_int_equal(rmdir(f->dir), 0);
}

void fake_dp_forget_log(struct fake_dp *f)
{
	f->log[0] = '\0';
	f->hellos = f->begins = f->commits = f->sets = f->dels = f->dumps = f->kicks = 0;
}

void fake_dp_notice(struct fake_dp *f, const struct dp_notice *n)
{
	answer(f, DP_NOTICE, 0, 0, n, sizeof(*n), -1);
}

void fake_dp_ask(struct fake_dp *f, const struct dp_admit *q)
{
	answer(f, DP_ADMIT, 0, 0, q, sizeof(*q), -1);
}
