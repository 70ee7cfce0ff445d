// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Sources and routes that call an SRT listener: a source fetches what it sends, a route sends it
// the stream. A call that fails or ends is made again, later each time.

#include "control/control_priv.h"
#include "proto/srt_rej.h"

#include <openssl/rand.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define CALLS_LATENCY_MS 120u
#define CALLS_KEY_LEN 16u
#define CALLS_MSS 1500u
#define CALLS_PATIENCE_US (3 * TS_S) // libsrt's
#define CALLS_AGAIN_US (250 * TS_MS) // doubled with each failure ...
#define CALLS_AGAIN_MAX_US (10 * TS_S)

bool object_calls(const struct object *o)
{
	return (o->kind == DP_ROUTE && o->route.proto == DP_PROTO_SRT) ||
	       (o->kind == DP_SOURCE && o->source.proto == DP_PROTO_SRT);
}

static const struct dp_call *call_of(const struct object *o)
{
	return o->kind == DP_ROUTE ? &o->route.call : &o->source.call;
}

static struct endpoint peer_of(const struct object *o)
{
	struct endpoint e = {.port = o->kind == DP_ROUTE ? o->route.port : o->source.port};

	memcpy(e.ip, o->kind == DP_ROUTE ? o->route.ip : o->source.ip, sizeof(e.ip));
	return e;
}

// ... and spread, so that many whose listener has gone do not come back as one.
static void again(struct control *c, struct object *o, const char *why)
{
	ts_us pause = CALLS_AGAIN_US << (o->tries < 6 ? o->tries : 6);

	pause = ts_min(pause, CALLS_AGAIN_MAX_US);
	o->tries++;
	object_state(c, o, DP_OBJ_ERROR, why);
	o->retry_at = c->now + pause * 3 / 4 + rand_below(&c->rand, (uint32_t)(pause / 2));
	c->retry_at = ts_min(c->retry_at, o->retry_at);
}

static void let_go(struct control *c, struct object *o)
{
	o->used->n_users--;
	o->used->lonely_since = c->now;
	o->used = NULL;
	o->session = 0;
}

// --- the socket -----------------------------------------------------------------------------

static uint16_t port_of(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct endpoint e;

	return getsockname(fd, (struct sockaddr *)&sa, &len) || endpoint_from_sockaddr(&sa, &e)
		       ? 0
		       : e.port;
}

static int socket_open(struct control *c, unsigned worker, char *err, size_t cap)
{
	struct port_sock_source any = {0};
	struct call_socket *k = &c->call_sockets[worker];
	struct cmd cmd = {.kind = CMD_SOCK_ADD, .owner = &c->calling};
	int fd = c->o.sockets.bind(c->o.sockets.ctx, &any, err, cap);

	if (fd < 0)
		return fd;
	k->tag = tag_take(c, &c->calling);
	if (!k->tag) {
		c->o.sockets.close(fd);
		snprintf(err, cap, "no room: too many listeners and sources");
		return -ENFILE;
	}
	k->local = (struct endpoint){.port = port_of(fd)};
	cmd.sock = (struct cmd_sock){.fd = fd, .tag = k->tag};
	c->calling.in_flight++;
	post(c, worker, &cmd);
	return 0;
}

void call_socket_done(struct control *c, const struct cmd *cmd)
{
	if (!cmd->status)
		return;
	c->o.sockets.close(cmd->sock.fd);
	for (unsigned w = 0; w < c->o.workers.n; w++)
		if (c->call_sockets[w].tag == cmd->sock.tag)
			c->call_sockets[w].tag = 0;
	tag_give(c, cmd->sock.tag);
}

// --- calling --------------------------------------------------------------------------------

// With these keys; NULL: clear.
static void dial(
	struct control *c, struct object *o, struct ctl_stream *s, const struct kdf_result *made)
{
	const struct key_material *keys = made ? &made->keys : NULL;
	const struct dp_call *d = call_of(o);
	struct cmd cmd = {.kind = CMD_CALL, .owner = o};
	char err[DP_ERROR_MAX] = "";

	if (!c->call_sockets[s->s.owner].tag && socket_open(c, s->s.owner, err, sizeof(err))) {
		again(c, o, err);
		return;
	}
	cmd.call = (struct cmd_call){
		.stream = &s->s,
		.object = o->id,
		.mode = o->kind == DP_ROUTE ? DP_MODE_PLAY : DP_MODE_PUBLISH,
		.ttl = o->kind == DP_ROUTE ? o->route.ttl : 0,
		.dscp = o->kind == DP_ROUTE ? o->route.dscp : 0,
		.tag = c->call_sockets[s->s.owner].tag,
		.peer = peer_of(o),
		.local = c->call_sockets[s->s.owner].local,
		.own_rcv_latency_ms = (uint16_t)(d->latency_ms ? d->latency_ms : CALLS_LATENCY_MS),
		.peer_rcv_latency_ms =
			(uint16_t)(d->peer_latency_ms ? d->peer_latency_ms : CALLS_LATENCY_MS),
	};
	cmd.call.patience = d->connect_ms ? d->connect_ms * TS_MS : CALLS_PATIENCE_US;
	cmd.call.mss = d->mss ? d->mss : CALLS_MSS;
	if (made) {
		cmd.call.keys = made->keys;
		cmd.call.pass = made->pass;
	}
	if (o->kind == DP_SOURCE)
		keys_note(s, keys ? keys->msg : NULL, keys ? keys->msg_len : 0);
	memcpy(cmd.call.streamid, d->streamid, sizeof(cmd.call.streamid));
	stream_deepen(s, cmd.call.own_rcv_latency_ms > cmd.call.peer_rcv_latency_ms
				 ? cmd.call.own_rcv_latency_ms
				 : cmd.call.peer_rcv_latency_ms);
	o->used = s;
	s->n_users++;
	o->in_flight++;
	post(c, s->s.owner, &cmd);
	explicit_bzero(&cmd, sizeof(cmd));
}

// Targets of a stream may share a key only if they share its salt (srt-wire 11.6).
static void salt_of(struct ctl_stream *s, struct kdf_job *j)
{
	if (!s->has_push_salt)
		s->has_push_salt = RAND_bytes(s->push_salt, sizeof(s->push_salt)) == 1;
	j->has_salt = s->has_push_salt;
	memcpy(j->salt, s->push_salt, sizeof(j->salt));
}

static void ask_for_key(struct control *c, struct object *o, struct ctl_stream *s)
{
	const struct dp_call *d = call_of(o);
	const struct object *secret = secret_find(c, d->secret);
	struct kdf_job j = {
		.what = KDF_CALL,
		.cipher = d->cipher == DP_CIPHER_GCM ? SRT_KM_GCM : SRT_KM_CTR,
		.key_len = d->key_len ? d->key_len : CALLS_KEY_LEN,
	};

	if (!secret) {
		again(c, o, "its passphrase has not been handed over");
		return;
	}
	// {kind, 20 bits that tell an old question from a new one, id}
	if (o->kind == DP_ROUTE) {
		salt_of(s, &j);
		keys_try(s, &j, d->key_len);
	}
	o->deriving = (uint64_t)o->kind << 60 | (++c->n_calls & 0xfffff) << 40 | o->id;
	j.id = o->deriving;
	j.passphrase_len = (uint16_t)secret->secret.len;
	memcpy(j.passphrase, secret->secret.bytes, j.passphrase_len);
	if (kdf_submit(c->kdf, &j)) {
		o->deriving = 0;
		again(c, o, "too many wait for their keys");
	}
	explicit_bzero(&j, sizeof(j));
}

// One that feeds the stream already, or is about to, stays.
static bool has_place(struct control *c, struct object *o, const struct ctl_stream *s)
{
	if (o->kind == DP_ROUTE || (!s->publisher && !s->publish_in_flight))
		return true;
	if (s->publisher && s->source != o->id)
		object_state(c, o, DP_OBJ_ERROR, "the stream has another publisher");
	return false;
}

static struct ctl_stream *stream_of(struct control *c, struct object *o)
{
	struct ctl_stream *s =
		stream_use(c, o->kind == DP_ROUTE ? o->route.stream : o->source.stream, o);

	return s && has_place(c, o, s) ? s : NULL;
}

void call_apply(struct control *c, struct object *o)
{
	struct ctl_stream *s;

	if (o->used || o->in_flight || o->deriving)
		return;
	s = stream_of(c, o);
	if (!s)
		return;
	// While it calls again its last error stands.
	if (o->state != DP_OBJ_ERROR)
		object_state(c, o, DP_OBJ_PENDING, "nobody has answered its call yet");
	o->retry_at = 0;
	if (call_of(o)->secret)
		ask_for_key(c, o, s);
	else
		dial(c, o, s, NULL);
}

void call_key_made(struct control *c, const struct kdf_result *r)
{
	struct object *o = object_find(c, (uint32_t)(r->id >> 60), r->id & OBJECT_ID_MAX);
	struct ctl_stream *s;

	if (!o || !object_calls(o) || o->deriving != r->id)
		return;
	o->deriving = 0;
	s = stream_of(c, o);
	if (r->status)
		again(c, o, "no key could be made");
	else if (s)
		dial(c, o, s, r);
}

static void lost(struct control *c, struct object *o, const char *why)
{
	let_go(c, o);
	again(c, o, why);
}

void call_done(struct control *c, struct object *o, const struct cmd *cmd)
{
	if (cmd->status) {
		lost(c, o, "the worker has no room for it");
		return;
	}
	o->session = cmd->call.key;
	if (o->gone)
		call_remove(c, o);
}

void call_remove(struct control *c, struct object *o)
{
	struct cmd cmd = {.kind = CMD_KICK, .owner = o};

	o->deriving = 0;
	if (!o->used || !o->session)
		return; // in flight: call_done() sees to it
	cmd.kick.key = o->session;
	cmd.kick.reason = DP_CLOSE_SHUTDOWN;
	o->in_flight++;
	post(c, o->used->s.owner, &cmd);
	let_go(c, o);
}

// --- what became of it ----------------------------------------------------------------------

static struct object *object_of(struct control *c, const struct event *e)
{
	struct object *o =
		object_find(c, e->mode == DP_MODE_PLAY ? DP_ROUTE : DP_SOURCE, e->object);

	return o && o->used && o->session == e->key ? o : NULL;
}

void call_up(struct control *c, const struct event *e)
{
	struct object *o = object_of(c, e);

	if (!o)
		return;
	o->tries = 0;
	object_state(c, o, DP_OBJ_ACTIVE, "");
}

void call_ended(struct control *c, const struct event *e, const char *why)
{
	struct object *o = object_of(c, e);
	char text[DP_ERROR_MAX];

	if (!o)
		return;
	if (e->reason == DP_CLOSE_NARROW || e->reason == DP_CLOSE_REKEY)
		snprintf(text, sizeof(text), "the peer was %s", why);
	else
		snprintf(text, sizeof(text), "the peer %s",
			e->reason == DP_CLOSE_PEER || e->reason == DP_CLOSE_TIMEOUT
				? why
				: "was disconnected");
	lost(c, o, text);
}

void call_failed(struct control *c, const struct event *e)
{
	struct object *o = object_of(c, e);
	char text[DP_ERROR_MAX];

	if (!o)
		return;
	if (e->code >= 1000)
		snprintf(text, sizeof(text), "the listener refused: %d %s", e->code,
			srt_rej_str(e->code));
	else
		snprintf(text, sizeof(text), "%s",
			e->code == -ETIMEDOUT ? "nobody answers there"
			: e->code == -EBUSY   ? "the stream has another publisher"
			: e->code == -EPROTO  ? "what answers there does not speak SRT 1.3 or later"
					      : "the call was given up");
	lost(c, o, text);
}
