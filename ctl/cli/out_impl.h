#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What out_text.c and out_json.c implement.

#include "ctl/cli/out.h"

struct out_ops {
	void (*document)(struct out *o, const json_t *doc, const struct out_view *v, size_t n);
	void (*done)(struct out *o, const json_t *doc, const char *sentence);
	void (*event)(struct out *o, const json_t *event, const char *text);
};

struct out {
	const struct out_ops *ops;
	size_t width;
	int error; // of the first write that failed
};
