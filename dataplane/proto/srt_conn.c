// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_conn.h"

void srt_conn_init_snd(struct srt_conn *c, ts_us now, const struct srt_snd_opts *o)
{
	c->role = SRT_CONN_SND;
	srt_snd_init(&c->snd, now, o);
}

void srt_conn_init_rcv(
	struct srt_conn *c, ts_us now, struct srt_rcv *memory, const struct srt_rcv_opts *o)
{
	c->role = SRT_CONN_RCV;
	c->rcv = memory;
	srt_rcv_init(c->rcv, now, o);
}

void srt_conn_join_rcv(struct srt_conn *c, ts_us now, struct srt_rcv *memory,
	const struct srt_rcv_opts *o, const struct srt_rcv *with)
{
	c->role = SRT_CONN_RCV;
	c->rcv = memory;
	srt_rcv_join(c->rcv, now, o, with);
}

int srt_conn_feed(
	struct srt_conn *c, ts_us now, const uint8_t *data, size_t len, struct srt_verdict *out)
{
	return c->role == SRT_CONN_SND ? srt_snd_feed(&c->snd, now, data, len, out)
				       : srt_rcv_feed(c->rcv, now, data, len, out);
}

ssize_t srt_conn_poll(struct srt_conn *c, ts_us now, uint8_t *buf, size_t cap)
{
	return c->role == SRT_CONN_SND ? srt_snd_poll(&c->snd, now, buf, cap)
				       : srt_rcv_poll(c->rcv, now, buf, cap);
}

bool srt_conn_gave_up(struct srt_conn *c, uint64_t *first, uint64_t *last)
{
	return c->role == SRT_CONN_RCV && srt_rcv_gave_up(c->rcv, first, last);
}

ts_us srt_conn_expiry(const struct srt_conn *c)
{
	return c->role == SRT_CONN_SND ? srt_snd_expiry(&c->snd) : srt_rcv_expiry(c->rcv);
}

void srt_conn_on_expiry(struct srt_conn *c, ts_us now)
{
	if (c->role == SRT_CONN_SND)
		srt_snd_on_expiry(&c->snd, now);
	else
		srt_rcv_on_expiry(c->rcv, now);
}

bool srt_conn_dead(const struct srt_conn *c, ts_us now)
{
	return c->role == SRT_CONN_SND ? srt_snd_dead(&c->snd, now) : srt_rcv_dead(c->rcv, now);
}

void srt_conn_close(struct srt_conn *c)
{
	if (c->role == SRT_CONN_SND)
		srt_snd_close(&c->snd);
	else
		srt_rcv_close(c->rcv);
}

const struct srt_rtt *srt_conn_rtt(const struct srt_conn *c)
{
	return c->role == SRT_CONN_SND ? &c->snd.rtt : srt_rcv_rtt(c->rcv);
}
