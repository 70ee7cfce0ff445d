// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Files of the web page. They are part of the program: a path is looked up, never opened.

#include "ctl/http/server_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// Nothing from elsewhere, nothing inline; no frame may hold the page.
#define PAGE_POLICY                                                                     \
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " \
	"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// FNV-1a: the tag changes with the content, that is all it has to do.
static uint64_t hash_of(const struct http_asset *a)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < a->len; i++)
		h = (h ^ a->data[i]) * 0x100000001b3u;
	return h;
}

static void on_asset(struct http_request *r, void *arg)
{
	const struct http_asset *a = arg;
	const char *known = http_header(r, "If-None-Match");
	char etag[24];

	snprintf(etag, sizeof(etag), "\"%016" PRIx64 "\"", hash_of(a));
	http_reply_header(r, "ETag", etag);
	http_reply_header(r, "Cache-Control", "no-cache");
	http_reply_header(r, "Content-Security-Policy", PAGE_POLICY);
	http_reply_header(r, "Referrer-Policy", "no-referrer");
	http_reply_header(r, "Cross-Origin-Opener-Policy", "same-origin");
	if (known && !strcmp(known, etag))
		http_reply_empty(r, 304);
	else
		http_reply_data(r, 200, a->type, a->data, a->len);
}

int http_assets(struct http_server *s, const struct http_asset *a, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		rc = http_route(s, "GET", a[i].path, HTTP_ROLE_NONE, on_asset, (void *)&a[i]);
	return rc;
}
