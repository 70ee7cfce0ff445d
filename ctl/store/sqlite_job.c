// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/store/sqlite_job.h"

#include <stdlib.h>
#include <string.h>

void job_queue_init(struct job_queue *q)
{
	q->first = NULL;
	q->last = &q->first;
	q->n = 0;
}

void job_queue_put(struct job_queue *q, struct job *j)
{
	j->next = NULL;
	*q->last = j;
	q->last = &j->next;
	q->n++;
}

struct job *job_queue_take(struct job_queue *q)
{
	struct job *j = q->first;

	if (!j)
		return NULL;
	q->first = j->next;
	if (!q->first)
		q->last = &q->first;
	q->n--;
	return j;
}

void job_free(struct job *j)
{
	sqlite_result_fini(&j->result);
	free(j->cmp);
	free(j->ops);
	free(j->bytes);
	free(j);
}

struct job *job_new(enum job_kind kind, void *arg)
{
	struct job *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	j->kind = kind;
	j->arg = arg;
	return j;
}

static struct store_blob copy(uint8_t **at, struct store_blob b)
{
	struct store_blob mine = {*at, b.len};

	if (b.len)
		memcpy(*at, b.data, b.len);
	*at += b.len;
	return mine;
}

void job_take_prefix(struct job *j, struct store_blob prefix)
{
	uint8_t *at = j->bytes = malloc(prefix.len + 1);

	if (!at)
		abort();
	j->prefix = copy(&at, prefix);
}

void job_take_txn(struct job *j, const struct store_cmp *cmp, size_t n_cmp,
	const struct store_op *ops, size_t n_ops)
{
	size_t bytes = 1;
	uint8_t *at;

	for (size_t i = 0; i < n_cmp; i++)
		bytes += cmp[i].key.len;
	for (size_t i = 0; i < n_ops; i++)
		bytes += ops[i].key.len + ops[i].val.len;
	at = j->bytes = malloc(bytes);
	j->cmp = calloc(n_cmp + 1, sizeof(*cmp));
	j->ops = calloc(n_ops + 1, sizeof(*ops));
	if (!at || !j->cmp || !j->ops)
		abort();
	for (; j->n_cmp < n_cmp; j->n_cmp++)
		j->cmp[j->n_cmp] =
			(struct store_cmp){copy(&at, cmp[j->n_cmp].key), cmp[j->n_cmp].mod_rev};
	for (; j->n_ops < n_ops; j->n_ops++)
		j->ops[j->n_ops] = (struct store_op){ops[j->n_ops].del,
			copy(&at, ops[j->n_ops].key), copy(&at, ops[j->n_ops].val)};
}
