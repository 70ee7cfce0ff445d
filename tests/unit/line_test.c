// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/bytes.h"
#include "base/rand.h"
#include "io/line.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINKTYPE_RAW 101 // pcap: IPv4 or IPv6, as the version says

struct copy {
	enum line_kind kind;
	uint32_t seq, word1, ts;
	uint16_t len;
	uint8_t payload[1500];
};

static struct endpoint some_v6(struct rand *r)
{
	struct endpoint e = {.ip[0] = 0x20, .port = (uint16_t)rand_u64(r)};

	for (unsigned i = 1; i < sizeof(e.ip); i++)
		e.ip[i] = (uint8_t)rand_u64(r);
	return e;
}

static struct line_udp some_addresses(struct rand *r)
{
	if (rand_below(r, 2))
		return (struct line_udp){
			.local = some_v6(r),
			.peer = some_v6(r),
			.ifindex = rand_below(r, 1 << 20),
			.ttl = (uint8_t)rand_u64(r),
			.dscp = rand_u64(r) & 63,
		};
	return (struct line_udp){
		.local = endpoint_of_v4((uint32_t)rand_u64(r), (uint16_t)rand_u64(r)),
		.peer = endpoint_of_v4((uint32_t)rand_u64(r), (uint16_t)rand_u64(r)),
		.ifindex = rand_below(r, 100),
		.ttl = (uint8_t)rand_u64(r),
		.dscp = rand_u64(r) & 63,
	};
}

static struct line_srt some_srt(struct rand *r)
{
	return (struct line_srt){(uint32_t)rand_u64(r) & SEQ31_MASK, (uint32_t)rand_u64(r),
		0x08000000u, (uint32_t)rand_u64(r) & 0x3fffffff};
}

static struct line_rtp some_rtp(struct rand *r)
{
	return (struct line_rtp){
		(uint16_t)rand_u64(r), (uint32_t)rand_u64(r), (uint32_t)rand_u64(r)};
}

static void line_of(struct line *l, enum line_kind kind, struct rand *r)
{
	struct line_udp u = some_addresses(r);
	struct line_srt s = some_srt(r);
	struct line_rtp p = some_rtp(r);

	if (kind == LINE_SRT)
		line_build_srt(l, &u, &s);
	else if (kind == LINE_RTP)
		line_build_rtp(l, &u, &p);
	else
		line_build_udp(l, &u);
}

static void some_copy(struct copy *c, struct rand *r)
{
	c->kind = (enum line_kind)rand_below(r, 3);
	c->seq = (uint32_t)rand_u64(r);
	c->word1 = 0xc0000000u | ((uint32_t)rand_u64(r) & 0x03ffffff);
	c->ts = (uint32_t)rand_u64(r);
	c->len = (uint16_t)rand_below(r, 1457);
	for (unsigned i = 0; i < c->len; i++)
		c->payload[i] = (uint8_t)rand_u64(r);
}

// The IP packet as it goes on the wire; returns its length.
static unsigned render(const struct line *l, const struct copy *c, uint8_t out[1600])
{
	uint8_t header[WIRE_LINE];
	unsigned begin = line_is_v6(l) ? WIRE_IP6 : WIRE_IP;
	unsigned n = WIRE_MEDIA + line_media_len(c->kind) - begin;

	line_render(
		l, c->kind, c->seq, c->word1, c->ts, c->len, line_sum(c->payload, c->len), header);
	memcpy(out, header + begin, n);
	memcpy(out + n, c->payload, c->len);
	return n + c->len;
}

// RFC 1071 as the RFC words it: big-endian words, one by one. 0xffff for data whose checksum holds.
static uint16_t plain_sum(const uint8_t *d, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? d[i] : (uint32_t)d[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

// Whatever vectors it goes by: every length, at every offset within a word, zeros and all ones too.
static void sums_are_those_of_the_rfc(void **)
{
	static uint8_t data[1600];

	for (unsigned fill = 0; fill < 3; fill++) {
		for (unsigned i = 0; i < sizeof(data); i++)
			data[i] = fill == 2 ? (uint8_t)(i * 167 + (i >> 3)) : (uint8_t)-fill;
		for (unsigned len = 0; len < 1500; len++) {
			const uint8_t *at = data + len % 8;
			uint32_t got = line_sum(at, len);

			assert_int_equal(__builtin_bswap16((uint16_t)got), plain_sum(at, len, 0));
		}
	}
}

static void assert_udp_holds(const uint8_t *udp, unsigned len, const uint8_t *addresses, size_t n)
{
	assert_int_equal(be16_get(udp + 4), len);
	assert_int_not_equal(be16_get(udp + 6), 0);
	assert_int_equal(plain_sum(udp, len, plain_sum(addresses, n, 17 + len)), 0xffff);
}

static void assert_checksums_hold(const uint8_t *ip, unsigned len)
{
	if (ip[0] >> 4 == 6) {
		assert_int_equal(be16_get(ip + 4), len - 40);
		assert_udp_holds(ip + 40, len - 40, ip + 8, 32);
		return;
	}
	assert_int_equal(be16_get(ip + 2), len);
	assert_int_equal(plain_sum(ip, 20, 0), 0xffff);
	assert_udp_holds(ip + 20, len - 20, ip + 12, 8);
}

static void rendered_checksums_hold(void **)
{
	struct rand r = {7};
	uint8_t packet[1600];
	struct line l;
	struct copy c;

	for (int i = 0; i < 20000; i++) {
		some_copy(&c, &r);
		line_of(&l, c.kind, &r);
		assert_checksums_hold(packet, render(&l, &c, packet));
	}
}

// A UDP sum of 0 has to travel as 0xffff: search a payload word that makes it 0.
static void zero_checksum_is_sent_as_all_ones(void **)
{
	struct copy c = {.kind = LINE_UDP, .len = 2};
	struct rand r = {3};
	uint8_t packet[1600];
	unsigned ones = 0;
	struct line l;

	line_of(&l, LINE_UDP, &r);
	for (unsigned v = 0; v < 65536; v++) {
		be16_put(c.payload, (uint16_t)v);
		assert_checksums_hold(packet, render(&l, &c, packet));
		ones += be16_get(packet + (line_is_v6(&l) ? 46 : 26)) == 0xffff;
	}
	assert_true(ones >= 1);
}

static void an_srt_copy_is_the_streams_numbers_plus_the_deltas(void **)
{
	struct line_udp u = {endpoint_of_v4(0x0a000001, 9000), endpoint_of_v4(0x0a000002, 40000)};
	struct line_srt s = {0x7ffffffe, 0xfffffff0, 0x10000000, 0x12345678};
	static const uint8_t want[16] = {0x00, 0x00, 0x00, 0x03, 0xd0, 0x00, 0x00, 0x2a, 0x00, 0x00,
		0x00, 0x54, 0x12, 0x34, 0x56, 0x78};
	uint8_t media[16], header[64];
	struct line l, before;

	line_build_srt(&l, &u, &s);
	before = l;
	assert_int_equal(line_media(&l, LINE_SRT, 5, 0xc000002a, 100, media), 16);
	assert_memory_equal(media, want, 16);
	line_render(&l, LINE_SRT, 5, 0xc000002a, 100, 1316, 0, header);
	assert_memory_equal(header + WIRE_MEDIA, want, 16);
	assert_memory_equal(&l, &before, sizeof(l));
}

static void an_rtp_copy_wraps_at_16_bits(void **)
{
	struct line_udp u = {endpoint_of_v4(0x0a000001, 9000), endpoint_of_v4(0xef010203, 5000)};
	struct line_rtp p = {0xffff, 0x10, 0xdeadbeef};
	static const uint8_t want[12] = {
		0x80, 33, 0x00, 0x04, 0x00, 0x00, 0x00, 0x0f, 0xde, 0xad, 0xbe, 0xef};
	uint8_t media[16];
	struct line l;

	line_build_rtp(&l, &u, &p);
	assert_int_equal(line_media(&l, LINE_RTP, 0x50005, 0xffffffff, 0xffffffff, media), 12);
	assert_memory_equal(media, want, 12);
	assert_int_equal(line_media(&l, LINE_UDP, 1, 2, 3, media), 0);
}

static void addresses_come_back(void **)
{
	struct rand r = {11};
	struct line l;

	for (int i = 0; i < 1000; i++) {
		struct line_udp u = some_addresses(&r), back;
		struct line_srt s = some_srt(&r);

		line_build_srt(&l, &u, &s);
		back = line_addresses(&l);
		assert_true(endpoint_eq(&u.local, &back.local) && endpoint_eq(&u.peer, &back.peer));
		assert_int_equal(back.ifindex, u.ifindex);
		assert_int_equal(back.ttl, u.ttl ? u.ttl : 64);
		assert_int_equal(back.dscp, u.dscp);
	}
}

static void write_pcap(FILE *f, struct rand *r, unsigned n)
{
	const uint32_t file_header[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, LINKTYPE_RAW};
	uint8_t packet[1600];
	struct line l;
	struct copy c;

	assert_int_equal(fwrite(file_header, sizeof(file_header), 1, f), 1);
	for (unsigned i = 0; i < n; i++) {
		uint32_t head[4] = {i, 0};
		struct line_udp u = {endpoint_of_v4(0x0a000001, 9000),
			endpoint_of_v4(0x0a000002 + i, (uint16_t)(40000 + i))};
		struct line_udp u6 = {some_v6(r), some_v6(r)};
		struct line_srt s = some_srt(r);
		struct line_rtp p = some_rtp(r);

		if (i % 2) {
			u6.local.port = u.local.port;
			u6.peer.port = u.peer.port;
			u = u6;
		}
		some_copy(&c, r);
		if (c.kind == LINE_SRT)
			line_build_srt(&l, &u, &s);
		else if (c.kind == LINE_RTP)
			line_build_rtp(&l, &u, &p);
		else
			line_build_udp(&l, &u);
		head[2] = head[3] = render(&l, &c, packet);
		assert_int_equal(fwrite(head, sizeof(head), 1, f), 1);
		assert_int_equal(fwrite(packet, head[2], 1, f), 1);
	}
}

// Somebody else's dissector has the last word on both checksums.
static void tshark_finds_good_checksums(void **)
{
	char path[] = "/tmp/sluice-line-XXXXXX", cmd[512];
	struct rand r = {5};
	unsigned good = 0;
	char out[64];
	FILE *f;

	if (system("command -v tshark > /dev/null") != 0)
		skip();
	f = fdopen(mkstemp(path), "wb");
	assert_non_null(f);
	write_pcap(f, &r, 300);
	fclose(f);
	snprintf(cmd, sizeof(cmd),
		"tshark -n -r %s -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE -T fields "
		"-e ip.checksum.status -e udp.checksum.status 2>/dev/null",
		path);
	f = popen(cmd, "r");
	assert_non_null(f);
	while (fgets(out, sizeof(out), f))
		good += !strcmp(out, "1\t1\n") || !strcmp(out, "\t1\n"); // IPv6 has one sum
	pclose(f);
	unlink(path);
	assert_int_equal(good, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_are_those_of_the_rfc),
		cmocka_unit_test(rendered_checksums_hold),
		cmocka_unit_test(zero_checksum_is_sent_as_all_ones),
		cmocka_unit_test(an_srt_copy_is_the_streams_numbers_plus_the_deltas),
		cmocka_unit_test(an_rtp_copy_wraps_at_16_bits),
		cmocka_unit_test(addresses_come_back),
		cmocka_unit_test(tshark_finds_good_checksums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
