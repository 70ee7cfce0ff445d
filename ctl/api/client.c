// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/api/client.h"

#include "ctl/api/sse.h"

#include <curl/curl.h>

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define TIMEOUT_MS 10000
#define CONNECT_MS 5000
#define ANSWER_MAX (64u << 20) // bytes; more is not an answer of ours
#define SILENCE_S 60	       // the feed says something every 15 s
#define PAGES_MAX 100000       // of a list

struct api_client {
	CURL *curl;
	char *base;  // "http://localhost", or the URL without its last slash
	char *where; // for messages: socket path or URL
	struct curl_slist *headers;
	unsigned timeout_ms;
	long status;
	char etag[128];
	char *answer;
	size_t len;
	struct sse *sse; // while watching
	time_t heard;
};

static enum api_exit fail(struct api_error *err, enum api_exit exit, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static enum api_exit fail(struct api_error *err, enum api_exit exit, const char *fmt, ...)
{
	va_list ap;

	*err = (struct api_error){.exit = exit};
	va_start(ap, fmt);
	vsnprintf(err->detail, sizeof(err->detail), fmt, ap);
	va_end(ap);
	return exit;
}

enum api_exit api_exit_of_status(int status)
{
	switch (status) {
	case 404:
	case 410:
		return API_NOT_FOUND;
	case 409:
	case 412:
		return API_CONFLICT;
	case 401:
	case 403:
	case 421:
	case 429:
		return API_REFUSED;
	case 408:
	case 504:
		return API_TIMEOUT;
	case 503:
		return API_DEGRADED;
	default:
		if (status >= 200 && status < 300)
			return API_OK;
		return status >= 400 && status < 500 ? API_USAGE : API_FAILURE;
	}
}

static size_t on_answer(char *data, size_t size, size_t n, void *arg)
{
	struct api_client *c = arg;
	char *more;

	(void)size;
	c->heard = time(NULL);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &c->status);
	if (c->sse && c->status == 200)
		return sse_feed(c->sse, data, n) ? n : 0;
	if (c->len + n > ANSWER_MAX)
		return 0;
	more = realloc(c->answer, c->len + n + 1);
	if (!more)
		return 0;
	c->answer = more;
	memcpy(c->answer + c->len, data, n);
	c->len += n;
	return n;
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	struct api_client *c = arg;
	size_t at = 5, end = n;

	(void)size;
	if (n < 5 || strncasecmp(data, "ETag:", 5))
		return n;
	while (at < end && isspace((unsigned char)data[at]))
		at++;
	while (end > at && isspace((unsigned char)data[end - 1]))
		end--;
	snprintf(c->etag, sizeof(c->etag), "%.*s", (int)(end - at), data + at);
	return n;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t d, curl_off_t e)
{
	const struct api_client *c = arg;

	(void)a, (void)b, (void)d, (void)e;
	return c->sse && time(NULL) - c->heard > SILENCE_S;
}

static char *read_token(const char *path, struct api_error *err)
{
	char line[4096] = "";
	FILE *f = fopen(path, "re");

	if (!f) {
		fail(err, API_USAGE, "cannot read the token file %s: %s", path, strerror(errno));
		return NULL;
	}
	if (!fgets(line, sizeof(line), f))
		*line = '\0';
	fclose(f);
	line[strcspn(line, " \t\r\n")] = '\0';
	if (*line)
		return strdup(line);
	fail(err, API_USAGE, "the token file %s holds no token", path);
	return NULL;
}

static bool add_header(struct api_client *c, const char *text)
{
	struct curl_slist *more = curl_slist_append(c->headers, text);

	if (more)
		c->headers = more;
	return more;
}

static bool add_token(struct api_client *c, const char *path, struct api_error *err)
{
	char *token = read_token(path, err), *text = NULL;
	bool ok = token && asprintf(&text, "Authorization: Bearer %s", token) > 0 &&
		  add_header(c, text);

	free(token);
	free(text);
	return ok;
}

// "http://HOST:PORT", with or without a slash behind it.
static bool is_origin(const char *url)
{
	const char *host = strstr(url, "://");
	size_t len = host ? strcspn(host + 3, "/?#") : 0;

	if (!len || (strncmp(url, "http://", 7) && strncmp(url, "https://", 8)))
		return false;
	return !host[3 + len] || !strcmp(host + 3 + len, "/");
}

static bool set_base(struct api_client *c, const struct api_target *t, struct api_error *err)
{
	size_t len;

	if (t->url && !is_origin(t->url)) {
		fail(err, API_USAGE, "the URL %s is not http(s)://HOST:PORT", t->url);
		return false;
	}
	c->where = strdup(t->url ? t->url : t->socket);
	c->base = strdup(t->url ? t->url : "http://localhost");
	if (!c->where || !c->base)
		return false;
	len = strlen(c->base);
	if (c->base[len - 1] == '/')
		c->base[len - 1] = '\0';
	return true;
}

// Options that no call changes.
static void set_options(struct api_client *c, const struct api_target *t)
{
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c->curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(c->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c->curl, CURLOPT_XFERINFODATA, c);
	curl_easy_setopt(c->curl, CURLOPT_NOPROGRESS, 0L);
	if (t->cacert)
		curl_easy_setopt(c->curl, CURLOPT_CAINFO, t->cacert);
	if (!t->url) {
		curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, t->socket);
		curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
	}
}

struct api_client *api_client_new(const struct api_target *t, struct api_error *err)
{
	struct api_client *c = calloc(1, sizeof(*c));

	fail(err, API_FAILURE, "out of memory");
	if (!c)
		return NULL;
	c->timeout_ms = t->timeout_ms ? t->timeout_ms : TIMEOUT_MS;
	c->curl = curl_easy_init();
	if (!c->curl || !set_base(c, t, err) || !add_header(c, "Expect:") ||
		(t->token_file && !add_token(c, t->token_file, err))) {
		api_client_free(c);
		return NULL;
	}
	set_options(c, t);
	return c;
}

void api_client_free(struct api_client *c)
{
	if (!c)
		return;
	curl_slist_free_all(c->headers);
	if (c->curl)
		curl_easy_cleanup(c->curl);
	free(c->base);
	free(c->where);
	free(c->answer);
	free(c);
}

const char *api_etag(const struct api_client *c)
{
	return c->etag;
}

int api_status(const struct api_client *c)
{
	return (int)c->status;
}

// No answer came: why, as an exit code and a sentence.
static enum api_exit no_answer(struct api_client *c, CURLcode code, struct api_error *err)
{
	long os = 0;

	curl_easy_getinfo(c->curl, CURLINFO_OS_ERRNO, &os);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return fail(err, API_TIMEOUT, "sluiced at %s did not answer in time", c->where);
	if (code == CURLE_COULDNT_CONNECT && (os == EACCES || os == EPERM))
		return fail(err, API_REFUSED, "no permission to use %s", c->where);
	if (code == CURLE_WRITE_ERROR && c->len)
		return fail(err, API_FAILURE, "the answer of sluiced at %s is too large", c->where);
	return fail(err, API_UNREACHABLE, "cannot reach sluiced at %s: %s", c->where,
		code == CURLE_COULDNT_CONNECT && os ? strerror((int)os) : curl_easy_strerror(code));
}

static enum api_exit refused(struct api_client *c, struct api_error *err)
{
	json_t *doc = c->len ? json_loadb(c->answer, c->len, 0, NULL) : NULL;
	const char *detail = json_string_value(json_object_get(doc, "detail"));
	const char *code = json_string_value(json_object_get(doc, "code"));

	if (detail)
		fail(err, api_exit_of_status((int)c->status), "%s", detail);
	else
		fail(err, api_exit_of_status((int)c->status), "sluiced answered with status %ld",
			c->status);
	err->status = (int)c->status;
	snprintf(err->code, sizeof(err->code), "%s", code ? code : "");
	json_decref(doc);
	return err->exit;
}

static enum api_exit answered(struct api_client *c, json_t **out, struct api_error *err)
{
	json_error_t e;

	if (api_exit_of_status((int)c->status) != API_OK)
		return refused(c, err);
	if (!out || !c->len)
		return API_OK;
	*out = json_loadb(c->answer, c->len, JSON_DECODE_ANY, &e);
	if (*out)
		return API_OK;
	return fail(
		err, API_FAILURE, "the answer of sluiced at %s is not JSON: %s", c->where, e.text);
}

static CURLcode perform(struct api_client *c, const char *path, const char *extra, const char *body)
{
	struct curl_slist *headers = NULL;
	CURLcode code = CURLE_OUT_OF_MEMORY;
	char *url = NULL;

	for (struct curl_slist *h = c->headers; h; h = h->next)
		headers = curl_slist_append(headers, h->data);
	if (body)
		headers = curl_slist_append(headers, "Content-Type: application/json");
	if (extra)
		headers = curl_slist_append(headers, extra);
	if (asprintf(&url, "%s%s", c->base, path) < 0)
		goto out;
	c->len = 0;
	c->status = 0;
	*c->etag = '\0';
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	code = curl_easy_perform(c->curl);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &c->status);
	free(url);
out:
	curl_slist_free_all(headers);
	return code;
}

static void set_method(struct api_client *c, const char *method, const char *body)
{
	curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, NULL);
	curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
	if (body) {
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body);
	}
	curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, (long)c->timeout_ms);
	curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(c->timeout_ms < CONNECT_MS ? c->timeout_ms : CONNECT_MS));
}

enum api_exit api_call_match(struct api_client *c, const char *method, const char *path,
	const char *etag, const json_t *body, json_t **out, struct api_error *err)
{
	char *text = body ? json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	char match[160];
	CURLcode code;

	if (out)
		*out = NULL;
	*err = (struct api_error){0};
	snprintf(match, sizeof(match), "If-Match: %s", etag ? etag : "");
	set_method(c, method, text);
	code = perform(c, path, etag ? match : NULL, text);
	free(text);
	return code ? no_answer(c, code, err) : answered(c, out, err);
}

enum api_exit api_call(struct api_client *c, const char *method, const char *path,
	const json_t *body, json_t **out, struct api_error *err)
{
	return api_call_match(c, method, path, NULL, body, out, err);
}

// path with cursor= behind it; the caller frees it.
static char *page_path(struct api_client *c, const char *path, const char *cursor)
{
	char *escaped = curl_easy_escape(c->curl, cursor, 0), *out = NULL;

	if (escaped &&
		asprintf(&out, "%s%ccursor=%s", path, strchr(path, '?') ? '&' : '?', escaped) < 0)
		out = NULL;
	curl_free(escaped);
	return out;
}

enum api_exit api_list(struct api_client *c, const char *path, json_t **out, struct api_error *err)
{
	json_t *all = json_array(), *page = NULL;
	char *at = strdup(path);
	enum api_exit rc = API_OK;

	*out = NULL;
	for (int i = 0; at && i < PAGES_MAX; i++) {
		const char *next;

		rc = api_call(c, "GET", at, NULL, &page, err);
		free(at);
		at = NULL;
		if (rc)
			break;
		json_array_extend(all, json_object_get(page, "items"));
		next = json_string_value(json_object_get(page, "next"));
		at = next ? page_path(c, path, next) : NULL;
		json_decref(page);
	}
	free(at);
	if (rc)
		json_decref(all);
	else
		*out = all;
	return rc;
}

char *api_path(const char *collection, const char *name)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = malloc(strlen(collection) + 3 * (name ? strlen(name) : 0) + 8), *at = out;

	if (!out)
		return NULL;
	at += sprintf(at, "/v1/%s%s", collection, name ? "/" : "");
	for (; name && *name; name++) {
		unsigned char ch = (unsigned char)*name;

		if ((ch < 0x80 && isalnum(ch)) || strchr("._-~/", ch)) {
			*at++ = (char)ch;
			continue;
		}
		*at++ = '%';
		*at++ = hex[ch >> 4];
		*at++ = hex[ch & 15];
	}
	*at = '\0';
	return out;
}

enum api_exit api_watch(struct api_client *c, const char *path, const char *last_id,
	api_event_cb cb, void *arg, struct api_error *err)
{
	struct sse sse = {.cb = cb, .arg = arg};
	char resume[160];
	CURLcode code;

	*err = (struct api_error){0};
	snprintf(resume, sizeof(resume), "Last-Event-ID: %s", last_id ? last_id : "");
	set_method(c, "GET", NULL);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, 0L);
	c->sse = &sse;
	c->heard = time(NULL);
	code = perform(c, path, last_id ? resume : NULL, NULL);
	c->sse = NULL;
	sse_fini(&sse);
	if (sse.stopped)
		return API_OK;
	if (!code && c->status != 200)
		return refused(c, err);
	if (!code)
		return fail(err, API_UNREACHABLE, "sluiced at %s ended the feed", c->where);
	return no_answer(c, code, err);
}
