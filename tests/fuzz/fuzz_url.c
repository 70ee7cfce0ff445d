// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "fuzz/fuzz.h"
#include "proto/url.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);
	char err[128] = "", first[4 * URL_MAX], second[4 * URL_MAX];
	struct url u;

	FUZZ_CHECK(text);
	memcpy(text, data, len);
	text[len] = '\0';
	if (url_parse(text, &u, err, sizeof(err))) {
		FUZZ_CHECK(*err && !strchr(err, '\n'));
	} else {
		FUZZ_CHECK(u.at.port);
		url_check_listener(&u, err, sizeof(err));
		url_check_source(&u, err, sizeof(err));
		url_check_route(&u, err, sizeof(err));
		FUZZ_CHECK(!url_canonical(&u, first, sizeof(first)));
		// One spelling is a fixed point, but for what encoding made too long.
		if (strlen(first) <= URL_MAX) {
			FUZZ_CHECK(!url_parse(first, &u, err, sizeof(err)));
			FUZZ_CHECK(!url_canonical(&u, second, sizeof(second)));
			FUZZ_CHECK(!strcmp(first, second));
		}
	}
	free(text);
	return 0;
}
