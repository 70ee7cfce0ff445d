// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "fuzz/fuzz.h"
#include "proto/streamid.h"

#include <string.h>

// Whatever parsing took for a secret is not told. (Stars may look like one.)
static void keeps(const char *text, const struct streamid *id, const char *secret)
{
	char shown[1024];

	streamid_show(text, id, shown, sizeof(shown));
	FUZZ_CHECK(strlen(secret) < 4 || strchr(secret, '*') || !strstr(shown, secret));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint32_t dialects = len ? data[0] : 0; // any choice of them, and a text
	char *text = malloc(len + 1);
	struct streamid id = {0}, again;
	char shown[64];
	const char *dot;
	int rc;

	FUZZ_CHECK(text);
	memcpy(text, data, len);
	text[len] = '\0';
	FUZZ_CHECK(streamid_parse(text, dialects, &id) || !*id.name || stream_name_ok(id.name));
	rc = streamid_parse(text, 0, &id);
	FUZZ_CHECK((rc == 0) == (strcmp(streamid_error_str(rc), streamid_error_str(0)) == 0));
	if (!rc && *id.name) {
		FUZZ_CHECK(stream_name_ok(id.name));
		// A name is its own stream id, unless it begins like an action or a domain.
		if (!streamid_parse(id.name, 0, &again) && again.mode == STREAMID_UNSET)
			FUZZ_CHECK(!strcmp(id.name, again.name));
	}
	if (stream_name_ok(text))
		FUZZ_CHECK(!rc && strlen(text) <= STREAM_NAME_MAX);
	streamid_show(text, &id, shown, sizeof(shown));
	keeps(text, &id, id.session);
	dot = strncmp(id.token, "v1.", 3) ? NULL : strrchr(id.token, '.'); // the signature
	keeps(text, &id, dot ? dot + 1 : id.token);
	for (const char *p = shown; *p; p++)
		FUZZ_CHECK(*p > ' ' && *p < 0x7f);
	FUZZ_CHECK(strlen(shown) < sizeof(shown));
	free(text);
	return 0;
}
