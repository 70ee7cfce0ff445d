// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/core/reconcile.h"

#include <string.h>

static const uint32_t del_order[] = {
	DP_LISTENER, DP_SOURCE, DP_ROUTE, DP_STREAM, DP_POLICY, DP_SECRET};
static const uint32_t set_order[] = {
	DP_SECRET, DP_POLICY, DP_STREAM, DP_SOURCE, DP_ROUTE, DP_LISTENER};

static const struct applied *find(const struct applied *have, size_t n, uint32_t kind, uint64_t id)
{
	size_t from = 0, to = n;

	while (from < to) {
		size_t mid = (from + to) / 2;

		if (have[mid].kind == kind && have[mid].id == id)
			return &have[mid];
		if (have[mid].kind < kind || (have[mid].kind == kind && have[mid].id < id))
			from = mid + 1;
		else
			to = mid;
	}
	return NULL;
}

static size_t deletions(const struct desired_set *want, const struct applied *have, size_t n_have,
	uint32_t kind, struct reconcile_op *ops)
{
	size_t n = 0;

	for (size_t i = 0; i < n_have; i++)
		if (have[i].kind == kind && !desired_set_find(want, kind, have[i].id))
			ops[n++] =
				(struct reconcile_op){.del = true, .kind = kind, .id = have[i].id};
	return n;
}

static size_t settings(const struct desired_set *want, const struct applied *have, size_t n_have,
	uint32_t kind, struct reconcile_op *ops)
{
	size_t n = 0;

	for (size_t i = 0; i < want->n; i++) {
		const struct desired *d = &want->all[i];
		const struct applied *a;

		if (d->kind != kind)
			continue;
		a = find(have, n_have, kind, d->id);
		if (!a || a->version != d->version)
			ops[n++] = (struct reconcile_op){.kind = kind, .id = d->id, .object = d};
	}
	return n;
}

size_t reconcile(const struct desired_set *want, const struct applied *have, size_t n_have,
	struct reconcile_op *ops)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(del_order) / sizeof(*del_order); i++)
		n += deletions(want, have, n_have, del_order[i], ops + n);
	for (size_t i = 0; i < sizeof(set_order) / sizeof(*set_order); i++)
		n += settings(want, have, n_have, set_order[i], ops + n);
	return n;
}

bool reconcile_is_equal(const struct desired_set *want, const struct dp_hello_r *report)
{
	uint64_t digest[8];
	uint32_t count[8];

	desired_set_digest(want, digest, count);
	return !memcmp(digest, report->digest, sizeof(digest)) &&
	       !memcmp(count, report->count, sizeof(count));
}
