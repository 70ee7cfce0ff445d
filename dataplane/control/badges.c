// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/control_priv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct badge {
	struct badge *next;
	session_key key;
	uint8_t token_at, kid_at, shown_at;
	char text[]; // user, token, key of the token, stream id, each with its end: few have all
};

static const char *token_of(const struct badge *b)
{
	return b->text + b->token_at;
}

static const char *kid_of(const struct badge *b)
{
	return b->text + b->kid_at;
}

static const char *shown_of(const struct badge *b)
{
	return b->text + b->shown_at;
}

static uint32_t bucket_of(session_key key)
{
	return (key * 0x9e3779b97f4a7c15u) >> 32 & (BADGE_BUCKETS - 1);
}

static void end(struct control *c, session_key key)
{
	struct cmd cmd = {.kind = CMD_KICK, .kick = {.key = key, .reason = DP_CLOSE_REVOKED}};

	post(c, session_key_worker(key), &cmd);
}

// Revoked while its worker was at it?
static bool is_void(const struct control *c, const struct badge *b)
{
	return (*b->text && !policy_find(c, DP_POLICY_USER, b->text)) ||
	       (*token_of(b) && policy_find(c, DP_POLICY_REVOKED, token_of(b))) ||
	       (*kid_of(b) && policy_find(c, DP_POLICY_REVOKED, kid_of(b)));
}

static_assert(DP_USER_MAX + DP_TOKEN_MAX + DP_KID_MAX <= UINT8_MAX);

static struct badge *badge_new(session_key key, const struct admission *a)
{
	size_t token_at = strlen(a->user) + 1, kid_at = token_at + strlen(a->token) + 1,
	       shown_at = kid_at + strlen(a->kid) + 1;
	struct badge *b = malloc(sizeof(*b) + shown_at + strlen(a->shown) + 1);

	if (!b)
		return NULL;
	*b = (struct badge){.key = key,
		.token_at = (uint8_t)token_at,
		.kid_at = (uint8_t)kid_at,
		.shown_at = (uint8_t)shown_at};
	strcpy(b->text, a->user);
	strcpy(b->text + token_at, a->token);
	strcpy(b->text + kid_at, a->kid);
	strcpy(b->text + shown_at, a->shown);
	return b;
}

void badge_add(struct control *c, session_key key, const struct admission *a)
{
	bool may_be_revoked = a->user[0] || a->token[0];
	struct badge **head = &c->badges.buckets[bucket_of(key)], *b;

	if (!may_be_revoked && !a->shown[0])
		return;
	b = badge_new(key, a);
	if (!b) {
		if (may_be_revoked)
			end(c, key); // nobody is let in who could not be put out
		return;
	}
	b->next = *head;
	*head = b;
	c->badges.n++;
	if (is_void(c, b))
		end(c, key);
}

void badge_del(struct control *c, session_key key)
{
	struct badge **at = &c->badges.buckets[bucket_of(key)], *b;

	while (*at && (*at)->key != key)
		at = &(*at)->next;
	b = *at;
	if (!b)
		return;
	*at = b->next;
	c->badges.n--;
	free(b);
}

void badge_show(const struct control *c, struct dp_session *s)
{
	const struct badge *b = c->badges.buckets[bucket_of(s->key)];

	while (b && b->key != s->key)
		b = b->next;
	if (!b)
		return;
	snprintf(s->user, sizeof(s->user), "%s", b->text);
	snprintf(s->token, sizeof(s->token), "%s", token_of(b));
	snprintf(s->kid, sizeof(s->kid), "%s", kid_of(b));
	snprintf(s->streamid, sizeof(s->streamid), "%s", shown_of(b));
}

void badge_end_users(struct control *c, const char *user)
{
	for (uint32_t i = 0; c->badges.n && i < BADGE_BUCKETS; i++)
		for (const struct badge *b = c->badges.buckets[i]; b; b = b->next)
			if (!strcmp(b->text, user))
				end(c, b->key);
}

void badge_end_tokens(struct control *c, const char *id)
{
	for (uint32_t i = 0; c->badges.n && i < BADGE_BUCKETS; i++)
		for (const struct badge *b = c->badges.buckets[i]; b; b = b->next)
			if (!strcmp(token_of(b), id) || !strcmp(kid_of(b), id))
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
