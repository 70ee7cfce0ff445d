#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The file of sluiced, checked: its settings and its intent (decisions B7). Every fault is one
// sentence that begins with "FILE:LINE: " and names the key.

#include "ctl/daemon/yaml_doc.h"

#include <stdbool.h>

struct config_doc {
	struct yaml_doc yaml;
	const char *name;     // borrowed
	const json_t *daemon; // the `daemon:` map, checked; NULL: none
	json_t *intent;	      // as struct config's
	json_t *seen;	      // identities in it
};

// Read and check a file. Returns 0, -EINVAL for what it holds, or -errno of reading it, with one
// sentence in err.
int config_doc_read(struct config_doc *d, const char *path, char *err, size_t cap);
void config_doc_free(struct config_doc *d);

// A setting of the `daemon:` map; NULL: not given.
const json_t *config_doc_setting(const struct config_doc *d, const char *name);

// "FILE:LINE: " of a setting, for faults found later; returns buf.
const char *config_doc_at(const struct config_doc *d, const char *setting, char *buf, size_t cap);
