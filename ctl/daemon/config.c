// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/config.h"

#include "base/endpoint.h"
#include "base/rundir.h"
#include "ctl/api/resource_check.h"
#include "ctl/api/resources.h"
#include "ctl/daemon/config_doc.h"
#include "ctl/daemon/options.h"
#include "ctl/http/auth.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME_MAX_LEN 63u
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define LISTEN_DEFAULT "127.0.0.1:8680"

struct loading {
	struct config *c;
	const struct options *o;
	struct config_doc doc;
	char *err;
	size_t cap;
};

// One setting: where it may come from, and how its text is checked (0, or one sentence in err).
struct setting {
	const char *name, *flag, *env;
	const char *given; // by flag
	char **out;
	int (*check)(const char *text, char *err, size_t cap);
};

static int check_name(const char *text, char *err, size_t cap)
{
	size_t len = strlen(text);

	if (len && len <= NAME_MAX_LEN && strspn(text, NAME_CHARS) == len && *text != '.' &&
		*text != '-')
		return 0;
	snprintf(err, cap,
		"a name is made of A-Z a-z 0-9 . _ -, at most %u bytes, not beginning with . or -",
		NAME_MAX_LEN);
	return -EINVAL;
}

static int check_store(const char *text, char *err, size_t cap)
{
	static const char scheme[] = "sqlite:///";

	if (!strncmp(text, scheme, sizeof(scheme) - 1) && text[sizeof(scheme) - 1])
		return 0;
	snprintf(err, cap, "a store is sqlite:///PATH of a file");
	return -EINVAL;
}

static int check_socket(const char *text, char *err, size_t cap)
{
	if (*text && strlen(text) < sizeof(((struct sockaddr_un *)0)->sun_path))
		return 0;
	snprintf(err, cap, "the path is %s", *text ? "too long for a socket" : "empty");
	return -EINVAL;
}

static int check_listen(const char *text, char *err, size_t cap)
{
	struct endpoint e;

	if (!strcmp(text, "none"))
		return 0;
	if (endpoint_parse(text, &e)) {
		snprintf(err, cap, "an address is ADDR:PORT or [ADDR]:PORT, or none");
		return -EINVAL;
	}
	if (auth_is_loopback(&e))
		return 0;
	snprintf(err, cap, "only loopback is served without TLS, which this version does not have");
	return -EINVAL;
}

static const char *env_of(const char *name)
{
	const char *v = name ? getenv(name) : NULL;

	return v && *v ? v : NULL;
}

// Say what is wrong with a setting in the place it came from.
static int complain(
	const struct loading *l, const struct setting *s, const char *text, const char *why)
{
	char at[PATH_MAX + 32];

	if (s->given)
		snprintf(at, sizeof(at), "--%s ", s->flag);
	else if (env_of(s->env))
		snprintf(at, sizeof(at), "%s=", s->env);
	else if (config_doc_setting(&l->doc, s->name))
		config_doc_at(&l->doc, s->name, at, sizeof(at));
	else
		snprintf(at, sizeof(at), "%s ", s->name);
	snprintf(l->err, l->cap, "%s%.128s: %s", at, text, why);
	return -EINVAL;
}

static int keep(const struct loading *l, const struct setting *s, const char *text, char **out)
{
	char why[256];

	if (s->check(text, why, sizeof(why)))
		return complain(l, s, text, why);
	*out = strdup(text);
	return *out ? 0 : -ENOMEM;
}

static int load_text(const struct loading *l, const struct setting *s, const char *fallback)
{
	const char *text = s->given ? s->given : env_of(s->env);

	if (!text)
		text = json_string_value(config_doc_setting(&l->doc, s->name));
	return keep(l, s, text ? text : fallback, s->out);
}

// A NULL-terminated copy, each text checked.
static int keep_list(const struct loading *l, const struct setting *s, const char *const *texts,
	size_t n, char ***out)
{
	char **list = calloc(n + 1, sizeof(*list));
	int rc = list ? 0 : -ENOMEM;

	*out = list;
	for (size_t i = 0; i < n && !rc; i++)
		rc = keep(l, s, texts[i], &list[i]);
	return rc;
}

static int keep_json(const struct loading *l, const struct setting *s, const json_t *v, char ***out)
{
	size_t n = json_is_array(v) ? json_array_size(v) : 1;
	const char **texts = calloc(n + 1, sizeof(*texts));
	int rc;

	if (!texts)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		texts[i] = json_string_value(json_is_array(v) ? json_array_get(v, i) : v);
	rc = keep_list(l, s, texts, n, out);
	free(texts);
	return rc;
}

// SLUICE_LISTEN="127.0.0.1:8680 [::1]:8680"
static int keep_words(
	const struct loading *l, const struct setting *s, const char *text, char ***out)
{
	const char *words[OPTIONS_LISTEN_MAX + 1];
	char *copy = strdup(text), *save = NULL;
	size_t n = 0;
	int rc;

	for (char *w = strtok_r(copy, " ,", &save); w && n < OPTIONS_LISTEN_MAX;
		w = strtok_r(NULL, " ,", &save))
		words[n++] = w;
	rc = copy ? keep_list(l, s, words, n, out) : -ENOMEM;
	free(copy);
	return rc;
}

static size_t count(const char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

// "none" stands for no address at all.
static void drop_none(char **list)
{
	size_t n = 0;

	for (size_t i = 0; list[i]; i++) {
		if (strcmp(list[i], "none"))
			list[n++] = list[i];
		else
			free(list[i]);
	}
	list[n] = NULL;
}

static int load_listen(const struct loading *l)
{
	static const char *const fallback[] = {LISTEN_DEFAULT};
	struct setting s = {.name = "listen",
		.flag = "listen",
		.env = "SLUICE_LISTEN",
		.given = l->o->listen[0],
		.check = check_listen};
	const json_t *v = config_doc_setting(&l->doc, "listen");
	int rc;

	if (s.given)
		rc = keep_list(l, &s, l->o->listen, count(l->o->listen), &l->c->listen);
	else if (env_of(s.env))
		rc = keep_words(l, &s, env_of(s.env), &l->c->listen);
	else if (v)
		rc = keep_json(l, &s, v, &l->c->listen);
	else
		rc = keep_list(l, &s, fallback, 1, &l->c->listen);
	if (!rc)
		drop_none(l->c->listen);
	return rc;
}

static int check_host(const char *text, char *err, size_t cap)
{
	if (*text && !strpbrk(text, "/ @?#"))
		return 0;
	snprintf(err, cap, "hosts are names, without scheme, port or path");
	return -EINVAL;
}

static int load_hosts(const struct loading *l)
{
	const struct setting s = {.name = "hosts", .check = check_host};
	const json_t *v = config_doc_setting(&l->doc, "hosts");

	return v ? keep_json(l, &s, v, &l->c->hosts) : keep_list(l, &s, NULL, 0, &l->c->hosts);
}

// The host's name, made into one of ours.
static const char *host_name(char buf[NAME_MAX_LEN + 1])
{
	if (gethostname(buf, NAME_MAX_LEN + 1) && errno != ENAMETOOLONG)
		buf[0] = '\0';
	buf[NAME_MAX_LEN] = '\0';
	for (char *at = buf; *at; at++)
		if (!strchr(NAME_CHARS, *at))
			*at = '-';
	return *buf && *buf != '-' && *buf != '.' ? buf : "node";
}

// A path below the run or the state directory, with something before it. Returns 0 or
// -ENAMETOOLONG with a sentence.
static int default_path(const struct loading *l, const char *before,
	int (*path_of)(const char *, char *, size_t), const char *file, char *buf, size_t cap)
{
	size_t n = strlen(before);

	memcpy(buf, before, n + 1);
	if (!path_of(file, buf + n, cap - n))
		return 0;
	snprintf(l->err, l->cap, "the path of %s is too long", file);
	return -EINVAL;
}

static int load_texts(const struct loading *l)
{
	struct config *c = l->c;
	const struct options *o = l->o;
	const struct setting node = {"node", "node", "SLUICE_NODE", o->node, &c->node, check_name};
	const struct setting region = {
		"region", "region", "SLUICE_REGION", o->region, &c->region, check_name};
	const struct setting store = {
		"store", "store", "SLUICE_STORE", o->store, &c->store, check_store};
	const struct setting dp = {"dp_socket", "dp-socket", "SLUICE_DP_SOCKET", o->dp_socket,
		&c->dp_socket, check_socket};
	const struct setting api = {"api_socket", "api-socket", "SLUICE_API_SOCKET", o->api_socket,
		&c->api_socket, check_socket};
	char host[NAME_MAX_LEN + 1], in_state[PATH_MAX], dp_sock[PATH_MAX], api_sock[PATH_MAX];
	int rc = load_text(l, &node, host_name(host));

	rc = rc ? rc : load_text(l, &region, "default");
	rc = rc ? rc
		: default_path(
			  l, "sqlite://", statedir_path, "sluice.db", in_state, sizeof(in_state));
	rc = rc ? rc : default_path(l, "", rundir_path, "dp.sock", dp_sock, sizeof(dp_sock));
	rc = rc ? rc : default_path(l, "", rundir_path, "api.sock", api_sock, sizeof(api_sock));
	rc = rc ? rc : load_text(l, &store, in_state);
	rc = rc ? rc : load_text(l, &dp, dp_sock);
	return rc ? rc : load_text(l, &api, api_sock);
}

// A setting of the file alone, which need not be there.
static int load_optional(
	const struct loading *l, const char *name, resource_check check, char **out)
{
	const struct setting s = {.name = name, .check = check};
	const char *text = json_string_value(config_doc_setting(&l->doc, name));

	return text ? keep(l, &s, text, out) : 0;
}

static int check_path(const char *text, char *err, size_t cap)
{
	if (*text == '/')
		return 0;
	snprintf(err, cap, "the path has to begin with /");
	return -EINVAL;
}

static int load_rest(const struct loading *l)
{
	int rc;
	const json_t *limits = config_doc_setting(&l->doc, "limits");
	const json_t *anonymous = config_doc_setting(&l->doc, "anonymous_read");

	l->c->anonymous_read = !anonymous || json_is_true(anonymous);
	l->c->connections_max =
		(unsigned)json_integer_value(json_object_get(limits, "connections"));
	l->c->intent = l->doc.intent ? json_incref(l->doc.intent) : json_array();
	rc = load_optional(l, "master_key_file", check_path, &l->c->master_key_file);
	return rc ? rc : load_optional(l, "hook", resource_check_hook, &l->c->hook);
}

int config_load(struct config *c, const struct options *o, char *err, size_t cap)
{
	struct loading l = {.c = c, .o = o, .err = err, .cap = cap};
	const char *path = o->config ? o->config : env_of("SLUICE_CONFIG");
	int rc = 0;

	*c = (struct config){0};
	snprintf(err, cap, "out of memory");
	if (path)
		rc = config_doc_read(&l.doc, path, err, cap);
	rc = rc ? rc : load_texts(&l);
	rc = rc ? rc : load_listen(&l);
	rc = rc ? rc : load_hosts(&l);
	rc = rc ? rc : load_rest(&l);
	if (rc)
		config_free(c);
	config_doc_free(&l.doc);
	return rc;
}

static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

void config_free(struct config *c)
{
	free(c->node);
	free(c->region);
	free(c->store);
	free(c->dp_socket);
	free(c->api_socket);
	free(c->master_key_file);
	free(c->hook);
	free_list(c->listen);
	free_list(c->hosts);
	json_decref(c->intent);
	*c = (struct config){0};
}
