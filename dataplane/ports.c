// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ports.h"

#include <errno.h>
#include <stdio.h>

static int open_sock(struct ports *p, const struct options *o, char *err, size_t cap)
{
	p->sock = (struct port_sock_opts){
		.no_uring = o->no_uring, .sockbuf = o->sockbuf, .no_wait = true};
	for (unsigned i = 0; i < p->n; i++) {
		p->all[i] = port_sock_open(&p->sock, err, cap);
		if (!p->all[i])
			return -EIO;
	}
	return 0;
}

static int open_dpdk(
	struct ports *p, const struct options *o, struct arena *arena, char *err, size_t cap)
{
	struct port_dpdk_opts d = o->dpdk;

	if (d.queues && d.queues != p->n) {
		snprintf(err, cap, "dpdk: queues=%u for %u workers: there is one queue a worker",
			d.queues, p->n);
		return -EINVAL;
	}
	d.arena = arena;
	return port_dpdk_open(&d, p->n, p->all, err, cap);
}

int ports_open(struct ports *p, const struct options *o, struct arena *arena, char *err, size_t cap)
{
	p->n = o->n_workers;
	p->dpdk = o->dpdk.device[0];
	return p->dpdk ? open_dpdk(p, o, arena, err, cap) : open_sock(p, o, err, cap);
}

const char *ports_kind(const struct ports *p)
{
	return p->all[0]->ops->kind;
}

const char *ports_mode(const struct ports *p)
{
	return p->dpdk ? port_dpdk_mode(p->all[0]) : port_sock_mode(p->all[0]);
}

int ports_listen(void *ctx, const struct endpoint *local, int *fds, char *err, size_t cap)
{
	struct ports *p = ctx;

	return p->dpdk ? port_dpdk_listen(local, p->n, fds, err, cap)
		       : port_sock_listen(local, p->n, &p->sock, fds, err, cap);
}

int ports_bind(void *ctx, const struct port_sock_source *s, char *err, size_t cap)
{
	struct ports *p = ctx;

	return p->dpdk ? port_dpdk_bind(s, err, cap) : port_sock_bind(s, &p->sock, err, cap);
}
