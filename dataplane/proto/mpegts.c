// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/mpegts.h"

#include "base/bytes.h"

enum {
	TABLE_PAT = 0x00,
	TABLE_PMT = 0x02,
	TYPE_MPEG1 = 0x01,
	TYPE_MPEG2 = 0x02,
	TYPE_MPEG4 = 0x10,
	TYPE_H264 = 0x1b,
	TYPE_HEVC = 0x24,
	TYPE_VVC = 0x33,
};

bool mpegts_looks_like(const uint8_t *data, size_t len)
{
	if (!len || len % MPEGTS_PACKET)
		return false;
	for (size_t at = 0; at < len; at += MPEGTS_PACKET)
		if (data[at] != MPEGTS_SYNC)
			return false;
	return true;
}

bool mpegts_parse(const uint8_t data[MPEGTS_PACKET], struct mpegts_pkt *out)
{
	unsigned control = data[3] >> 4 & 3, at = 4;

	if (data[0] != MPEGTS_SYNC || data[1] & 0x80)
		return false;
	*out = (struct mpegts_pkt){
		.pid = (uint16_t)((data[1] & 0x1f) << 8 | data[2]),
		.start = data[1] & 0x40,
	};
	if (control & 2) {
		at += 1u + data[4];
		if (at > MPEGTS_PACKET)
			return false;
		out->random = data[4] && data[5] & 0x40;
	}
	if (control & 1 && at < MPEGTS_PACKET) {
		out->payload = data + at;
		out->len = (uint16_t)(MPEGTS_PACKET - at);
	}
	return true;
}

// The body of a section of the given table that starts in this packet, behind the five bytes that
// all long sections share, without the CRC (2.4.4.1).
static bool section(const struct mpegts_pkt *p, uint8_t table, struct bytes *out)
{
	struct bytes b;
	unsigned len;

	if (!p->payload)
		return false;
	b = bytes_of(p->payload, p->len);
	bytes_skip(&b, p->start ? bytes_u8(&b) : 0); // pointer_field
	if (!p->start || bytes_u8(&b) != table)
		return false;
	len = bytes_u16(&b) & 0xfff;
	if (!bytes_skip(&b, 5) || len < 9)
		return false;
	*out = b;
	if (len - 9 < bytes_left(&b))
		out->end = b.at + len - 9;
	return true;
}

bool mpegts_pat(const struct mpegts_pkt *p, uint16_t *pmt_pid)
{
	struct bytes b;

	if (p->pid != MPEGTS_PID_PAT || !section(p, TABLE_PAT, &b))
		return false;
	while (bytes_left(&b) >= 4) {
		uint16_t program = bytes_u16(&b), pid = bytes_u16(&b) & 0x1fff;

		if (program) { // 0 names the network table
			*pmt_pid = pid;
			return true;
		}
	}
	return false;
}

static bool is_video(uint8_t type)
{
	return type == TYPE_MPEG1 || type == TYPE_MPEG2 || type == TYPE_MPEG4 ||
	       type == TYPE_H264 || type == TYPE_HEVC || type == TYPE_VVC;
}

bool mpegts_pmt(const struct mpegts_pkt *p, struct mpegts_video *out)
{
	struct bytes b;

	if (!section(p, TABLE_PMT, &b))
		return false;
	bytes_skip(&b, 2); // PCR PID
	bytes_skip(&b, bytes_u16(&b) & 0xfff);
	if (!bytes_ok(&b))
		return false;
	*out = (struct mpegts_video){.pid = MPEGTS_PID_NONE};
	while (bytes_left(&b) >= 5) {
		uint8_t type = bytes_u8(&b);
		uint16_t pid = bytes_u16(&b) & 0x1fff;

		if (is_video(type)) {
			*out = (struct mpegts_video){.pid = pid, .stream_type = type};
			return true;
		}
		bytes_skip(&b, bytes_u16(&b) & 0xfff);
	}
	return true;
}

// H.264: IDR slice or SPS (table 7-1). HEVC: IRAP slices, VPS, SPS (table 7-1). MPEG-2: sequence
// header.
static bool is_key_unit(uint8_t type, uint8_t first)
{
	unsigned hevc = first >> 1 & 0x3f;

	switch (type) {
	case TYPE_H264:
		return (first & 0x1f) == 5 || (first & 0x1f) == 7;
	case TYPE_HEVC:
		return (hevc >= 16 && hevc <= 23) || hevc == 32 || hevc == 33;
	case TYPE_MPEG1:
	case TYPE_MPEG2:
		return first == 0xb3;
	default:
		return false;
	}
}

static bool has_key_units(uint8_t type)
{
	return type == TYPE_H264 || type == TYPE_HEVC || type == TYPE_MPEG1 || type == TYPE_MPEG2;
}

// The beginning of a picture: parameter sets and the slice's type stand in its first packet. Of
// coding that we cannot read, any picture will do.
static bool starts_key_picture(const struct mpegts_pkt *p, uint8_t type)
{
	const uint8_t *d = p->payload;

	if (!has_key_units(type))
		return true;
	for (unsigned i = 0; d && i + 3 < p->len; i++)
		if (!d[i] && !d[i + 1] && d[i + 2] == 1 && is_key_unit(type, d[i + 3]))
			return true;
	return false;
}

static bool is_random(struct mpegts_scan *s, const struct mpegts_pkt *p)
{
	if (!s->known || !p->start)
		return false;
	if (s->video.pid == MPEGTS_PID_NONE) // audio: every unit
		return p->pid != MPEGTS_PID_PAT && p->pid != s->pmt_pid;
	if (p->pid != s->video.pid)
		return false;
	s->flagged |= p->random;
	return s->flagged ? p->random : starts_key_picture(p, s->video.stream_type);
}

static unsigned scan_packet(struct mpegts_scan *s, const uint8_t *data)
{
	struct mpegts_pkt p;

	if (!mpegts_parse(data, &p))
		return 0;
	if (p.pid == MPEGTS_PID_PAT)
		return mpegts_pat(&p, &s->pmt_pid) ? MPEGTS_HAS_PAT : 0;
	if (s->pmt_pid && p.pid == s->pmt_pid) {
		s->known |= mpegts_pmt(&p, &s->video);
		return 0;
	}
	return is_random(s, &p) ? MPEGTS_HAS_RANDOM : 0;
}

unsigned mpegts_scan(struct mpegts_scan *s, const uint8_t *data, size_t len)
{
	unsigned marks = 0;

	for (size_t at = 0; at + MPEGTS_PACKET <= len; at += MPEGTS_PACKET)
		marks |= scan_packet(s, data + at);
	return marks;
}
