#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What a person may not have had in mind, said once something is done.

#include "ctl/cli/cli.h"

// A route was added to a stream that nobody has declared and nobody publishes.
void hint_no_stream(struct cli *c, const json_t *route);

// A stream was deleted: its routes and sources were not.
void hint_left_behind(struct cli *c, const char *stream);
