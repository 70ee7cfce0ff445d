// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_hs.h"

#include "base/seq.h"
#include "proto/srt_crypt.h"
#include "proto/srt_hs_wire.h"
#include "proto/srt_pkt.h"

#include <errno.h>

#define ID_MAX 0x3fffffffu // bit 30 marks a group
#define GROUP_ID_MAX (SRT_GROUP_BIT | ID_MAX)

enum { KM_MIN = 56 }; // one short key (srt-wire 11.2)

// What stands at these offsets: draft 3.2.1.
enum { OFF_TYPE = 36, OFF_ID = 40, OFF_COOKIE = 44 };

enum srt_hs_kind srt_hs_classify(const uint8_t *data, size_t len)
{
	struct hs_fixed f;

	if (!hs_fixed_parse(data, len, &f) || f.dst || !f.id || f.id > ID_MAX)
		return SRT_HS_NONE;
	if (f.type == HS_INDUCTION && (f.version == HS_VERSION4 || f.version == HS_VERSION5))
		return SRT_HS_INDUCTION;
	if (f.type == HS_WAVEAHAND && f.version == HS_VERSION5)
		return SRT_HS_RENDEZVOUS;
	return f.type == HS_CONCLUSION ? SRT_HS_CONCLUSION : SRT_HS_NONE;
}

uint32_t srt_hs_cookie(const uint8_t *data)
{
	return be32_get(data + OFF_COOKIE);
}

uint32_t srt_hs_caller_id(const uint8_t *data)
{
	return be32_get(data + OFF_ID);
}

void srt_hs_induction_answer(const uint8_t *data, uint32_t cookie, uint8_t out[SRT_HS_LEN])
{
	struct bytes_out b = bytes_out_of(out, SRT_HS_LEN);
	struct hs_fixed f;

	if (!hs_fixed_parse(data, SRT_HS_LEN, &f))
		return;
	f.dst = f.id; // the caller's id is echoed in the body too (srt-wire hazard 5)
	f.version = HS_VERSION5;
	f.encryption = 0;
	f.extension = HS_MAGIC;
	f.cookie = cookie;
	hs_fixed_put(&b, &f);
}

// A block of the conclusion, looked at once the flag that announces it is set. The blocks are kept
// so that faults are judged in the order of srt-wire 5.2, not in the order of the datagram.
struct blocks {
	struct bytes hsreq, kmreq, sid, congestion, group;
	bool has_hsreq, has_kmreq, has_sid, has_congestion, has_filter, has_group;
};

static void blocks_take(struct blocks *k, uint16_t flags, uint16_t type, struct bytes content)
{
	if (type == HS_BLOCK_HSREQ && flags & HS_FLAG_HSREQ) {
		k->has_hsreq = true;
		k->hsreq = content;
	} else if (type == HS_BLOCK_KMREQ && flags & HS_FLAG_KMREQ) {
		k->has_kmreq = true;
		k->kmreq = content;
	} else if (!(flags & HS_FLAG_CONFIG)) {
		return;
	} else if (type == HS_BLOCK_SID) {
		k->has_sid = true;
		k->sid = content;
	} else if (type == HS_BLOCK_CONGESTION) {
		k->has_congestion = true;
		k->congestion = content;
	} else if (type == HS_BLOCK_FILTER) {
		k->has_filter = true;
	} else if (type == HS_BLOCK_GROUP) {
		k->has_group = true;
		k->group = content;
	}
}

static bool blocks_parse(struct blocks *k, const uint8_t *data, size_t len, uint16_t flags)
{
	struct bytes b = bytes_of(data + SRT_HS_LEN, len - SRT_HS_LEN);
	struct bytes content;
	uint16_t type;

	*k = (struct blocks){0};
	while (hs_block_next(&b, &type, &content))
		blocks_take(k, flags, type, content);
	return bytes_ok(&b);
}

static int hsreq_check(const struct blocks *k, struct srt_hs_req *out)
{
	struct hs_ext e;

	if (!k->has_hsreq || !hs_ext_parse(k->hsreq, &e))
		return SRT_REJ_ROGUE;
	out->version = e.version;
	out->flags = e.flags;
	out->rcv_latency_ms = e.rcv_latency_ms;
	out->snd_latency_ms = e.snd_latency_ms;
	if (e.version < SRT_VERSION_MIN)
		return SRT_REJ_VERSION;
	return e.flags & SRT_F_STREAM ? SRT_REJ_MESSAGEAPI : 0;
}

static int config_check(const struct blocks *k)
{
	char congestion[20] = "live";

	if (k->has_congestion)
		hs_string_get(k->congestion, congestion, sizeof(congestion));
	if (strcmp(congestion, "live"))
		return SRT_REJ_CONGESTION;
	if (k->has_filter)
		return SRT_REJ_FILTER;
	return 0;
}

static int group_take(const struct blocks *k, struct srt_hs_req *out)
{
	struct srt_hs_group g;

	if (!k->has_group)
		return 0;
	if (!hs_group_parse(k->group, &g) || !(g.id & SRT_GROUP_BIT) || g.id > GROUP_ID_MAX)
		return SRT_REJ_ROGUE;
	if (g.type != SRT_GROUP_BROADCAST && g.type != SRT_GROUP_BACKUP)
		return SRT_REJ_GROUP;
	out->group = g;
	return 0;
}

static int sid_take(const struct blocks *k, struct srt_hs_req *out)
{
	struct bytes sid = k->sid;

	if (!k->has_sid)
		return 0;
	if (bytes_left(&sid) > SRT_SID_MAX)
		return SRT_REJ_ROGUE;
	out->streamid_len = (uint16_t)hs_string_get(sid, out->streamid, sizeof(out->streamid));
	// A zero inside would end the name early for whoever reads it as a string.
	return strlen(out->streamid) == out->streamid_len ? 0 : SRT_REJX_BAD_REQUEST;
}

// Its content is looked at by who knows the passphrase.
static int kmreq_take(const struct blocks *k, struct srt_hs_req *out)
{
	size_t len = bytes_left(&k->kmreq);

	if (!k->has_kmreq)
		return 0;
	if (len < KM_MIN || len > SRT_KM_MAX)
		return SRT_REJ_ROGUE;
	out->encrypted = true;
	out->km_len = (uint16_t)len;
	memcpy(out->km, k->kmreq.at, len);
	return 0;
}

static struct srt_hs_req req_of(const struct hs_fixed *f)
{
	return (struct srt_hs_req){
		.caller_id = f->id,
		.isn = f->isn,
		.mss = f->mss,
		.window = f->window,
		.cookie = f->cookie,
	};
}

void srt_hs_fixed_req(const uint8_t *data, struct srt_hs_req *out)
{
	struct hs_fixed f;

	if (hs_fixed_parse(data, SRT_HS_LEN, &f))
		*out = req_of(&f);
}

int srt_hs_conclusion_parse(const uint8_t *data, size_t len, struct srt_hs_req *out)
{
	struct hs_fixed f;
	struct blocks k;
	int rej;

	if (srt_hs_classify(data, len) != SRT_HS_CONCLUSION || !hs_fixed_parse(data, len, &f))
		return -EBADMSG;
	*out = req_of(&f);
	if (f.version != HS_VERSION5)
		return SRT_REJ_VERSION;
	if (f.isn & ~SEQ31_MASK || !blocks_parse(&k, data, len, f.extension))
		return SRT_REJ_ROGUE;
	rej = hsreq_check(&k, out);
	if (!rej)
		rej = config_check(&k);
	if (!rej)
		rej = group_take(&k, out);
	if (!rej)
		rej = sid_take(&k, out);
	return rej ? rej : kmreq_take(&k, out);
}

size_t srt_hs_answer_write(const struct srt_hs_answer *a, uint32_t ts, uint8_t *out, size_t cap)
{
	struct bytes_out b = bytes_out_of(out, cap);
	struct hs_fixed f = {
		.ts = ts,
		.dst = a->caller_id,
		.version = HS_VERSION5,
		.extension = (uint16_t)(HS_FLAG_HSREQ | (a->km_len ? HS_FLAG_KMREQ : 0) |
					(a->group.id ? HS_FLAG_CONFIG : 0)),
		.isn = a->isn,
		.mss = a->mss,
		.window = a->window,
		.type = HS_CONCLUSION,
		.id = a->own_id,
		.cookie = a->cookie,
	};

	hs_ip_put(f.ip, a->caller_ip);
	hs_fixed_put(&b, &f);
	hs_ext_put(&b, HS_BLOCK_HSRSP,
		&(struct hs_ext){.version = SRT_VERSION,
			.flags = a->flags,
			.rcv_latency_ms = a->own_rcv_latency_ms,
			.snd_latency_ms = a->peer_rcv_latency_ms});
	if (a->group.id)
		hs_group_put(&b, &a->group);
	if (a->km_len)
		hs_km_put(&b, HS_BLOCK_KMRSP, a->km, a->km_len);
	return bytes_out_len(&b);
}

size_t srt_hs_reject_write(const struct srt_hs_req *r, int code, uint8_t out[SRT_HS_LEN])
{
	struct bytes_out b = bytes_out_of(out, SRT_HS_LEN);
	struct hs_fixed f = {
		.dst = r->caller_id,
		.version = HS_VERSION5,
		.isn = r->isn,
		.mss = r->mss,
		.window = r->window,
		.type = (uint32_t)code,
		.id = r->caller_id,
		.cookie = r->cookie,
	};

	hs_fixed_put(&b, &f);
	return bytes_out_len(&b);
}

uint32_t srt_hs_mss(uint32_t mss, bool v6)
{
	uint32_t own = v6 ? HS_MSS - 20 : HS_MSS;

	return mss < own ? mss : own;
}

uint16_t srt_hs_payload_max(uint32_t mss, bool v6, bool gcm)
{
	uint32_t headers = 28 + SRT_HDR + (gcm ? SRT_GCM_TAG : 0);

	mss = srt_hs_mss(mss, v6);
	return (uint16_t)(mss > headers ? mss - headers : 0);
}
