// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/config_doc.h"

#include "ctl/api/resources.h"
#include "ctl/api/secret_file.h"
#include "ctl/core/desired.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENT_VERSION 1
#define CONNECTIONS_MAX 65536

enum setting_type { TEXT, SWITCH, TEXTS, LIMITS };

static const struct setting {
	const char *name;
	enum setting_type type;
} settings[] = {
	{"node", TEXT},
	{"region", TEXT},
	{"store", TEXT},
	{"dp_socket", TEXT},
	{"api_socket", TEXT},
	{"master_key_file", TEXT},
	{"hook", TEXT},
	{"listen", TEXTS},
	{"hosts", TEXTS},
	{"anonymous_read", SWITCH},
	{"limits", LIMITS},
};

struct where {
	const char *a, *b, *c; // as yaml_doc_line()
};

static int fail(const struct config_doc *d, struct where w, char *err, size_t cap, const char *fmt,
	...) __attribute__((format(printf, 5, 6)));

static int fail(
	const struct config_doc *d, struct where w, char *err, size_t cap, const char *fmt, ...)
{
	unsigned line = yaml_doc_line(&d->yaml, w.a, w.b, w.c);
	int n = snprintf(err, cap, "%s:%u: ", d->name, line ? line : 1);
	va_list ap;

	va_start(ap, fmt);
	if (n > 0 && (size_t)n < cap)
		vsnprintf(err + n, cap - (size_t)n, fmt, ap);
	va_end(ap);
	yaml_doc_one_line(err);
	return -EINVAL;
}

static const struct setting *setting_find(const char *name)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		if (!strcmp(settings[i].name, name))
			return &settings[i];
	return NULL;
}

static bool is_text(const json_t *v)
{
	return json_is_string(v) && *json_string_value(v);
}

static bool is_texts(const json_t *v)
{
	size_t i;
	json_t *item;

	if (is_text(v))
		return true;
	json_array_foreach(v, i, item) if (!is_text(item)) return false;
	return json_is_array(v);
}

static int check_limits(const struct config_doc *d, const json_t *v, char *err, size_t cap)
{
	const char *key;
	json_t *n;

	if (!json_is_object(v))
		return fail(d, (struct where){"daemon", "limits", NULL}, err, cap,
			"limits: must be a map");
	json_object_foreach((json_t *)v, key, n)
	{
		struct where w = {"daemon", "limits", key};

		if (strcmp(key, "connections"))
			return fail(
				d, w, err, cap, "unknown key \"%.64s\" in daemon: limits:", key);
		if (!json_is_integer(n) || json_integer_value(n) < 1 ||
			json_integer_value(n) > CONNECTIONS_MAX)
			return fail(d, w, err, cap,
				"connections must be a whole number from 1 to %d", CONNECTIONS_MAX);
	}
	return 0;
}

static int check_setting(
	const struct config_doc *d, const char *key, const json_t *v, char *err, size_t cap)
{
	const struct setting *s = setting_find(key);
	struct where w = {"daemon", key, NULL};

	if (!s)
		return fail(d, w, err, cap, "unknown key \"%.64s\" in daemon:", key);
	switch (s->type) {
	case TEXT:
		return is_text(v) ? 0 : fail(d, w, err, cap, "%s must be a text", key);
	case SWITCH:
		return json_is_boolean(v) ? 0
					  : fail(d, w, err, cap, "%s must be true or false", key);
	case TEXTS:
		return is_texts(v)
			       ? 0
			       : fail(d, w, err, cap, "%s must be a text or a list of texts", key);
	case LIMITS:
		return check_limits(d, v, err, cap);
	}
	return 0;
}

static int check_daemon(struct config_doc *d, const json_t *daemon, char *err, size_t cap)
{
	const char *key;
	json_t *v;

	if (json_is_null(daemon))
		return 0;
	if (!json_is_object(daemon))
		return fail(
			d, (struct where){"daemon", NULL, NULL}, err, cap, "daemon: must be a map");
	json_object_foreach(
		(json_t *)daemon, key, v) if (check_setting(d, key, v, err, cap)) return -EINVAL;
	d->daemon = daemon;
	return 0;
}

// The line of the first field of an object that its resource does not have; else the object's.
static struct where where_of(const struct resource *r, const char *name, const json_t *doc)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)doc, key, v) if (!resource_field_find(r, key)) return (
		struct where){r->collection, name, key};
	return (struct where){r->collection, name, NULL};
}

// {file: PATH} in place of a secret: what the file says.
static int read_secrets(const struct resource *r, json_t *doc, char *err, size_t cap)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct resource_field *f = &r->fields[i];
		const json_t *v = json_object_get(doc, f->name);
		const char *path = json_string_value(json_object_get(v, "file"));
		char text[SECRET_FILE_MAX + 1];

		if (!(f->flags & RESOURCE_SECRET) || !path)
			continue;
		if (secret_file_read(path, text, err, cap))
			return -EINVAL;
		json_object_set_new(doc, f->name, json_string(text));
		explicit_bzero(text, sizeof(text));
		if (json_is_string(json_object_get(doc, f->name)))
			continue;
		snprintf(err, cap, "%.256s does not hold UTF-8", path);
		return -EINVAL;
	}
	return 0;
}

// The key of a stream or user is its name; of other objects a label of the writer's.
static json_t *with_name(const struct resource *r, const char *name, const json_t *doc)
{
	json_t *out = json_is_null(doc) ? json_object() : json_deep_copy(doc);

	if (json_is_object(out) && !strcmp(r->id, "name") && !json_object_get(out, "name"))
		json_object_set_new(out, "name", json_string(name));
	return out;
}

static int add_object(struct config_doc *d, const struct resource *r, const char *name,
	const json_t *given, char *err, size_t cap)
{
	struct where w = where_of(r, name, given);
	uint32_t kind = desired_kind(r->noun);
	json_t *doc = with_name(r, name, given), *intent = NULL;
	char why[512], id[DESIRED_ID_LEN];
	int rc = read_secrets(r, doc, why, sizeof(why));

	rc = rc ? rc : resource_validate(r, doc, RESOURCE_ADD, why, sizeof(why));
	if (!rc) {
		intent = resource_intent(r, doc);
		rc = desired_spell(kind, intent, why, sizeof(why));
	}
	json_decref(doc);
	if (!rc) { // two of one identity would be one object with two contents
		desired_id_text(kind, desired_id(kind, intent, ""), id);
		snprintf(why, sizeof(why), "stands in this file twice");
		rc = json_object_get(d->seen, id) ? -EINVAL : 0;
		json_object_set_new(d->seen, id, json_true());
	}
	if (!rc)
		return json_array_append_new(
			       d->intent, json_pack("{s:s, s:o}", "noun", r->noun, "doc", intent))
			       ? -ENOMEM
			       : 0;
	json_decref(intent);
	return fail(d, w, err, cap, "%s \"%.64s\": %s", r->noun, name, why);
}

static int add_objects(
	struct config_doc *d, const struct resource *r, const json_t *all, char *err, size_t cap)
{
	const char *name;
	json_t *doc;

	if (json_is_null(all))
		return 0;
	if (!json_is_object(all))
		return fail(d, (struct where){r->collection, NULL, NULL}, err, cap,
			"%s: must be a map of names", r->collection);
	json_object_foreach(
		(json_t *)all, name, doc) if (add_object(d, r, name, doc, err, cap)) return -EINVAL;
	return 0;
}

static int check_version(const struct config_doc *d, char *err, size_t cap)
{
	const json_t *version = json_object_get(d->yaml.root, "sluice");

	if (json_integer_value(version) == DOCUMENT_VERSION)
		return 0;
	return fail(d, (struct where){"sluice", NULL, NULL}, err, cap,
		version ? "this version reads documents with \"sluice: 1\""
			: "the document must say \"sluice: 1\"");
}

static int check_root(struct config_doc *d, char *err, size_t cap)
{
	const char *key;
	json_t *v;
	int rc = check_version(d, err, cap);

	if (rc)
		return rc;
	json_object_foreach(d->yaml.root, key, v)
	{
		const struct resource *r = resource_find_collection(key);

		if (!strcmp(key, "sluice"))
			continue;
		if (!strcmp(key, "daemon"))
			rc = check_daemon(d, v, err, cap);
		else if (r && r->methods & RESOURCE_PUT)
			rc = add_objects(d, r, v, err, cap);
		else
			rc = fail(d, (struct where){key, NULL, NULL}, err, cap,
				"unknown key \"%.64s\"", key);
		if (rc)
			return rc;
	}
	return 0;
}

static int read_text(const char *path, char **text, size_t *len, char *err, size_t cap)
{
	FILE *f = fopen(path, "re");
	int rc = 0;

	*text = malloc(YAML_DOC_MAX + 1);
	*len = f && *text ? fread(*text, 1, YAML_DOC_MAX + 1, f) : 0;
	if (!f || !*text || ferror(f)) {
		rc = -errno;
		snprintf(err, cap, "%s: %s", path, strerror(-rc));
	}
	if (f)
		fclose(f);
	return rc;
}

int config_doc_read(struct config_doc *d, const char *path, char *err, size_t cap)
{
	char *text = NULL;
	size_t len;
	int rc = read_text(path, &text, &len, err, cap);

	*d = (struct config_doc){.name = path, .intent = json_array(), .seen = json_object()};
	if (!rc)
		rc = yaml_doc_read(&d->yaml, path, text, len, err, cap);
	if (!rc)
		rc = check_root(d, err, cap);
	free(text);
	if (rc)
		config_doc_free(d);
	return rc;
}

void config_doc_free(struct config_doc *d)
{
	yaml_doc_free(&d->yaml);
	json_decref(d->intent);
	json_decref(d->seen);
	*d = (struct config_doc){0};
}

const json_t *config_doc_setting(const struct config_doc *d, const char *name)
{
	return json_object_get(d->daemon, name);
}

const char *config_doc_at(const struct config_doc *d, const char *setting, char *buf, size_t cap)
{
	snprintf(buf, cap, "%s:%u: ", d->name, yaml_doc_line(&d->yaml, "daemon", setting, NULL));
	return buf;
}
