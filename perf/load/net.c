// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/net.h"

#include "load/impair.h"
#include "load/net_back.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int net_init(
	struct net *n, const struct net_opts *o, net_rx_fn on_rx, void *arg, char *err, size_t cap)
{
	*n = (struct net){.opts = *o, .on_rx = on_rx, .arg = arg, .rand = {o->seed}};
	n->impaired = o->loss > 0 || o->reorder > 0 || o->dup > 0 || o->delay_ms;
	if (n->impaired) {
		n->held = calloc(NET_HELD_MAX, sizeof(struct held *));
		if (!n->held)
			return -ENOMEM;
	}
	return o->port ? net_port_init(n, err, cap) : net_sock_init(n, err, cap);
}

void net_fini(struct net *n)
{
	impair_fini(n);
	if (n->back)
		n->back->fini(n);
	free(n->socks);
}

// --- opening ----------------------------------------------------------------------------------

static int says(char *err, size_t cap, const char *what, const struct endpoint *e, int rc)
{
	char at[ENDPOINT_STRLEN];

	if (rc)
		snprintf(err, cap, "%s %s: %s", what, endpoint_str(e, at, sizeof(at)),
			strerror(-rc));
	return rc;
}

static int room(struct net *n, uint32_t count)
{
	n->socks = calloc(count, sizeof(*n->socks));
	return n->socks ? 0 : -ENOMEM;
}

struct net_sock *net_add(struct net *n)
{
	struct net_sock *s = &n->socks[n->n_socks];

	*s = (struct net_sock){.index = n->n_socks++, .fd = -1};
	return s;
}

int net_connect(struct net *n, const struct endpoint *to, uint32_t count, char *err, size_t cap)
{
	int rc = room(n, count);

	if (!rc)
		rc = n->back->connect(n, to, count);
	return says(err, cap, "no socket towards", to, rc);
}

int net_bind(struct net *n, const struct net_bind *b, uint32_t count, char *err, size_t cap)
{
	struct endpoint at = b->at;
	int rc = room(n, count);

	for (uint32_t i = 0; !rc && i < count; i++) {
		at.port = (uint16_t)(b->at.port + i);
		rc = n->back->bind(n, b, &at);
	}
	return says(err, cap, "cannot receive on", &at, rc);
}

int net_open(
	struct net *n, const struct endpoint *to, const struct net_via *via, char *err, size_t cap)
{
	int rc = room(n, 1);

	if (!rc)
		rc = n->back->open(n, to, via);
	return says(err, cap, "no socket towards", to, rc);
}

// --- traffic ----------------------------------------------------------------------------------

void net_out(struct net *n, struct net_sock *s, const struct endpoint *to, const uint8_t *data,
	size_t len)
{
	n->back->out(n, s, to, data, len);
}

void net_send(struct net *n, ts_us now, struct net_sock *s, const struct endpoint *to,
	const uint8_t *data, size_t len)
{
	if (len > NET_DATAGRAM)
		return;
	if (n->impaired)
		impair_out(n, now, s, to, data, len);
	else
		net_out(n, s, to, data, len);
}

void net_flush(struct net *n)
{
	n->back->flush(n);
}

bool net_room(struct net *n)
{
	return !n->back->room || n->back->room(n);
}

void net_in(struct net *n, struct net_sock *s, ts_us now, const uint8_t *data, size_t len)
{
	n->on_rx(n->arg, s, now, data, len);
}

void net_arrived(struct net *n, struct net_sock *s, ts_us now, const uint8_t *data, size_t len)
{
	n->stats.rx++;
	if (n->impaired)
		impair_in(n, now, s, data, len);
	else
		net_in(n, s, now, data, len);
}

void net_wait(struct net *n, ts_us now, ts_us until)
{
	ts_us wait = until > now ? until - now : 0;

	net_flush(n);
	n->back->wait(n, (uint32_t)ts_min(wait, 100 * TS_MS));
}

void net_release(struct net *n, ts_us now)
{
	if (n->impaired)
		impair_release(n, now);
}

uint64_t net_overflow(const struct net *n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n->n_socks; i++)
		sum += n->socks[i].overflow;
	return sum;
}
