// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Stream ids as other servers have them (conventions 2.2).

#include "proto/streamid_priv.h"

#include <string.h>

static const char *const names[STREAMID_DIALECTS] = {
	[STREAMID_SLUICE] = "sluice",
	[STREAMID_SRS] = "srs",
	[STREAMID_MEDIAMTX] = "mediamtx",
	[STREAMID_SRTRELAY] = "srtrelay",
	[STREAMID_SLS] = "sls",
	[STREAMID_OPENIRL] = "openirl",
	[STREAMID_OME] = "ome",
	[STREAMID_RESTREAMER] = "restreamer",
};

const char *streamid_dialect_name(int dialect)
{
	return dialect >= 0 && dialect < STREAMID_DIALECTS ? names[dialect] : NULL;
}

int streamid_dialect_find(const char *name)
{
	for (int i = 0; i < STREAMID_DIALECTS; i++)
		if (!strcmp(name, names[i]))
			return i;
	return -1;
}

struct text {
	const char *p, *end;
	bool decoded;
};

static const char *find(const struct text *t, char c)
{
	return memchr(t->p, c, (size_t)(t->end - t->p));
}

static bool begins(const struct text *t, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(t->end - t->p) >= n && !memcmp(t->p, word, n);
}

static int rest_is_name(struct streamid *id, const struct text *t)
{
	return streamid_name_set(id, t->p, (size_t)(t->end - t->p), t->decoded);
}

// The comma before the next mode: or token:, for a token may hold others.
static const char *find_next(struct text t)
{
	const char *comma;

	for (; (comma = find(&t, ',')); t.p = comma + 1) {
		struct text behind = {comma + 1, t.end, t.decoded};

		if (begins(&behind, "mode:") || begins(&behind, "token:"))
			break;
	}
	return comma;
}

// name[,mode:publish|request][,token:x]: neither comma nor colon is part of a name.
static int restreamer(struct streamid *id, struct text t)
{
	const char *comma = find(&t, ',');
	int rc = streamid_name_set(id, t.p, (size_t)((comma ? comma : t.end) - t.p), t.decoded);

	while (!rc && comma) {
		const char *stop;

		t.p = comma + 1;
		comma = find_next(t);
		stop = comma ? comma : t.end;
		if (begins(&t, "mode:"))
			rc = streamid_mode_set(id, t.p + 5, (size_t)(stop - t.p - 5));
		else if (begins(&t, "token:"))
			rc = streamid_field_set(
				id->token, sizeof(id->token), t.p + 6, (size_t)(stop - t.p - 6));
		else
			rc = STREAMID_E_SYNTAX;
	}
	return rc;
}

// name[:user:password][:query]
static int with_colons(struct streamid *id, struct text t)
{
	struct text part[4] = {{t.p, t.end, t.decoded}};
	unsigned n = 1;
	int rc;

	for (const char *colon; (colon = find(&part[n - 1], ':')); n++) {
		if (n == 4)
			return STREAMID_E_SYNTAX;
		part[n - 1].end = colon;
		part[n] = (struct text){colon + 1, t.end, t.decoded};
	}
	rc = rest_is_name(id, &part[0]);
	if (!rc && n >= 3)
		rc = streamid_field_set(
			id->user, sizeof(id->user), part[1].p, (size_t)(part[1].end - part[1].p));
	if (!rc && n >= 3)
		rc = streamid_field_set(id->session, sizeof(id->session), part[2].p,
			(size_t)(part[2].end - part[2].p));
	if (!rc && n % 2 == 0)
		rc = streamid_query_set(id, part[n - 1].p, part[n - 1].end);
	return rc;
}

// name[/password]
static int srtrelay(struct streamid *id, struct text t)
{
	const char *slash = find(&t, '/');
	int rc = streamid_name_set(id, t.p, (size_t)((slash ? slash : t.end) - t.p), t.decoded);

	if (rc || !slash)
		return rc;
	return streamid_field_set(
		id->session, sizeof(id->session), slash + 1, (size_t)(t.end - slash - 1));
}

static const struct action {
	const char *prefix;
	enum streamid_mode mode;
} actions[] = {
	{"publish:", STREAMID_PUBLISH},
	{"publish/", STREAMID_PUBLISH},
	{"play:", STREAMID_PLAY},
	{"play/", STREAMID_PLAY},
	{"read:", STREAMID_PLAY},
	{"request:", STREAMID_PLAY},
};

#define BIT(d) (1u << (d))

// Returns 1 when it begins with no action that is taken.
static int action(struct streamid *id, struct text t, uint32_t dialects)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		size_t n = strlen(actions[i].prefix);
		bool colon = actions[i].prefix[n - 1] == ':';

		if (!begins(&t, actions[i].prefix))
			continue;
		id->mode = actions[i].mode;
		t.p += n;
		if (colon && dialects & BIT(STREAMID_MEDIAMTX))
			return with_colons(id, t);
		if (colon && dialects & BIT(STREAMID_SLUICE))
			return find(&t, ':') ? STREAMID_E_DIALECT : rest_is_name(id, &t);
		if (!colon && dialects & BIT(STREAMID_SRTRELAY)) // never taken unasked
			return srtrelay(id, t);
		if (!colon && dialects & BIT(STREAMID_SLUICE))
			return with_colons(id, t);
		id->mode = STREAMID_UNSET;
	}
	return 1;
}

static unsigned slashes(const struct text *t)
{
	unsigned n = 0;

	for (const char *p = t->p; p < t->end && *p != '?'; p++)
		n += *p == '/';
	return n;
}

// A domain of this first word: numbered (live-1.) or with more behind it; alone only where nothing
// else may stand.
static bool domain_of(const struct text *t, const char *word, bool only)
{
	size_t n = strlen(word);

	return begins(t, word) && t->p + n < t->end && strchr(only ? ".-/" : ".-", t->p[n]);
}

// domain/app/stream. Where nobody asked for this form only the domains of its own documentation are
// taken for one, for a plain name may stand here too; where it is named, any uplive and live are.
static int sls(struct streamid *id, struct text t, uint32_t dialects)
{
	bool only = !(dialects & (BIT(STREAMID_SLUICE) | BIT(STREAMID_SRS)));
	bool named = dialects != STREAMID_DEFAULT;

	if (slashes(&t) != 2)
		return 1;
	if (begins(&t, "uplive.sls.com/") || (named && domain_of(&t, "uplive", only)))
		id->mode = STREAMID_PUBLISH;
	else if (begins(&t, "live.sls.com/") || (named && domain_of(&t, "live", only)))
		id->mode = STREAMID_PLAY;
	else if (!only)
		return 1;
	t.p = find(&t, '/') + 1;
	return rest_is_name(id, &t);
}

// vhost/app/stream, with a playlist behind it for players; srt://host[:port]/app/stream.
static int ome(struct streamid *id, struct text t)
{
	const char *query = find(&t, '?');
	unsigned n = slashes(&t);

	if (begins(&t, "srt://")) {
		t.p += 6;
		t.p = find(&t, '/') ? find(&t, '/') : t.end;
		return slashes(&t) == 2 ? rest_is_name(id, &t) : STREAMID_E_DIALECT;
	}
	if (n == 3) {
		int rc = query ? streamid_query_set(id, query + 1, t.end) : 0;

		if (rc)
			return rc;
		t.end = query ? query : t.end;
		while (*--t.end != '/')
			;
		id->mode = STREAMID_PLAY;
	}
	return n == 2 || n == 3 ? rest_is_name(id, &t) : 1;
}

int streamid_dialects(
	struct streamid *id, const char *p, const char *end, bool decoded, uint32_t dialects)
{
	const uint32_t plain = BIT(STREAMID_SLUICE) | BIT(STREAMID_SRS) | BIT(STREAMID_OPENIRL) |
			       BIT(STREAMID_RESTREAMER);
	struct text t = {p, end, decoded};
	int rc = 1;

	if (find(&t, ','))
		return dialects & BIT(STREAMID_RESTREAMER) ? restreamer(id, t) : STREAMID_E_DIALECT;
	rc = action(id, t, dialects);
	while (t.p < t.end && *t.p == '/')
		t.p++;
	while (t.p < t.end && t.end[-1] == '/')
		t.end--;
	if (rc > 0 && dialects & BIT(STREAMID_SLS))
		rc = sls(id, t, dialects);
	if (rc > 0 && dialects & BIT(STREAMID_OME))
		rc = ome(id, t);
	if (rc > 0)
		rc = dialects & plain ? rest_is_name(id, &t) : STREAMID_E_DIALECT;
	return rc;
}
