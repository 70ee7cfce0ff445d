// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/control_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct badge {
	struct badge *next;
	session_key key;
	char user[DP_USER_MAX], token[DP_USER_MAX];
};

static struct badge **bucket(struct control *c, session_key key)
{
	uint64_t h = key * 0x9e3779b97f4a7c15u;

	return &c->badges.buckets[h >> 32 & (BADGE_BUCKETS - 1)];
}

static void end(struct control *c, session_key key)
{
	struct cmd cmd = {.kind = CMD_KICK, .kick = {.key = key, .reason = CLOSE_REVOKED}};

	post(c, session_key_worker(key), &cmd);
}

// Revoked while its worker was at it?
static bool is_void(const struct control *c, const struct badge *b)
{
	return (b->user[0] && !policy_find(c, DP_POLICY_USER, b->user)) ||
	       (b->token[0] && policy_find(c, DP_POLICY_REVOKED, b->token));
}

void badge_add(struct control *c, session_key key, const char *user, const char *token)
{
	struct badge **head = bucket(c, key), *b;

	if (!user[0] && !token[0])
		return;
	b = calloc(1, sizeof(*b));
	if (!b) {
		end(c, key); // nobody is let in who could not be put out
		return;
	}
	b->key = key;
	b->next = *head;
	*head = b;
	c->badges.n++;
	snprintf(b->user, sizeof(b->user), "%s", user);
	snprintf(b->token, sizeof(b->token), "%s", token);
	if (is_void(c, b))
		end(c, key);
}

void badge_del(struct control *c, session_key key)
{
	struct badge **at = bucket(c, key), *b;

	while (*at && (*at)->key != key)
		at = &(*at)->next;
	b = *at;
	if (!b)
		return;
	*at = b->next;
	c->badges.n--;
	free(b);
}

void badge_end_users(struct control *c, const char *user)
{
	for (uint32_t i = 0; c->badges.n && i < BADGE_BUCKETS; i++)
		for (const struct badge *b = c->badges.buckets[i]; b; b = b->next)
			if (!strcmp(b->user, user))
				end(c, b->key);
}

void badge_end_tokens(struct control *c, const char *token)
{
	for (uint32_t i = 0; c->badges.n && i < BADGE_BUCKETS; i++)
		for (const struct badge *b = c->badges.buckets[i]; b; b = b->next)
			if (!strcmp(b->token, token))
				end(c, b->key);
}

void badge_free_all(struct control *c)
{
	for (uint32_t i = 0; i < BADGE_BUCKETS; i++)
		for (struct badge *b; (b = c->badges.buckets[i]);) {
			c->badges.buckets[i] = b->next;
			free(b);
		}
}
