// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/http/route.h"

#include <stdio.h>
#include <string.h>

static bool is_rest(const char *param, size_t len)
{
	return len > 4 && !memcmp(param + len - 4, "...}", 4);
}

bool route_match(const char *pattern, const char *path, struct route_span value[ROUTE_PARAMS])
{
	size_t n = 0;

	while (*pattern) {
		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		size_t plen = strcspn(pattern, "}") + 1;
		size_t len = is_rest(pattern, plen) ? strlen(path) : strcspn(path, "/");

		if (!len || n == ROUTE_PARAMS)
			return false;
		value[n++] = (struct route_span){path, len};
		pattern += plen;
		path += len;
	}
	return !*path;
}

int route_param(const char *pattern, const char *name)
{
	size_t len = strlen(name);

	for (int i = 0; (pattern = strchr(pattern, '{')); i++) {
		pattern++;
		if (!strncmp(pattern, name, len) && (pattern[len] == '}' || pattern[len] == '.'))
			return i;
	}
	return -1;
}

static void allow_add(char *allow, size_t cap, const char *method)
{
	size_t at = strlen(allow);

	if (strstr(allow, method))
		return;
	snprintf(allow + at, cap - at, "%s%s%s", at ? ", " : "", method,
		strcmp(method, "GET") ? "" : ", HEAD");
}

const struct route *route_find(const struct route *routes, size_t n, const char *method,
	const char *path, char *allow, size_t cap)
{
	const char *wanted = strcmp(method, "HEAD") ? method : "GET";
	struct route_span value[ROUTE_PARAMS];
	const struct route *best = NULL;
	size_t best_literal = 0;

	*allow = '\0';
	for (size_t i = 0; i < n; i++) {
		size_t literal = strcspn(routes[i].pattern, "{");

		if (!route_match(routes[i].pattern, path, value))
			continue;
		allow_add(allow, cap, routes[i].method);
		if (strcmp(routes[i].method, wanted) || (best && literal <= best_literal))
			continue;
		best = &routes[i];
		best_literal = literal;
	}
	return best;
}
