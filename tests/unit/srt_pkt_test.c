// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_pkt.h"

#include "base/seq.h"
#include "pcap.h"

#include <errno.h>

// What tshark 4.0.17 reads out of srt_media.pcap (libsrt 1.5.1 on both ends).
static const unsigned want_types[] = {
	[SRT_HANDSHAKE] = 6,
	[SRT_KEEPALIVE] = 4,
	[SRT_ACK] = 127,
	[SRT_NAK] = 22,
	[SRT_CONGESTION] = 0,
	[SRT_SHUTDOWN] = 1,
	[SRT_ACKACK] = 108,
	[SRT_DROPREQ] = 0,
	[SRT_PEERERROR] = 0,
};

struct sums {
	unsigned data, types[SRT_PEERERROR + 1], rexmit, lost;
	uint64_t seq, msgno, ts, ack_number, ack_next, rtt, rtt_var, free, lost_seq;
};

static void sum_data(struct sums *s, const uint8_t *data, size_t len)
{
	struct srt_data d;

	assert_int_equal(srt_pkt_parse_data(data, len, &d), 0);
	assert_int_equal(d.word1 & SRT_WORD1_SINGLE, SRT_WORD1_SINGLE);
	assert_int_equal(d.len, 188);
	s->data++;
	s->seq += d.seq;
	s->msgno += d.word1 & SRT_WORD1_MSGNO;
	s->rexmit += d.word1 & SRT_WORD1_R ? 1 : 0;
	s->ts += d.ts;
}

static void sum_loss(struct sums *s, const struct srt_ctrl *c)
{
	struct srt_loss l = srt_loss_of(c->cif, c->cif_len);
	uint32_t first, last;

	while (srt_loss_next(&l, &first, &last))
		for (uint32_t seq = first; seq31_off(seq, last) >= 0; seq = seq31_add(seq, 1)) {
			s->lost++;
			s->lost_seq += seq;
		}
}

static void sum_ctrl(struct sums *s, const uint8_t *data, size_t len)
{
	struct srt_ctrl c;
	struct srt_ack a;

	assert_int_equal(srt_pkt_parse_ctrl(data, len, &c), 0);
	s->types[c.type]++;
	s->ts += c.ts;
	if (c.type == SRT_NAK)
		sum_loss(s, &c);
	if (c.type != SRT_ACK)
		return;
	assert_int_equal(srt_ack_parse(&c, &a), 0);
	s->ack_number += a.number;
	s->ack_next += a.next;
	s->rtt += a.rtt_us;
	s->rtt_var += a.rtt_var_us;
	s->free += a.free_packets;
}

static void a_capture_reads_as_tshark_reads_it(void **)
{
	struct sums s = {0};
	struct pcap_pkt p;
	struct pcap f;

	pcap_open(&f, "srt_media.pcap");
	while (pcap_next(&f, &p))
		(srt_pkt_is_ctrl(p.data) ? sum_ctrl : sum_data)(&s, p.data, p.len);
	assert_int_equal(s.data, 415);
	assert_memory_equal(s.types, want_types, sizeof(want_types));
	assert_int_equal(s.rexmit, 23);
	assert_int_equal(s.seq, 194246567703);
	assert_int_equal(s.msgno, 83648);
	assert_int_equal(s.ts, 1237994280);
	assert_int_equal(s.ack_number, 8128);
	assert_int_equal(s.ack_next, 59444131191);
	assert_int_equal(s.rtt, 1557580);
	assert_int_equal(s.rtt_var, 218256);
	assert_int_equal(s.free, 1036660);
	assert_int_equal(s.lost, 26);
	assert_int_equal(s.lost_seq, 12169664086);
}

// Take a packet apart and write it again. Returns the length, 0 for kinds we do not write.
static size_t rewrite(const uint8_t *data, size_t len, uint8_t *out)
{
	struct bytes_out b = bytes_out_of(out, SRT_POLL_MAX);
	uint32_t first, last;
	struct srt_loss l;
	struct srt_data d;
	struct srt_ctrl c;
	struct srt_ack a;

	if (!srt_pkt_parse_data(data, len, &d)) {
		srt_pkt_write_data(out, d.seq, d.word1, d.ts, d.dst);
		return SRT_HDR;
	}
	assert_int_equal(srt_pkt_parse_ctrl(data, len, &c), 0);
	switch (c.type) {
	case SRT_ACK:
		assert_int_equal(srt_ack_parse(&c, &a), 0);
		srt_ack_put(&b, &a, c.ts, c.dst);
		return bytes_out_len(&b);
	case SRT_NAK:
		srt_pkt_put_ctrl(&b, SRT_NAK, c.info, c.ts, c.dst);
		l = srt_loss_of(c.cif, c.cif_len);
		while (srt_loss_next(&l, &first, &last))
			assert_true(srt_loss_put(&b, first, last));
		return bytes_out_len(&b);
	case SRT_KEEPALIVE:
	case SRT_SHUTDOWN:
	case SRT_ACKACK:
		srt_pkt_put_bare(&b, c.type, c.info, c.ts, c.dst);
		return bytes_out_len(&b);
	default:
		return 0;
	}
}

// A NAK and the packets without content come out whole, an ACK as its small form, data as header.
static void what_we_write_is_what_libsrt_writes(void **)
{
	uint8_t out[SRT_POLL_MAX];
	struct pcap_pkt p;
	struct pcap f;

	pcap_open(&f, "srt_media.pcap");
	while (pcap_next(&f, &p)) {
		size_t n = rewrite(p.data, p.len, out);

		assert_memory_equal(p.data, out, n);
		if (srt_pkt_is_ctrl(p.data) && p.data[1] != SRT_ACK && n)
			assert_int_equal(n, p.len);
		if (srt_pkt_is_ctrl(p.data) && p.data[1] == SRT_ACK)
			assert_int_equal(n, SRT_HDR + 16);
	}
}

static void short_and_unknown_packets_are_refused(void **)
{
	uint8_t d[SRT_HDR] = {0};
	struct srt_data data;
	struct srt_ctrl ctrl;

	assert_int_equal(srt_pkt_parse_data(d, SRT_HDR - 1, &data), -EBADMSG);
	assert_int_equal(srt_pkt_parse_ctrl(d, SRT_HDR, &ctrl), -EBADMSG);
	d[0] = 0x80;
	assert_int_equal(srt_pkt_parse_data(d, SRT_HDR, &data), -EBADMSG);
	assert_int_equal(srt_pkt_parse_ctrl(d, SRT_HDR - 1, &ctrl), -EBADMSG);
	d[1] = 9;
	assert_int_equal(srt_pkt_parse_ctrl(d, SRT_HDR, &ctrl), -ENOTSUP);
	d[0] = 0xff;
	d[1] = 0xff;
	d[3] = 3;
	assert_int_equal(srt_pkt_parse_ctrl(d, SRT_HDR, &ctrl), 0);
	assert_int_equal(ctrl.type, SRT_USER);
	assert_int_equal(ctrl.subtype, 3);
}

static void light_acks_say_one_thing(void **)
{
	uint8_t out[SRT_HDR + 16];
	struct bytes_out b = bytes_out_of(out, sizeof(out));
	struct srt_ctrl c;
	struct srt_ack a;

	srt_ack_put(&b, &(struct srt_ack){.number = 9, .next = 5, .light = true}, 0, 0);
	assert_int_equal(bytes_out_len(&b), SRT_HDR + 4);
	assert_int_equal(srt_pkt_parse_ctrl(out, SRT_HDR + 4, &c), 0);
	assert_int_equal(srt_ack_parse(&c, &a), 0);
	assert_true(a.light && a.next == 5 && a.number == 0);
	c.cif_len = 3;
	assert_int_equal(srt_ack_parse(&c, &a), -EBADMSG);
}

static void hostile_loss_lists_are_bounded(void **)
{
	static const uint8_t list[] = {
		0x80, 0, 0, 9, 0, 0, 0, 5,    // last before first
		0x80, 0, 0, 1, 0x80, 0, 0, 2, // two range starts, the second has no partner
		0, 0, 0, 7,		      // which takes this one: 2 .. 7
		0x80, 0, 1, 0, 0x3f, 0xff, 0xff, 0xff, // 2^30 packets
		0, 0, 0, 8,			       // beyond the budget
	};
	struct srt_loss l = srt_loss_of(list, sizeof(list));
	uint32_t first, last;

	assert_true(srt_loss_next(&l, &first, &last));
	assert_true(first == 2 && last == 7);
	assert_true(srt_loss_next(&l, &first, &last));
	assert_true(first == 256 && last - first + 1 == SRT_NAK_SPAN_MAX - 6);
	assert_false(srt_loss_next(&l, &first, &last));
	l = srt_loss_of(list, 4); // a range start at the end
	assert_false(srt_loss_next(&l, &first, &last));
	l = srt_loss_of(list + 20, 3);
	assert_false(srt_loss_next(&l, &first, &last));
}

static void a_range_may_wrap(void **)
{
	uint8_t out[8];
	struct bytes_out b = bytes_out_of(out, sizeof(out));
	struct srt_loss l;
	uint32_t first, last;

	assert_true(srt_loss_put(&b, SEQ31_MASK, 1));
	assert_memory_equal(out, "\xff\xff\xff\xff\0\0\0\1", 8);
	assert_false(srt_loss_put(&b, 5, 5)); // full
	l = srt_loss_of(out, sizeof(out));
	assert_true(srt_loss_next(&l, &first, &last));
	assert_true(first == SEQ31_MASK && last == 1);
	assert_int_equal(l.budget, SRT_NAK_SPAN_MAX - 3);
}

static void dropreq_is_two_plain_numbers(void **)
{
	static const uint8_t want[] = {0x80, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0x7f,
		0xff, 0xff, 0xff, 0, 0, 0, 2};
	uint8_t out[SRT_DROPREQ_LEN];
	uint32_t first, last;
	struct srt_ctrl c;

	assert_int_equal(srt_dropreq_write(out, SEQ31_MASK, 2, 3, 4), sizeof(want));
	assert_memory_equal(out, want, sizeof(want));
	assert_int_equal(srt_pkt_parse_ctrl(out, sizeof(out), &c), 0);
	assert_int_equal(srt_dropreq_parse(&c, &first, &last), 0);
	assert_true(first == SEQ31_MASK && last == 2);
	c.cif_len = 7;
	assert_int_equal(srt_dropreq_parse(&c, &first, &last), -EBADMSG);
	c.cif_len = 8;
	out[16] = 0xff; // a range bit has no place here
	assert_int_equal(srt_dropreq_parse(&c, &first, &last), -EBADMSG);
	srt_dropreq_write(out, 9, 5, 0, 0);
	assert_int_equal(srt_dropreq_parse(&c, &first, &last), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_capture_reads_as_tshark_reads_it),
		cmocka_unit_test(what_we_write_is_what_libsrt_writes),
		cmocka_unit_test(short_and_unknown_packets_are_refused),
		cmocka_unit_test(light_acks_say_one_thing),
		cmocka_unit_test(hostile_loss_lists_are_bounded),
		cmocka_unit_test(a_range_may_wrap),
		cmocka_unit_test(dropreq_is_two_plain_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
