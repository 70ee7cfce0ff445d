#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A client of the dataplane protocol: sluiced, or a reader. Calls never block: the owner of the
// event loop watches dp_client.fd and calls dp_client_read() when it is readable.

#include "ctl/dp/dp_id.h"
#include "ctl/dp/dp_proto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// How bytes travel: a connected SEQPACKET socket by default, something else in tests. As send(2)
// and recvmsg(2) with one file descriptor: -1 and errno on failure.
struct dp_transport {
	long (*send)(void *ctx, const void *msg, size_t len);
	long (*recv)(void *ctx, void *msg, size_t cap, int *fd);
	void *ctx;
};

struct dp_client {
	int fd; // -1: not connected
	uint32_t seq;
	struct dp_transport t;
	uint8_t buf[DP_MSG_MAX];
};

// Connect to a dp.sock. Returns 0, or -errno with one sentence in err.
int dp_client_open(struct dp_client *c, const char *path, char *err, size_t err_cap);
void dp_client_open_transport(struct dp_client *c, const struct dp_transport *t);
void dp_client_close(struct dp_client *c);

// Requests. Each returns the sequence number that its answer will carry (> 0), or -errno: -EAGAIN
// when the socket is full (nothing was sent), -EPIPE and others when the other side is gone.
int64_t dp_client_hello(struct dp_client *c, uint32_t role, uint64_t owner_epoch);
int64_t dp_client_sync_begin(struct dp_client *c);
// kind: enum dp_kind. body: that kind's struct of size bytes.
int64_t dp_client_obj_set(struct dp_client *c, uint32_t kind, uint64_t id, uint64_t version,
	const void *body, size_t size);
int64_t dp_client_obj_del(struct dp_client *c, uint32_t kind, uint64_t id);
int64_t dp_client_sync_commit(struct dp_client *c, const struct dp_sync_commit *commit);
int64_t dp_client_kick(struct dp_client *c, uint64_t session, uint32_t ban_s);
int64_t dp_client_drain(struct dp_client *c, bool on);
int64_t dp_client_log(struct dp_client *c, const char *subsystem, uint32_t level);
int64_t dp_client_dump(struct dp_client *c, const struct dp_dump *dump);
// The answer to an ADMIT; gets none itself.
int64_t dp_client_admit(struct dp_client *c, const struct dp_admit_r *r);

// An answer or a notice.
struct dp_msg {
	enum dp_type type;
	uint32_t seq;
	int32_t status; // of ACK: 0 or -errno
	int fd;		// of HELLO_R: the stats memfd, the caller's now; else -1
	union {
		struct dp_hello_r hello;
		struct dp_ack ack;
		struct dp_notice notice;
		struct dp_admit admit;
		struct dp_dump_r dump;
	};
	// DUMP_R: dump.n of these, valid until the next read.
	union {
		const struct dp_session *sessions;
		const struct dp_object_state *objects;
	};
};

// Take one message. 0; -EAGAIN: none there; -EBADMSG: not understood (go on or close); -EPIPE: the
// other side is gone. what: of the last DUMP, to read its records.
int dp_client_read(struct dp_client *c, enum dp_dump_what what, struct dp_msg *out);
