#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// From what the dataplane holds to what it should hold: an ordered list of operations. Pure.

#include "ctl/core/desired.h"

// What the dataplane has taken, as far as we know.
struct applied {
	uint32_t kind;
	uint64_t id, version;
};

struct reconcile_op {
	bool del;
	uint32_t kind;
	uint64_t id;
	const struct desired *object; // of a set: borrowed from the desired set
};

// Write the operations into ops, which has room for want->n + n_have. have: sorted by (kind, id),
// as desired sets are. Deletions go first (what comes may need their address or place), and nothing
// comes before the stream it carries or the secret it names, or goes after it. Returns how many.
size_t reconcile(const struct desired_set *want, const struct applied *have, size_t n_have,
	struct reconcile_op *ops);

// Does the dataplane hold exactly this, by what it says of itself?
bool reconcile_is_equal(const struct desired_set *want, const struct dp_hello_r *report);
