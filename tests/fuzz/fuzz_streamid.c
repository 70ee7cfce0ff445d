// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "fuzz/fuzz.h"
#include "proto/streamid.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint32_t dialects = len ? data[0] : 0; // any choice of them, and a text
	char *text = malloc(len + 1);
	struct streamid id = {0}, again;
	char shown[64];
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
	for (const char *p = shown; *p; p++)
		FUZZ_CHECK(*p > ' ' && *p < 0x7f);
	FUZZ_CHECK(strlen(shown) < sizeof(shown));
	free(text);
	return 0;
}
