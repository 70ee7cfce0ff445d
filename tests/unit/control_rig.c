// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control_rig.h"

#include "control/stats.h"
#include "ctl/dp/dp_id.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// --- sockets --------------------------------------------------------------------------------

// Closing has no context: descriptors are numbers from 1 on, of the one rig there is.
static bool fd_open[RIG_FDS];

static int fd_take(void)
{
	for (int fd = 1; fd < RIG_FDS; fd++)
		if (!fd_open[fd]) {
			fd_open[fd] = true;
			return fd;
		}
	fail_msg("too many descriptors");
	return -1;
}

static void fd_close(int fd)
{
	assert_true(fd > 0 && fd < RIG_FDS && fd_open[fd]);
	fd_open[fd] = false;
}

unsigned rig_open_fds(const struct rig *r)
{
	unsigned n = 0;

	for (int fd = 1; fd < RIG_FDS; fd++)
		n += fd_open[fd];
	return n;
}

static int sock_listen(void *ctx, const struct endpoint *local, int *fds, char *err, size_t cap)
{
	struct rig *r = ctx;

	r->n_listens++;
	if (r->listen_rc) {
		snprintf(err, cap, "as the test says: %s", strerror(-r->listen_rc));
		return r->listen_rc;
	}
	for (unsigned w = 0; w < RIG_WORKERS; w++)
		fds[w] = fd_take();
	return 0;
}

static int sock_bind(void *ctx, const struct port_sock_source *s, char *err, size_t cap)
{
	struct rig *r = ctx;

	r->n_binds++;
	r->bound = *s;
	if (!r->bind_rc)
		return fd_take();
	snprintf(err, cap, "as the test says: %s", strerror(-r->bind_rc));
	return r->bind_rc;
}

// --- workers: what control sees -------------------------------------------------------------

static int post_cmd(void *ctx, unsigned worker, struct cmd *c)
{
	struct rig_worker *w = &((struct rig *)ctx)->workers[worker];

	if (w->n_cmds >= w->room)
		return -EAGAIN;
	w->cmds[w->n_cmds++] = c;
	return 0;
}

static unsigned read_events(void *ctx, unsigned worker, struct event *out, unsigned n)
{
	struct rig_worker *w = &((struct rig *)ctx)->workers[worker];
	unsigned took = 0;

	while (took < n && w->n_read < w->n_events)
		out[took++] = w->events[w->n_read++];
	if (w->n_read == w->n_events)
		w->n_read = w->n_events = 0;
	return took;
}

static const struct parked *parked(void *ctx, unsigned worker, uint32_t park)
{
	return &((struct rig *)ctx)->workers[worker].parks[park].p;
}

static unsigned n_slots(void *ctx, unsigned worker)
{
	return RIG_SLOTS;
}

static bool read_session(void *ctx, unsigned worker, unsigned slot, struct dp_session *out)
{
	const struct rig_session *s = &((struct rig *)ctx)->workers[worker].sessions[slot];

	*out = s->d;
	return s->used;
}

// --- workers: what they do ------------------------------------------------------------------

static void say(struct rig *r, unsigned worker, const struct event *e)
{
	struct rig_worker *w = &r->workers[worker];

	assert_true(w->n_events < RIG_EVENTS);
	w->events[w->n_events++] = *e;
}

static struct event about(const struct rig_session *s, enum event_kind kind)
{
	struct event e = {
		.kind = kind,
		.key = s->d.key,
		.stream = s->stream,
		.proto = s->d.proto,
		.mode = s->d.mode,
		.object = s->d.object,
		.peer = {.port = s->d.peer_port},
	};

	memcpy(e.peer.ip, s->d.peer_ip, sizeof(e.peer.ip));
	return e;
}

static session_key begin(struct rig *r, unsigned worker, struct stream *stream, uint8_t proto,
	uint8_t mode, uint64_t object, uint16_t tag)
{
	struct rig_worker *w = &r->workers[worker];
	struct event e;

	for (unsigned slot = 0; slot < RIG_SLOTS; slot++) {
		struct rig_session *s = &w->sessions[slot];

		if (s->used)
			continue;
		s->used = true;
		s->tag = tag;
		s->stream = stream;
		s->d = (struct dp_session){
			.key = session_key_make(worker, slot, ++s->generation),
			.object = object,
			.proto = proto,
			.mode = mode,
			.worker = (uint8_t)worker,
		};
		memcpy(s->d.stream, stream->cfg.name, sizeof(s->d.stream));
		e = about(s, EV_UP);
		say(r, worker, &e);
		return s->d.key;
	}
	fail_msg("no slot");
	return 0;
}

// A publisher of this stream: the first link of several.
static struct rig_session *publisher_of(struct rig_worker *w, const struct stream *stream)
{
	for (unsigned slot = 0; slot < RIG_SLOTS; slot++) {
		struct rig_session *s = &w->sessions[slot];

		if (s->used && s->stream == stream && s->d.mode == DP_MODE_PUBLISH)
			return s;
	}
	return NULL;
}

static void end(struct rig *r, struct rig_session *s, enum dp_close why)
{
	struct rig_worker *w = &r->workers[session_key_worker(s->d.key)];
	struct event e = about(s, EV_DOWN);
	const struct rig_session *heir;

	e.reason = (uint8_t)why;
	s->used = false;
	heir = s->d.mode == DP_MODE_PUBLISH ? publisher_of(w, s->stream) : NULL;
	e.heir = heir ? heir->d.key : 0;
	say(r, session_key_worker(s->d.key), &e);
}

struct rig_session *rig_session(struct rig *r, session_key key)
{
	struct rig_session *s =
		&r->workers[session_key_worker(key)].sessions[session_key_slot(key)];

	return key && s->used && s->d.key == key ? s : NULL;
}

static void end_all(struct rig *r, unsigned worker, const struct stream *stream, uint16_t tag,
	enum dp_close why)
{
	for (unsigned slot = 0; slot < RIG_SLOTS; slot++) {
		struct rig_session *s = &r->workers[worker].sessions[slot];

		if (s->used && (stream ? s->stream == stream : s->tag == tag))
			end(r, s, why);
	}
}

static int add_socket(struct rig *r, unsigned worker, struct cmd_sock *c)
{
	if (r->add_status[worker])
		return r->add_status[worker];
	fd_close(c->fd); // by the port, at the latest with SOCK_DEL
	c->fd = -1;
	if (c->source)
		c->key = begin(r, worker, c->stream, c->proto, DP_MODE_PUBLISH, c->object, c->tag);
	return 0;
}

static struct rig_park *waiting(struct rig *r, unsigned worker, const struct cmd_admit *a)
{
	struct rig_park *p = &r->workers[worker].parks[a->park];

	return p->waits && p->p.generation == a->park_generation ? p : NULL;
}

static int answer(struct rig *r, unsigned worker, const struct cmd_admit *a, int code)
{
	struct rig_park *p = waiting(r, worker, a);

	if (!p)
		return -ESTALE;
	p->waits = false;
	p->code = code;
	p->key = code ? 0 : a->key;
	return 0;
}

static int play(struct rig *r, unsigned worker, struct cmd_admit *a)
{
	struct rig_park *p = waiting(r, worker, a);

	if (!p)
		return -ESTALE;
	if (r->play_status)
		return r->play_status;
	a->key = begin(r, worker, a->stream, DP_PROTO_SRT, DP_MODE_PLAY, 0, p->p.tag);
	return answer(r, worker, a, 0);
}

static int publish(struct rig *r, unsigned worker, struct cmd_admit *a)
{
	struct rig_session *old = rig_session(r, a->replaces);
	bool link;

	assert_int_equal(worker, a->stream->owner);
	if (r->publish_status)
		return r->publish_status;
	if (old)
		end(r, old, DP_CLOSE_REPLACED);
	link = publisher_of(&r->workers[worker], a->stream);
	if (link && !a->link)
		return -EBUSY;
	a->key = begin(r, worker, a->stream, DP_PROTO_SRT, DP_MODE_PUBLISH, 0, a->from.tag);
	r->workers[worker].events[r->workers[worker].n_events - 1].link = link;
	return 0;
}

static int push(struct rig *r, unsigned worker, struct cmd_push *p)
{
	assert_int_equal(worker, p->stream->owner);
	if (!r->push_status)
		p->key = begin(r, worker, p->stream, p->proto, DP_MODE_PLAY, p->object, 0);
	return r->push_status;
}

static int kick(struct rig *r, session_key key, enum dp_close why)
{
	struct rig_session *s = rig_session(r, key);

	if (s)
		end(r, s, why);
	return s ? 0 : -ENOENT;
}

static int carry_out(struct rig *r, unsigned worker, struct cmd *c)
{
	switch (c->kind) {
	case CMD_SOCK_ADD:
		return add_socket(r, worker, &c->sock);
	case CMD_SOCK_DEL:
		end_all(r, worker, NULL, c->sock.tag, DP_CLOSE_SHUTDOWN);
		return 0;
	case CMD_STREAM_CLOSE:
		end_all(r, worker, c->stream, 0, DP_CLOSE_SHUTDOWN);
		return 0;
	case CMD_PLAY:
		return play(r, worker, &c->admit);
	case CMD_PUBLISH:
		return publish(r, worker, &c->admit);
	case CMD_PARK_DONE:
		return answer(r, worker, &c->admit, 0);
	case CMD_REJECT:
		return answer(r, worker, &c->admit, c->admit.code);
	case CMD_PUSH_ADD:
		return push(r, worker, &c->push);
	case CMD_KICK:
		return kick(r, c->kick.key, c->kick.reason);
	case CMD_CALL:
	case CMD_KEYS:
	case CMD_STREAM_OPEN:
	case CMD_QUIT:
		break;
	}
	return 0;
}

void rig_work(struct rig *r)
{
	for (unsigned i = 0; i < RIG_WORKERS; i++) {
		struct rig_worker *w = &r->workers[i];

		for (unsigned k = 0; k < w->n_cmds; k++) {
			struct event done = {.kind = EV_DONE, .cmd = w->cmds[k]};

			w->cmds[k]->status = carry_out(r, i, w->cmds[k]);
			say(r, i, &done);
			r->n_commands++;
		}
		w->n_cmds = 0;
	}
}

void rig_leave(struct rig *r, session_key key, enum dp_close why)
{
	struct rig_session *s = rig_session(r, key);

	assert_non_null(s);
	end(r, s, why);
}

void rig_state(struct rig *r, const char *stream, enum dp_stream_state state)
{
	struct ctl_stream *s = stream_find(r->c, stream);
	struct event e = {.kind = EV_STREAM, .state = (uint8_t)state};

	assert_non_null(s);
	e.stream = &s->s;
	say(r, s->s.owner, &e);
}

// --- the rig --------------------------------------------------------------------------------

struct rig *rig_new_served(int listen_fd)
{
	static const struct stats_port port = {"sock", "sock", "test"};
	struct rig *r = calloc(1, sizeof(*r));
	struct control_opts o = {
		.workers = {RIG_WORKERS, post_cmd, read_events, parked, n_slots, read_session, r},
		.sockets = {sock_listen, sock_bind, fd_close, r},
		.event_fd = -1,
		.max_streams = RIG_STREAMS,
		.max_subscribers = RIG_SUBSCRIBERS,
		.instance = 77,
		.listen_fd = listen_fd,
	};

	assert_non_null(r);
	memset(fd_open, 0, sizeof(fd_open));
	r->now = 1000 * TS_S;
	for (unsigned w = 0; w < RIG_WORKERS; w++)
		r->workers[w].room = RIG_CMDS;
	r->stats = stats_new(RIG_WORKERS, RIG_STREAMS, 77, &port, 1, &r->stats_fd);
	o.stats = r->stats;
	o.stats_fd = r->stats_fd;
	r->c = control_new(&o);
	assert_non_null(r->c);
	rig_settle(r);
	return r;
}

struct rig *rig_new(void)
{
	return rig_new_served(-1);
}

void rig_free(struct rig *r)
{
	rig_settle(r);
	assert_int_equal(rig_open_fds(r), 0);
	control_free(r->c);
	munmap(r->stats, r->stats->size);
	close(r->stats_fd);
	free(r);
}

void rig_turn(struct rig *r)
{
	control_turn(r->c, r->now);
}

static bool busy(const struct rig *r)
{
	for (unsigned w = 0; w < RIG_WORKERS; w++)
		if (r->workers[w].n_cmds || r->workers[w].n_events)
			return true;
	return false;
}

void rig_settle(struct rig *r)
{
	unsigned turns = 0;

	do {
		assert_true(turns++ < 1000);
		rig_turn(r);
		rig_work(r);
	} while (busy(r) || r->c->retry);
}

void rig_pass(struct rig *r, unsigned ms)
{
	r->now += (ts_us)ms * TS_MS;
	rig_settle(r);
}

// --- objects --------------------------------------------------------------------------------

static void loopback(uint8_t ip[16])
{
	struct endpoint e = endpoint_of_v4(0x7f000001, 0);

	memcpy(ip, e.ip, sizeof(e.ip));
}

struct dp_listener rig_listener(uint16_t port)
{
	struct dp_listener l = {.size = sizeof(l), .port = port};

	loopback(l.ip);
	return l;
}

struct dp_stream rig_stream(const char *name)
{
	struct dp_stream s = {.size = sizeof(s)};

	snprintf(s.name, sizeof(s.name), "%s", name);
	return s;
}

struct dp_route rig_route(const char *stream, uint16_t port)
{
	struct dp_route d = {.size = sizeof(d), .proto = DP_PROTO_UDP, .port = port};

	loopback(d.ip);
	snprintf(d.stream, sizeof(d.stream), "%s", stream);
	return d;
}

struct dp_source rig_source(const char *stream, uint16_t port)
{
	struct dp_source d = {.size = sizeof(d), .proto = DP_PROTO_UDP, .port = port};

	loopback(d.ip);
	snprintf(d.stream, sizeof(d.stream), "%s", stream);
	return d;
}

struct dp_secret rig_secret(const char *text)
{
	struct dp_secret s = {.size = sizeof(s), .len = (uint32_t)strlen(text)};

	memcpy(s.bytes, text, s.len);
	return s;
}

struct dp_policy rig_policy(enum dp_policy_type type, const char *name, uint64_t secret)
{
	struct dp_policy p = {.size = sizeof(p), .type = type, .secret = secret};

	snprintf(p.name, sizeof(p.name), "%s", name);
	return p;
}

int rig_set(struct rig *r, uint32_t kind, const char *identity, const void *body)
{
	struct dp_obj o = {.kind = kind, .id = dp_id(identity)};
	char err[DP_ERROR_MAX];

	o.version = dp_version(body, object_body_size(kind));
	return object_set(r->c, &o, body, err, sizeof(err));
}

int rig_del(struct rig *r, uint32_t kind, const char *identity)
{
	return object_del(r->c, kind, dp_id(identity));
}

struct object *rig_object(struct rig *r, uint32_t kind, const char *identity)
{
	return object_find(r->c, kind, dp_id(identity));
}

// --- callers --------------------------------------------------------------------------------

unsigned rig_call(struct rig *r, unsigned worker, const char *listener, const char *streamid)
{
	struct rig_worker *w = &r->workers[worker];
	unsigned park = w->n_parks++;
	struct rig_park *p = &w->parks[park];
	struct object *o = rig_object(r, DP_LISTENER, listener);
	struct event e = {.kind = EV_JOIN, .park = park};

	assert_true(park < RIG_PARKS);
	assert_non_null(o);
	*p = (struct rig_park){.waits = true};
	p->p.tag = o->tag;
	p->p.generation = 1;
	p->p.arrival = r->now;
	p->p.peer = endpoint_of_v4(0x7f000001, (uint16_t)(10000 + park));
	p->p.req.caller_id = 1 + park;
	p->p.req.mss = 1500;
	snprintf(p->p.req.streamid, sizeof(p->p.req.streamid), "%s", streamid);
	p->p.req.streamid_len = (uint16_t)strlen(streamid);
	say(r, worker, &e);
	return park;
}

int rig_code(const struct rig *r, unsigned worker, unsigned park)
{
	assert_false(r->workers[worker].parks[park].waits);
	return r->workers[worker].parks[park].code;
}

session_key rig_key(const struct rig *r, unsigned worker, unsigned park)
{
	assert_false(r->workers[worker].parks[park].waits);
	return r->workers[worker].parks[park].key;
}
