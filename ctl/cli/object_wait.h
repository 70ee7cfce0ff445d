#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/object.h"

// What `add` promises (decisions B11): wait up to two seconds until a new object has settled. *doc
// is replaced by what the API says last. Returns API_OK, or the exit code of a call that failed.
int object_wait(struct cli *c, const struct object *o, json_t **doc);

// API_OK when the object is active; else says why not and returns API_DEGRADED.
int object_verdict(struct cli *c, const struct object *o, const json_t *doc);
