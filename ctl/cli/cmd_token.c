// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/nouns.h"
#include "ctl/cli/object.h"

#include "proto/streamid.h"

#include <string.h>

static const struct out_col list_cols[] = {
	{"ID", "id"}, {"REVOKED", "revoked"}, {"UNTIL", "until"}};

static const struct out_col record[] = {
	{"token", "token"},
	{"stream id", "stream_id"},
	{"id", "id"},
	{"until", "until"},
};

static const struct out_view made = {OUT_RECORD, NULL, NULL, record, NOUN_COUNT(record)};

static const struct object token = {
	.noun = "token",
	.list = {OUT_TABLE, "items", NULL, list_cols, NOUN_COUNT(list_cols), "no revoked tokens"},
};

static int create(struct cli *c)
{
	json_t *doc;
	int rc = cli_call(c, "POST", "tokens", NULL, NULL, c->call->doc, &doc);

	if (!rc)
		out_document(c->out, doc, &made, 1);
	json_decref(doc);
	return rc;
}

// Of a stream id the token in it.
static const char *token_in(const char *text, struct streamid *id)
{
	return strpbrk(text, "#,=%?") && !streamid_parse(text, 0, id) && *id->token ? id->token
										    : text;
}

// An id, a whole token, which holds slashes and colons, or a stream id with one; nothing that leads
// elsewhere in the API.
static int revoke(struct cli *c)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-:/";
	const char *query = cmd_value(c->call, "own-id") ? "own_id=true" : NULL;
	struct streamid id;
	const char *what = token_in(c->call->args[0], &id);
	json_t *doc = NULL;
	int rc;

	if (what[strspn(what, set)] || strstr(what, "..") || *what == '.') {
		out_say(c->out, "that is neither a token nor a token's id");
		return API_USAGE;
	}
	rc = cli_call(c, "DELETE", "tokens", what, query, NULL, &doc);
	if (!rc)
		out_done(c->out, doc, "token %s revoked",
			json_string_value(json_object_get(doc, "id")));
	json_decref(doc);
	return rc;
}

static const struct cmd cmd_create = {
	.name = "create",
	.help = "sign a token that lets its holder into one stream",
	.more = "Nothing is stored: the newest key for the stream signs. A platform that has the "
		"key\n"
		"(key show) can sign by itself.",
	.noun = "token",
	.fields = CMD_FIELDS_NEW,
	.run = create,
};
static const struct cmd cmd_list =
	OBJECT_LIST(token, "revoked tokens that have not ended, and keys");
static const struct cmd_flag revoke_flags[] = {
	{.name = "own-id", .help = "ID is of a form that your own signer gives"}, {.name = NULL}};
static const struct cmd cmd_revoke = {
	.name = "revoke",
	.help = "let a token in no more, and close what it let in",
	.more = "ID is 12 hex digits, as sub show and pub show tell of a session; TOKEN the whole\n"
		"token, or a stream id that holds it.",
	.noun = "token",
	.fields = CMD_FIELDS_ID,
	.flags = revoke_flags,
	.run = revoke,
};
static const struct cmd *const subs[] = {&cmd_create, &cmd_list, &cmd_revoke, NULL};

const struct cmd cmd_token = {.name = "token", .help = "who holds one may come in", .subs = subs};
