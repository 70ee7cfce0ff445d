#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Operations of the dataplane protocol: one table, one function each, in families (ops_*.c).

#include "control/control_priv.h"
#include "ctl/dp/dp_wire.h"

struct request {
	struct client *from;
	struct dp_reader *body;
	int status; // of the ACK
	char error[DP_ERROR_MAX];
	uint32_t held;
	bool answered; // by another message than ACK
};

// Say why not. Returns status.
int request_fail(struct request *r, int status, const char *why);

void op_hello(struct control *c, struct request *r);
void op_sync_begin(struct control *c, struct request *r);
void op_sync_commit(struct control *c, struct request *r);
void op_obj_set(struct control *c, struct request *r);
void op_obj_del(struct control *c, struct request *r);
void op_kick(struct control *c, struct request *r);
void op_log(struct control *c, struct request *r);
void op_dump(struct control *c, struct request *r);
