// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/ops.h"

#include "base/log.h"
#include "version.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

LOG_SUBSYSTEM(ops)

struct op {
	const char *name;
	bool owner_only;
	void (*run)(struct control *c, struct request *r);
};

static const struct op table[] = {
	[DP_HELLO] = {"HELLO", false, op_hello},
	[DP_SYNC_BEGIN] = {"SYNC_BEGIN", true, op_sync_begin},
	[DP_SYNC_COMMIT] = {"SYNC_COMMIT", true, op_sync_commit},
	[DP_OBJ_SET] = {"OBJ_SET", true, op_obj_set},
	[DP_OBJ_DEL] = {"OBJ_DEL", true, op_obj_del},
	[DP_KICK] = {"KICK", true, op_kick},
	[DP_LOG] = {"LOG", true, op_log},
	[DP_DUMP] = {"DUMP", false, op_dump},
};

int request_fail(struct request *r, int status, const char *why)
{
	r->status = status;
	snprintf(r->error, sizeof(r->error), "%s", why);
	return status;
}

static void acknowledge(struct request *r)
{
	struct dp_ack a = {.held = r->held};
	uint8_t buf[sizeof(struct dp_hdr) + sizeof(a)];
	struct dp_writer w;
	struct dp_hdr h;

	memcpy(a.error, r->error, sizeof(a.error));
	dp_wire_begin(&w, buf, DP_ACK, r->body->hdr.seq);
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

static void run(struct control *c, struct request *r)
{
	const struct op *op = op_of(r->body->hdr.type);

	if (!op)
		request_fail(r, -ENOSYS, "no such operation");
	else if (op->owner_only && r->from->role != DP_ROLE_OWNER)
		request_fail(r, -EPERM, "only the owner may do that");
	else
		op->run(c, r);
}

void ops_message(struct control *c, struct client *from, const uint8_t *msg, size_t len)
{
	struct dp_reader body;
	struct request r = {.from = from, .body = &body};
	int rc = len <= DP_MSG_MAX ? dp_wire_read(&body, msg, len) : -EBADMSG;

	if (rc) {
		// What cannot be read has no sequence number to answer: say so and end it.
		body.hdr.seq = rc == -EPROTO ? body.hdr.seq : 0;
		request_fail(&r, rc,
			rc == -EPROTO ? "this ABI is not spoken here" : "not a message of ours");
		from->closing = true;
	} else {
		run(c, &r);
	}
	if (r.status == -EBADMSG)
		log_warn("a malformed message: %s", r.error);
	if (!r.answered)
		acknowledge(&r);
}

// A newer owner fences an older one (decisions B1).
static int take_ownership(struct control *c, struct request *r, const struct dp_hello *h)
{
	struct client *old = c->server ? server_owner(c->server) : NULL;

	if (h->owner_epoch < c->owner_epoch)
		return request_fail(r, -ESTALE, "a newer owner has been here");
	if (old && old != r->from)
		old->role = DP_ROLE_READER;
	c->owner_epoch = h->owner_epoch;
	r->from->role = DP_ROLE_OWNER;
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
	struct dp_hello h;
	struct dp_hello_r answer;
	struct dp_writer w;

	if (dp_wire_body(r->body, &h, sizeof(h))) {
		request_fail(r, -EBADMSG, "HELLO is cut short");
		return;
	}
	if (h.abi_min > DP_ABI || h.abi_max < DP_ABI) {
		request_fail(r, -EPROTO, "this ABI is not spoken here");
		return;
	}
	r->from->role = DP_ROLE_READER;
	if (h.role == DP_ROLE_OWNER && take_ownership(c, r, &h))
		return;
	hello_fill(c, &answer);
	dp_wire_begin(&w, buf, DP_HELLO_R, r->body->hdr.seq);
	dp_wire_put(&w, &answer, sizeof(answer));
	dp_wire_end(&w);
	server_send(r->from, buf, w.len, c->o.stats_fd);
	r->answered = true;
}

void op_kick(struct control *c, struct request *r)
{
	struct cmd cmd = {.kind = CMD_KICK};
	struct dp_session seen;
	struct dp_kick k;

	if (dp_wire_body(r->body, &k, sizeof(k))) {
		request_fail(r, -EBADMSG, "KICK is cut short");
		return;
	}
	if (session_key_worker(k.session) >= c->o.workers.n ||
		session_key_slot(k.session) >=
			c->o.workers.n_slots(c->o.workers.ctx, session_key_worker(k.session)) ||
		!c->o.workers.session(c->o.workers.ctx, session_key_worker(k.session),
			session_key_slot(k.session), &seen) ||
		seen.key != k.session) {
		request_fail(r, -ENOENT, "no such session");
		return;
	}
	cmd.kick.key = k.session;
	cmd.kick.reason = CLOSE_KICKED;
	post(c, session_key_worker(k.session), &cmd);
}

void op_log(struct control *c, struct request *r)
{
	struct dp_log l;

	if (dp_wire_body(r->body, &l, sizeof(l)) || l.level >= LOG_LEVELS) {
		request_fail(r, -EINVAL, "no such log level");
		return;
	}
	l.subsystem[sizeof(l.subsystem) - 1] = '\0';
	if (log_set(l.subsystem[0] ? l.subsystem : NULL, (enum log_level)l.level))
		request_fail(r, -ENOENT, "no such log subsystem");
}
