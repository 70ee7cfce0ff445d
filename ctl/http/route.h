#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Patterns of paths. Pure.

#include "ctl/http/server.h"

#define ROUTE_PARAMS 2

struct route {
	const char *method, *pattern;
	enum http_role role;
	http_handler handler;
	void *arg;
};

struct route_span {
	const char *at;
	size_t len;
};

// Does path fit pattern ("/v1/routes/{id}", "/v1/streams/{name...}")? Fills value[] in the order of
// the pattern's parameters; a value is never empty.
bool route_match(const char *pattern, const char *path, struct route_span value[ROUTE_PARAMS]);

// Which parameter of the pattern is called name: its index, or -1.
int route_param(const char *pattern, const char *name);

// The route for method and path: among those that fit, the one with the longest literal start.
// HEAD finds GET. allow gets the methods that fit the path, as in the Allow header ("" when none
// does). NULL when there is none.
const struct route *route_find(const struct route *routes, size_t n, const char *method,
	const char *path, char *allow, size_t cap);
