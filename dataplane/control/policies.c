// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/control_priv.h"

#include <string.h>
#include <time.h>

// FNV-1a, 32 bits.
static uint32_t hash(uint32_t type, const char *name)
{
	uint32_t h = (2166136261u ^ type) * 16777619u;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h;
}

static uint32_t bucket(uint32_t type, const char *name)
{
	return hash(type, name) & (POLICY_BUCKETS - 1);
}

const struct dp_policy *policy_find(
	const struct control *c, enum dp_policy_type type, const char *name)
{
	const struct object *o = c->policies.buckets[bucket(type, name)];

	while (o && (o->policy.type != (uint32_t)type || strcmp(o->policy.name, name) != 0))
		o = o->next;
	return o ? &o->policy : NULL;
}

bool policy_covers(const struct dp_policy *p, const char *stream)
{
	return !strncmp(stream, p->prefix, strlen(p->prefix));
}

void policy_forget(struct control *c, struct object *o)
{
	struct object **at = &c->policies.buckets[bucket(o->policy.type, o->policy.name)];

	while (*at && *at != o)
		at = &(*at)->next;
	if (!*at)
		return; // it was wrong, or it has ended
	*at = o->next;
	c->policies.n_revoked -= o->policy.type == DP_POLICY_REVOKED;
}

// A token that has ended is refused without its revocation.
static void forget_ended(struct control *c)
{
	uint64_t now_s = (uint64_t)time(NULL);

	for (uint32_t i = 0; i < POLICY_BUCKETS; i++)
		for (struct object *o = c->policies.buckets[i], *next; o; o = next) {
			next = o->next;
			if (o->policy.type == DP_POLICY_REVOKED && o->policy.until_s <= now_s)
				policy_forget(c, o);
		}
}

bool policy_fits(struct control *c, const struct dp_policy *p)
{
	if (p->type != DP_POLICY_REVOKED || c->policies.n_revoked < DP_REVOKED_MAX)
		return true;
	forget_ended(c);
	return c->policies.n_revoked < DP_REVOKED_MAX;
}

void policy_apply(struct control *c, struct object *o)
{
	struct object **head = &c->policies.buckets[bucket(o->policy.type, o->policy.name)];

	policy_forget(c, o); // applied again, it may stand there
	o->next = *head;
	*head = o;
	object_state(c, o, DP_OBJ_ACTIVE, "");
	if (o->policy.type != DP_POLICY_REVOKED)
		return;
	c->policies.n_revoked++;
	badge_end_tokens(c, o->policy.name);
}

// A key that goes takes no sessions with it: rotating keys drops the oldest one, and who came by it
// has done nothing. Where a key is revoked its id is, as a token's would be.
void policy_remove(struct control *c, struct object *o)
{
	policy_forget(c, o);
	if (o->policy.type == DP_POLICY_USER)
		badge_end_users(c, o->policy.name);
}
