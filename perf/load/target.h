#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Where a peer goes: the URL with its number in it.

#include "proto/url.h"

// Put `index` in place of each %d, parse, and demand one of the schemes (enum url_scheme, or-ed).
// Returns 0, or -EINVAL and a sentence.
int target_url(
	const char *text, uint32_t index, unsigned schemes, struct url *out, char *err, size_t cap);

// The address of the URL's host (an empty one: this machine). Returns 0, or -EINVAL and a sentence.
int target_resolve(const struct url *u, struct endpoint *out, char *err, size_t cap);
