// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/yaml_doc.h"
#include "fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

static bool is_one_line(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ')
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct yaml_doc d;
	char err[256] = "", *text;

	if (yaml_doc_read(&d, "f", (const char *)data, len, err, sizeof(err))) {
		FUZZ_CHECK(!strncmp(err, "f:", 2) && is_one_line(err));
		FUZZ_CHECK(!d.root && !d.lines);
		return 0;
	}
	FUZZ_CHECK(json_is_object(d.root));
	text = json_dumps(d.root, 0); // strings are UTF-8, numbers finite
	FUZZ_CHECK(text);
	free(text);
	yaml_doc_free(&d);
	return 0;
}
