// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/streamid.h"

#include "proto/percent.h"
#include "proto/streamid_priv.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

bool stream_name_ok(const char *name)
{
	const char *p = name;

	for (;;) {
		const char *segment = p;
		size_t n;

		while (name_char(*p))
			p++;
		n = (size_t)(p - segment);
		if (!n || (n <= 2 && !strncmp(segment, "..", n)))
			return false;
		if (!*p)
			return p - name <= STREAM_NAME_MAX;
		if (*p++ != '/')
			return false;
	}
}

// Copy a field of len bytes; a second one, or one that does not fit, is a fault.
int streamid_field_set(char *field, size_t cap, const char *s, size_t len)
{
	if (*field || len >= cap)
		return STREAMID_E_SYNTAX;
	memcpy(field, s, len);
	field[len] = '\0';
	return 0;
}

// Behind a name, as SRS takes it: [sluice_]token=.., all else is somebody else's.
int streamid_query_set(struct streamid *id, const char *p, const char *end)
{
	while (p < end) {
		const char *amp = memchr(p, '&', (size_t)(end - p));
		const char *stop = amp ? amp : end;
		size_t skip = stop - p >= 7 && !memcmp(p, "sluice_", 7) ? 7 : 0;
		int rc = 0;

		if ((size_t)(stop - p) >= skip + 6 && !memcmp(p + skip, "token=", 6))
			rc = streamid_field_set(id->token, sizeof(id->token), p + skip + 6,
				(size_t)(stop - p) - skip - 6);
		if (rc)
			return rc;
		p = amp ? amp + 1 : end;
	}
	return 0;
}

int streamid_name_set(struct streamid *id, const char *s, size_t len, bool decoded)
{
	const char *query = memchr(s, '?', len);
	char name[STREAMID_TEXT_MAX + 1];
	size_t n;
	int rc = query ? streamid_query_set(id, query + 1, s + len) : 0;

	if (rc || *id->name)
		return STREAMID_E_SYNTAX;
	len = query ? (size_t)(query - s) : len;
	if (decoded) {
		n = len;
		memcpy(name, s, len);
		name[len] = '\0';
	} else if (percent_decode(s, len, name, sizeof(name), &n)) {
		return STREAMID_E_NAME;
	}
	if (strlen(name) != n)
		return STREAMID_E_NAME;
	while (n && name[n - 1] == '/')
		name[--n] = '\0';
	s = name + strspn(name, "/");
	if (!*s)
		return 0; // none given
	if (!stream_name_ok(s))
		return STREAMID_E_NAME;
	return streamid_field_set(id->name, sizeof(id->name), s, strlen(s));
}

static bool is_word(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && !strncasecmp(s, word, len);
}

int streamid_mode_set(struct streamid *id, const char *s, size_t len)
{
	if (id->mode != STREAMID_UNSET)
		return STREAMID_E_SYNTAX;
	if (is_word(s, len, "publish"))
		id->mode = STREAMID_PUBLISH;
	else if (is_word(s, len, "request"))
		id->mode = STREAMID_PLAY;
	else
		return STREAMID_E_MODE;
	return 0;
}

struct standard {
	struct streamid *id;
	bool decoded;
	const char *token; // key of it, beside ours
	const char *host;  // value of h=, NULL: none
	size_t host_len;
};

// One key=value of the standard form.
static int pair_set(struct standard *f, const char *k, size_t klen, const char *v, size_t vlen)
{
	struct streamid *id = f->id;

	if (is_word(k, klen, "sluice_token") || is_word(k, klen, f->token))
		return streamid_field_set(id->token, sizeof(id->token), v, vlen);
	if (klen != 1)
		return klen ? 0 : STREAMID_E_SYNTAX;
	switch (*k) {
	case 'r':
		return streamid_name_set(id, v, vlen, f->decoded);
	case 'm':
		return streamid_mode_set(id, v, vlen);
	case 'u':
		return streamid_field_set(id->user, sizeof(id->user), v, vlen);
	case 's':
		return streamid_field_set(id->session, sizeof(id->session), v, vlen);
	case 't':
		return is_word(v, vlen, "stream") ? 0 : STREAMID_E_MODE;
	case 'h': // one relay, many host names: all the same
		f->host = v;
		f->host_len = vlen;
		return 0;
	default:
		return STREAMID_E_KEY;
	}
}

// Before r= there was h=[vhost/]app/stream, which SRS still takes.
static int name_of_host(struct standard *f)
{
	const char *end = f->host + f->host_len;
	const char *query = memchr(f->host, '?', f->host_len), *stop = query ? query : end;
	const char *slash = memchr(f->host, '/', (size_t)(stop - f->host));
	bool vhost = slash && memchr(slash + 1, '/', (size_t)(stop - slash - 1));

	if (!slash)
		return 0;
	if (vhost)
		f->host = slash + 1;
	return streamid_name_set(f->id, f->host, (size_t)(end - f->host), f->decoded);
}

// k=v,k=v up to end.
static int parse_standard(struct standard *f, const char *p, const char *end)
{
	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *stop = comma ? comma : end;
		const char *equals = memchr(p, '=', (size_t)(stop - p));
		int rc;

		if (!equals)
			return STREAMID_E_SYNTAX;
		rc = pair_set(f, p, (size_t)(equals - p), equals + 1, (size_t)(stop - equals - 1));
		if (rc)
			return rc;
		p = comma ? comma + 1 : end;
	}
	return !*f->id->name && f->host ? name_of_host(f) : 0;
}

static int parse_any(
	struct streamid *id, const char *p, const char *end, bool decoded, uint32_t dialects)
{
	struct standard f = {.id = id, .decoded = decoded, .token = "sluice_token"};
	size_t len = (size_t)(end - p);

	if (len >= 4 && !memcmp(p, "#!::", 4))
		return parse_standard(&f, p + 4, end);
	dialects = dialects ? dialects : STREAMID_DEFAULT;
	if (len > 3 && !memcmp(p, "#!:", 3) && p[3] != '{' &&
		dialects & 1u << STREAMID_RESTREAMER) {
		f.token = "token";
		return parse_standard(&f, p + 3, end);
	}
	if (len >= 2 && !memcmp(p, "#!", 2)) // the nested form, or no form at all
		return STREAMID_E_SYNTAX;
	if (!len)
		return 0; // nothing is said
	return streamid_dialects(id, p, end, decoded, dialects);
}

// "#!" with at least one of the two percent-encoded: the whole is. So is what holds none of the
// characters that part the forms. (Slashes are left as they are by many who encode.)
static bool encoded_whole(const char *p, size_t len)
{
	size_t plain = strcspn(p, "#!:,=?");

	return (len >= 4 && (!strncmp(p, "#%21", 4) || !strncmp(p, "%23!", 4))) ||
	       (plain >= len && memchr(p, '%', len));
}

int streamid_unwrap(const char *text, struct streamid_text *out)
{
	const char *p = text + strspn(text, " \t\r\n");
	size_t len = strlen(p);

	if (len > STREAMID_TEXT_MAX)
		return STREAMID_E_SYNTAX;
	while (len && strchr(" \t\r\n", p[len - 1]))
		len--;
	out->decoded = encoded_whole(p, len);
	if (out->decoded && percent_decode(p, len, out->buf, sizeof(out->buf), &len))
		return STREAMID_E_SYNTAX;
	out->p = out->decoded ? out->buf : p;
	out->end = out->p + len;
	return 0;
}

int streamid_parse(const char *text, uint32_t dialects, struct streamid *out)
{
	struct streamid id = {0};
	struct streamid_text t;
	int rc = streamid_unwrap(text, &t);

	if (!rc)
		rc = parse_any(&id, t.p, t.end, t.decoded, dialects);
	if (!rc)
		*out = id;
	return rc;
}

const char *streamid_error_str(int error)
{
	switch (error) {
	case STREAMID_E_SYNTAX:
		return "the stream id is malformed";
	case STREAMID_E_NAME:
		return "the stream id names no valid stream";
	case STREAMID_E_MODE:
		return "the stream id asks for a mode or type that is not served";
	case STREAMID_E_KEY:
		return "the stream id has an unknown key of one letter";
	case STREAMID_E_DIALECT:
		return "the stream id is of a form that this listener does not take";
	default:
		return "the stream id is good";
	}
}

int streamid_reject_code(int error)
{
	switch (error) {
	case STREAMID_E_MODE:
		return 2405;
	case STREAMID_E_KEY:
		return 2001;
	default:
		return 2400;
	}
}
