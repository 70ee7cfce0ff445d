// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// GET /openapi.json: the API described by the table of resources (OpenAPI 3.1), so that it says
// what validation does.

#include "ctl/daemon/daemon_priv.h"

#include "version.h"

#include <stdio.h>
#include <string.h>

static const char *type_of(enum resource_type t)
{
	static const char *const names[] = {[RESOURCE_STRING] = "string",
		[RESOURCE_WORD] = "string",
		[RESOURCE_BOOL] = "boolean",
		[RESOURCE_INT] = "integer",
		[RESOURCE_NUMBER] = "number",
		[RESOURCE_TIME] = "string",
		[RESOURCE_LIST] = "array",
		[RESOURCE_MAP] = "object"};

	return names[t];
}

static bool may_be_null(const struct resource_field *f)
{
	return f->flags & RESOURCE_NULL || (f->flags & RESOURCE_SET && !f->fallback);
}

static json_t *field_schema(const struct resource_field *f)
{
	json_t *out = json_object();
	json_t *type = json_string(type_of(f->type));

	if (may_be_null(f))
		type = json_pack("[o, s]", type, "null");
	json_object_set_new(out, "type", type);
	json_object_set_new(out, "description",
		f->unit ? json_sprintf("%s (%s)", f->help, f->unit) : json_string(f->help));
	if (f->type == RESOURCE_INT && f->flags & RESOURCE_SET) {
		json_object_set_new(out, "minimum", json_integer(f->min));
		json_object_set_new(out, "maximum", json_integer(f->max));
	}
	if (f->type == RESOURCE_WORD) {
		json_t *words = json_array();

		for (size_t i = 0; f->words[i]; i++)
			json_array_append_new(words, json_string(f->words[i]));
		json_object_set_new(out, "enum", words);
	}
	if (f->fallback)
		json_object_set_new(out, "default", json_loads(f->fallback, JSON_DECODE_ANY, NULL));
	if (f->flags & RESOURCE_REPORTED)
		json_object_set_new(out, "readOnly", json_true());
	return out;
}

static json_t *schema_of(const struct resource *r)
{
	json_t *properties = json_object(), *required = json_array();

	for (size_t i = 0; i < r->n_fields; i++) {
		json_object_set_new(properties, r->fields[i].name, field_schema(&r->fields[i]));
		if (r->fields[i].flags & RESOURCE_KEY)
			json_array_append_new(required, json_string(r->fields[i].name));
	}
	return json_pack("{s:s, s:s, s:o, s:o}", "type", "object", "description", r->help,
		"properties", properties, "required", required);
}

static json_t *reference(const struct resource *r)
{
	return json_pack("{s:o}", "$ref", json_sprintf("#/components/schemas/%s", r->noun));
}

static json_t *content(json_t *schema)
{
	return json_pack("{s:{s:o}}", "application/json", "schema", schema);
}

static json_t *operation(
	const char *what, const struct resource *r, const char *status, json_t *answer)
{
	json_t *replies = json_object();
	json_t *reply = json_pack("{s:s}", "description", what);

	if (answer)
		json_object_set_new(reply, "content", content(answer));
	json_object_set_new(replies, status, reply);
	json_object_set_new(replies, "default",
		json_pack("{s:s, s:{s:{s:{s:s}}}}", "description", "a problem (RFC 9457)",
			"content", "application/problem+json", "schema", "$ref",
			"#/components/schemas/problem"));
	return json_pack("{s:o, s:o}", "summary", json_sprintf("%s %s", what, r->noun), "responses",
		replies);
}

static json_t *with_body(json_t *op, const struct resource *r)
{
	json_object_set_new(op, "requestBody",
		json_pack("{s:b, s:o}", "required", 1, "content", content(reference(r))));
	return op;
}

static json_t *page_of(const struct resource *r)
{
	return json_pack("{s:s, s:{s:{s:s, s:o}, s:{s:[s,s]}}}", "type", "object", "properties",
		"items", "type", "array", "items", reference(r), "next", "type", "string", "null");
}

static json_t *collection_path(const struct resource *r)
{
	json_t *out = json_object();

	if (r->methods & RESOURCE_LISTED)
		json_object_set_new(out, "get", operation("list", r, "200", page_of(r)));
	if (r->methods & RESOURCE_ADDED)
		json_object_set_new(
			out, "post", with_body(operation("add", r, "201", reference(r)), r));
	if (!r->id)
		json_object_set_new(out, "get", operation("show", r, "200", reference(r)));
	return out;
}

static json_t *removal(const struct resource *r)
{
	json_t *out = operation("remove", r, "204", NULL);

	if (!strcmp(r->noun, "sub"))
		json_object_set_new(out, "parameters",
			json_pack("[{s:s, s:s, s:s, s:{s:s, s:i, s:i}}]", "name", "ban_s", "in",
				"query", "description",
				"keep its address from the stream for so many seconds", "schema",
				"type", "integer", "minimum", 1, "maximum", SESSION_BAN_S_MAX));
	if (!strcmp(r->noun, "token"))
		json_object_set_new(out, "parameters",
			json_pack("[{s:s, s:s, s:s, s:{s:s}}]", "name", "own_id", "in", "query",
				"description",
				"the id is of another form than those made here: 12 hex digits",
				"schema", "type", "boolean"));
	return out;
}

static json_t *one_path(const struct resource *r)
{
	json_t *out = json_object();

	json_object_set_new(out, "parameters",
		json_pack("[{s:s, s:s, s:b, s:{s:s}}]", "name", r->id, "in", "path", "required", 1,
			"schema", "type", "string"));
	if (r->methods & RESOURCE_SHOWN)
		json_object_set_new(out, "get", operation("show", r, "200", reference(r)));
	if (r->methods & RESOURCE_PUT)
		json_object_set_new(
			out, "put", with_body(operation("replace", r, "200", reference(r)), r));
	if (r->methods & RESOURCE_DELETED)
		json_object_set_new(out, "delete", removal(r));
	return out;
}

static json_t *problem_schema(void)
{
	return json_pack("{s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}}}", "type", "object",
		"properties", "type", "type", "string", "title", "type", "string", "status", "type",
		"integer", "detail", "type", "string", "code", "type", "string");
}

static void on_openapi(struct http_request *r, void *arg)
{
	json_t *paths = json_object(), *schemas = json_object();
	char path[96];

	(void)arg;
	for (size_t i = 0; i < n_resources; i++) {
		const struct resource *res = &resources[i];

		snprintf(path, sizeof(path), "/v1/%s", res->collection);
		json_object_set_new(paths, path, collection_path(res));
		json_object_set_new(schemas, res->noun, schema_of(res));
		if (!res->id)
			continue;
		snprintf(path, sizeof(path), "/v1/%s/{%s}", res->collection, res->id);
		json_object_set_new(paths, path, one_path(res));
	}
	json_object_set_new(schemas, "problem", problem_schema());
	http_reply_json(r, 200,
		json_pack("{s:s, s:{s:s, s:s}, s:o, s:{s:o}}", "openapi", "3.1.0", "info", "title",
			"Sluice", "version", SLUICE_VERSION, "paths", paths, "components",
			"schemas", schemas));
}

int openapi_routes(struct daemon *d)
{
	return http_route(d->http, "GET", "/openapi.json", HTTP_ROLE_NONE, on_openapi, d);
}
