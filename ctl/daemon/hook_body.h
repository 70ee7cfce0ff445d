#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What is posted to a hook, and what its answer says.

#include "ctl/dp/dp_proto.h"

#include <stddef.h>

// The question as JSON; the caller frees it. Texts that are no UTF-8 are sent as null.
char *hook_question(const struct dp_admit *q);

// Fill verdict, code and ttl of the answer. status: of HTTP, 0: none came.
void hook_answer(long status, const char *body, size_t len, struct dp_admit_r *out);
