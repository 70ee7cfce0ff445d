// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/ops.h"

#include "base/log.h"
#include "version.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

LOG_SUBSYSTEM(ops)

#define OPS_LINES 5u // log lines per second that clients can cause

struct op {
	const char *name;
	uint32_t role; // that it needs: OWNER, or READER for both; 0: none
	size_t size;   // of the request's body; the function gets at least this, zero-filled
	void (*run)(struct control *c, struct request *r);
};

static const struct op table[] = {
	[DP_HELLO] = {"HELLO", 0, sizeof(struct dp_hello), op_hello},
	[DP_SYNC_BEGIN] = {"SYNC_BEGIN", DP_ROLE_OWNER, 0, op_sync_begin},
	[DP_SYNC_COMMIT] = {"SYNC_COMMIT", DP_ROLE_OWNER, sizeof(struct dp_sync_commit),
		op_sync_commit},
	[DP_OBJ_SET] = {"OBJ_SET", DP_ROLE_OWNER, sizeof(struct dp_obj), op_obj_set},
	[DP_OBJ_DEL] = {"OBJ_DEL", DP_ROLE_OWNER, sizeof(struct dp_obj), op_obj_del},
	[DP_KICK] = {"KICK", DP_ROLE_OWNER, sizeof(struct dp_kick), op_kick},
	[DP_DRAIN] = {"DRAIN", DP_ROLE_OWNER, sizeof(struct dp_drain), op_drain},
	[DP_LOG] = {"LOG", DP_ROLE_OWNER, sizeof(struct dp_log), op_log},
	[DP_DUMP] = {"DUMP", DP_ROLE_READER, sizeof(struct dp_dump), op_dump},
	[DP_ADMIT_R] = {"ADMIT_R", DP_ROLE_OWNER, sizeof(struct dp_admit_r), op_admit_r},
};

int request_fail(struct request *r, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->error, sizeof(r->error), fmt, ap);
	va_end(ap);
	return r->status = status;
}

static void acknowledge(struct request *r)
{
	struct dp_ack a = {.held = r->held};
	uint8_t buf[sizeof(struct dp_hdr) + sizeof(a)];
	struct dp_writer w;
	struct dp_hdr h;

	memcpy(a.error, r->error, sizeof(a.error));
	dp_wire_begin(&w, buf, DP_ACK, r->in->hdr.seq);
	dp_wire_put(&w, &a, sizeof(a));
	dp_wire_end(&w);
	memcpy(&h, buf, sizeof(h));
	h.status = r->status;
	memcpy(buf, &h, sizeof(h));
	server_send(r->from, buf, w.len, -1);
}

static const struct op *op_of(uint16_t type)
{
	return type < sizeof(table) / sizeof(table[0]) && table[type].run ? &table[type] : NULL;
}

static int allowed(struct request *r, const struct op *op)
{
	if (!op->role || r->from->role == DP_ROLE_OWNER || r->from->role == op->role)
		return 0;
	return r->from->role ? request_fail(r, -EPERM, "%s is the owner's", op->name) : -EBADMSG;
}

static void run(struct control *c, struct request *r)
{
	const struct op *op = op_of(r->in->hdr.type);
	int rc;

	if (!op) {
		request_fail(r, -ENOSYS, "messages of type %u are not served", r->in->hdr.type);
		return;
	}
	rc = allowed(r, op);
	if (rc == -EBADMSG)
		request_fail(r, rc, "%s came before HELLO", op->name);
	if (rc)
		return;
	if (op->size && dp_wire_body(r->in, &r->body, op->size))
		request_fail(r, -EBADMSG, "%s is cut short", op->name);
	else
		op->run(c, r);
}

// What cannot be read has no sequence number to answer.
static void unreadable(struct request *r, int rc)
{
	if (rc == -EPROTO) {
		request_fail(r, rc,
			"ABI %u is not spoken here: this is sluice-dp " SLUICE_VERSION
			" with ABI %u",
			r->in->hdr.abi, DP_ABI);
		return;
	}
	r->in->hdr.seq = 0;
	request_fail(r, rc, "not a message of the dataplane protocol");
}

// Who cannot be understood is told so once, and then closed.
static void hang_up(struct control *c, struct request *r)
{
	static struct log_limit lines = {.n = OPS_LINES};

	if (r->status != -EBADMSG && r->status != -EPROTO)
		return;
	r->from->closing = true;
	if (log_limit_ok(&lines, (unsigned long)(c->now / TS_S)))
		log_warn("a client of dp.sock was closed: %s", r->error);
}

void ops_message(struct control *c, struct client *from, const uint8_t *msg, size_t len)
{
	struct dp_reader in = {0};
	struct request r = {.from = from, .in = &in};
	int rc = len <= DP_MSG_MAX ? dp_wire_read(&in, msg, len) : -EBADMSG;

	if (rc)
		unreadable(&r, rc);
	else
		run(c, &r);
	if (!r.answered)
		acknowledge(&r);
	hang_up(c, &r);
}

// A newer owner fences an older one (decisions B1).
static int take_role(struct control *c, struct request *r, const struct dp_hello *h)
{
	if (h->role != DP_ROLE_OWNER && h->role != DP_ROLE_READER)
		return request_fail(r, -EINVAL, "no such role");
	if (h->role == DP_ROLE_OWNER && h->owner_epoch < c->owner_epoch)
		return request_fail(r, -ESTALE, "a newer owner has been here");
	if (c->server && server_role(c->server, r->from, h->role))
		return request_fail(r, -EUSERS, "there are %u readers already", SERVER_READERS);
	r->from->role = h->role;
	if (h->role == DP_ROLE_OWNER) {
		c->owner_epoch = h->owner_epoch;
		c->objects.syncing = false; // what an older owner began
	}
	return 0;
}

static void hello_fill(const struct control *c, struct dp_hello_r *h)
{
	*h = (struct dp_hello_r){
		.abi = DP_ABI,
		.pid = getpid(),
		.n_workers = c->o.workers.n,
		.instance = c->o.instance,
		.generation = c->generation,
		.max_streams = c->o.max_streams,
		.max_subscribers = c->o.max_subscribers,
		.started_us = c->started,
		.version = SLUICE_VERSION,
	};
	objects_digest(c, h->digest, h->count);
}

void op_hello(struct control *c, struct request *r)
{
	uint8_t buf[sizeof(struct dp_hdr) + sizeof(struct dp_hello_r)];
	const struct dp_hello *h = &r->body.hello;
	struct dp_hello_r answer;
	struct dp_writer w;

	if (h->abi_min > DP_ABI || h->abi_max < DP_ABI) {
		request_fail(r, -EPROTO,
			"ABI %u to %u is not spoken here: this is sluice-dp " SLUICE_VERSION
			" with ABI %u",
			h->abi_min, h->abi_max, DP_ABI);
		return;
	}
	if (take_role(c, r, h))
		return;
	hello_fill(c, &answer);
	dp_wire_begin(&w, buf, DP_HELLO_R, r->in->hdr.seq);
	dp_wire_put(&w, &answer, sizeof(answer));
	dp_wire_end(&w);
	server_send(r->from, buf, w.len, c->o.stats_fd);
	r->answered = true;
	if (h->role == DP_ROLE_OWNER)
		admit_hook_owner(c);
}

static bool is_live(struct control *c, session_key key, struct dp_session *seen)
{
	const struct control_workers *k = &c->o.workers;
	unsigned w = session_key_worker(key), slot = session_key_slot(key);

	return w < k->n && slot < k->n_slots(k->ctx, w) && k->session(k->ctx, w, slot, seen) &&
	       seen->key == key;
}

static bool ban(struct control *c, struct request *r, const struct dp_session *s)
{
	ts_us until = c->now + r->body.kick.ban_s * TS_S;

	if (s->proto != DP_PROTO_SRT || s->object)
		request_fail(r, -EINVAL, "it is no caller");
	else if (!ban_put(&c->bans, c->now, s->peer_ip, s->stream, until))
		request_fail(r, -ENOSPC, "too many addresses are banned");
	else
		return true;
	return false;
}

void op_kick(struct control *c, struct request *r)
{
	session_key key = r->body.kick.session;
	struct cmd cmd = {.kind = CMD_KICK, .kick = {.key = key, .reason = DP_CLOSE_KICKED}};
	struct dp_session seen;

	if (!is_live(c, key, &seen))
		request_fail(r, -ENOENT, "no such session");
	else if (!r->body.kick.ban_s || ban(c, r, &seen))
		post(c, session_key_worker(key), &cmd);
}

void op_drain(struct control *c, struct request *r)
{
	bool on = r->body.drain.on;

	if (on != c->draining)
		log_info(
			on ? "draining: new callers are refused" : "new callers are welcome again");
	c->draining = on;
}

// An answer itself: it is not acknowledged.
void op_admit_r(struct control *c, struct request *r)
{
	r->answered = true;
	admit_hook_answered(c, &r->body.admit_r);
}

void op_log(struct control *c, struct request *r)
{
	struct dp_log *l = &r->body.log;

	l->subsystem[sizeof(l->subsystem) - 1] = '\0';
	if (l->level >= LOG_LEVELS)
		request_fail(r, -EINVAL, "no such log level");
	else if (log_set(l->subsystem[0] ? l->subsystem : NULL, (enum log_level)l->level))
		request_fail(r, -ENOENT, "no such log subsystem");
}
