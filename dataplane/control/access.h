#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What decides who comes in, besides streams and listeners: secrets, users, signing keys, revoked
// tokens (decisions B9, B10), rules of addresses; and who came in by which of them.

#include "ctl/dp/dp_proto.h"
#include "state/event.h"

#include <stdbool.h>
#include <stdint.h>

#define POLICY_BUCKETS 4096u	 // power of two
#define BADGE_BUCKETS (1u << 14) // power of two

struct control;
struct object;
struct admission;
struct badge;

struct policies {
	struct object *buckets[POLICY_BUCKETS];
	uint32_t n_revoked;
};

struct badges {
	struct badge *buckets[BADGE_BUCKETS];
	uint32_t n;
};

// secrets.c. NULL: no id, or it has not come (yet). A pointer is good until the next message of the
// daemon: whoever works on elsewhere takes a copy, and the object's version with it.
const struct object *secret_find(struct control *c, uint64_t id);
void secret_apply(struct control *c, struct object *o);
void secret_remove(struct control *c, struct object *o);

// policies.c. One by its type and name: USER its name, KEY its key id, REVOKED a token id.
const struct dp_policy *policy_find(
	const struct control *c, enum dp_policy_type type, const char *name);
bool policy_covers(const struct dp_policy *p, const char *stream); // is it within the prefix?
// Is there room for it? Those of ended tokens make room first.
bool policy_fits(struct control *c, const struct dp_policy *p);
void policy_apply(struct control *c, struct object *o);
void policy_forget(struct control *c, struct object *o); // its content is about to change
void policy_remove(struct control *c, struct object *o);

// acl.c
bool acl_lets_in(const struct dp_acl *acl, const uint8_t ip[16]);

// badges.c: what sessions came in by, so that revoking it ends them, and with which stream id, to
// be shown. Empty: by none.
void badge_add(struct control *c, session_key key, const struct admission *a);
void badge_del(struct control *c, session_key key);
void badge_show(const struct control *c, struct dp_session *s);
void badge_end_users(struct control *c, const char *user);
void badge_end_tokens(struct control *c, const char *id); // a token's, or of the key that signed it
void badge_free_all(struct control *c);
