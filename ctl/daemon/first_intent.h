#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The intent of the file (decisions B7): it goes into a store that has never held any, and is only
// compared with any other.

#include <jansson.h>

#include <stddef.h>

struct event_base;
struct intent;
struct store;
struct vault;

// Turns the loop until the store has answered. items: config's intent. intent: of this store,
// loaded. vault: for the secrets among it. Returns 0, or -EIO with one sentence in err.
int first_intent_load(struct store *s, struct event_base *base, struct intent *intent,
	struct vault *vault, const json_t *items, const char *node, char *err, size_t cap);
