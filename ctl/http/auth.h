#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Who is asking, and what they may do. A unix peer is known by its credentials: root, the daemon's
// own user and the admin group may do all, the read group may read. A TCP caller from loopback may
// read when the configuration says so. Bearer tokens for the API are not issued yet: one is
// refused, never passed over.

#include "ctl/http/server.h"

struct endpoint;

#define AUTH_GROUPS_MAX 1024

struct auth_policy {
	uid_t own_uid;
	gid_t admin_gid, read_gid; // (gid_t)-1: no such group on this machine
	bool anonymous_read;
};

void auth_policy_init(struct auth_policy *a, const struct http_config *c);

// Role of a unix peer with these credentials. Pure.
enum http_role auth_unix_role(
	const struct auth_policy *a, uid_t uid, const gid_t *groups, size_t n);

bool auth_is_loopback(const struct endpoint *e);

// Fill in who is at the other end of a connected socket.
void auth_caller(const struct auth_policy *a, int fd, struct http_caller *out);

// May the caller do what needs `needed`? authorization: the header, NULL when not sent. Returns 0,
// or the HTTP status (401, 403) with one sentence in why.
int auth_check(const struct http_caller *c, const char *authorization, enum http_role needed,
	char *why, size_t cap);
