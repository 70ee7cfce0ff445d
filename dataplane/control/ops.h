#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Operations of the dataplane protocol: one table, one function each, in families (ops_*.c).

#include "control/control_priv.h"
#include "ctl/dp/dp_wire.h"

struct request {
	struct client *from;
	struct dp_reader *in; // stands behind the body
	union {
		struct dp_hello hello;
		struct dp_sync_commit commit;
		struct dp_obj obj;
		struct dp_kick kick;
		struct dp_drain drain;
		struct dp_log log;
		struct dp_dump dump;
		struct dp_admit_r admit_r;
	} body;
	int status; // of the ACK
	char error[DP_ERROR_MAX];
	uint32_t held;
	bool answered; // by another message than ACK
};

// Say why not, one sentence. Returns status; -EBADMSG and -EPROTO close the connection.
int request_fail(struct request *r, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

void op_hello(struct control *c, struct request *r);
void op_sync_begin(struct control *c, struct request *r);
void op_sync_commit(struct control *c, struct request *r);
void op_obj_set(struct control *c, struct request *r);
void op_obj_del(struct control *c, struct request *r);
void op_kick(struct control *c, struct request *r);
void op_drain(struct control *c, struct request *r);
void op_log(struct control *c, struct request *r);
void op_admit_r(struct control *c, struct request *r);
void op_dump(struct control *c, struct request *r);
