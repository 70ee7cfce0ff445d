// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/control_priv.h"

#include <stdlib.h>

// A worker's ring may be full: then commands wait here, in order.
struct cmd_node {
	struct cmd cmd; // first: what the worker hands back is the node
	struct cmd_node *next;
	unsigned worker;
};

static bool hand_over(struct control *c, struct cmd_node *n)
{
	return !c->o.workers.post(c->o.workers.ctx, n->worker, &n->cmd);
}

void post(struct control *c, unsigned worker, const struct cmd *cmd)
{
	struct cmd_queue *q = &c->queues[worker];
	struct cmd_node *n = calloc(1, sizeof(*n));

	if (!n)
		abort(); // a few hundred bytes: nothing sensible is left to do
	n->cmd = *cmd;
	n->worker = worker;
	if (!q->head && hand_over(c, n))
		return;
	if (!q->head)
		q->tail = &q->head;
	*q->tail = n;
	q->tail = &n->next;
}

void post_pending(struct control *c)
{
	for (unsigned w = 0; w < c->o.workers.n; w++) {
		struct cmd_queue *q = &c->queues[w];

		// Once handed over a node is the worker's: its link is read before.
		for (struct cmd_node *n; (n = q->head);) {
			struct cmd_node *next = n->next;

			if (!hand_over(c, n))
				break;
			q->head = next;
		}
	}
}

void post_drop_pending(struct control *c)
{
	for (unsigned w = 0; c->queues && w < c->o.workers.n; w++)
		for (struct cmd_node *n; (n = c->queues[w].head);) {
			c->queues[w].head = n->next;
			free(n);
		}
}
