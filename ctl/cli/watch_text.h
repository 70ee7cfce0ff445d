#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include <jansson.h>

#include <stddef.h>

// An event of the feed as one line: "12:00:01.123  stream      live/cam1 is live". Types that we do
// not know show their members as they come.
void watch_text(const char *type, const json_t *event, char *text, size_t cap);
