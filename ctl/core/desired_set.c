// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/core/desired.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Where (kind, id) stands, or would stand.
static size_t place_of(const struct desired_set *s, uint32_t kind, uint64_t id)
{
	size_t from = 0, to = s->n;

	while (from < to) {
		size_t mid = (from + to) / 2;
		const struct desired *d = &s->all[mid];

		if (d->kind < kind || (d->kind == kind && d->id < id))
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static bool stands_at(const struct desired_set *s, size_t at, uint32_t kind, uint64_t id)
{
	return at < s->n && s->all[at].kind == kind && s->all[at].id == id;
}

int desired_set_put(struct desired_set *s, const struct desired *d)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 64;
		struct desired *more = reallocarray(s->all, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->all = more;
		s->cap = cap;
	}
	s->all[s->n++] = *d;
	return 0;
}

static int by_kind_and_id(const void *a, const void *b)
{
	const struct desired *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

void desired_set_sort(struct desired_set *s)
{
	if (s->n)
		qsort(s->all, s->n, sizeof(*s->all), by_kind_and_id);
}

const struct desired *desired_set_find(const struct desired_set *s, uint32_t kind, uint64_t id)
{
	size_t at = place_of(s, kind, id);

	return stands_at(s, at, kind, id) ? &s->all[at] : NULL;
}

int desired_set_replace(struct desired_set *s, const struct desired *d)
{
	size_t at = place_of(s, d->kind, d->id);

	if (!stands_at(s, at, d->kind, d->id)) {
		int rc = desired_set_put(s, d); // room for one more

		if (rc)
			return rc;
		memmove(&s->all[at + 1], &s->all[at], (s->n - 1 - at) * sizeof(*s->all));
	}
	s->all[at] = *d;
	return 0;
}

bool desired_set_remove(struct desired_set *s, uint32_t kind, uint64_t id)
{
	size_t at = place_of(s, kind, id);

	if (!stands_at(s, at, kind, id))
		return false;
	memmove(&s->all[at], &s->all[at + 1], (--s->n - at) * sizeof(*s->all));
	return true;
}

void desired_set_free(struct desired_set *s)
{
	free(s->all);
	*s = (struct desired_set){0};
}

void desired_set_digest(const struct desired_set *s, uint64_t digest[8], uint32_t count[8])
{
	memset(digest, 0, 8 * sizeof(*digest));
	memset(count, 0, 8 * sizeof(*count));
	for (size_t i = 0; i < s->n; i++) {
		digest[s->all[i].kind] += dp_mix(s->all[i].id, s->all[i].version);
		count[s->all[i].kind]++;
	}
}
