// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_caller.h"
#include "proto/srt_hs.h"

#include "base/endpoint.h"
#include "pcap.h"
#include "proto/srt_clock.h"
#include "proto/srt_hs_wire.h"

#include <errno.h>

// The handshake of srt_media.pcap: induction, answer, conclusion, answer.
static struct pcap_pkt media[4];
// And the conclusions of srt_refused.pcap, in its order.
static struct pcap_pkt refused[4];
enum { ENCRYPTED, FILE_STREAM, FILE_MESSAGE, FEC };

static int load(void **)
{
	struct pcap_pkt p;
	struct pcap f;
	unsigned n = 0;

	pcap_open(&f, "srt_media.pcap");
	while (pcap_next(&f, &p))
		if (n < 4 && !be32_get(p.data + 4) && be32_get(p.data) == 0x80000000u)
			media[n++] = p;
	assert_int_equal(n, 4);
	pcap_open(&f, "srt_refused.pcap");
	for (n = 0; pcap_next(&f, &p); n++)
		refused[n] = p;
	assert_int_equal(n, 4);
	return 0;
}

// Two links of a group: both inductions, then conclusion and answer of each.
static void load_group(const char *file, struct pcap_pkt conclusion[2], struct pcap_pkt answer[2])
{
	struct pcap_pkt p;
	struct pcap f;
	unsigned n = 0;

	pcap_open(&f, file);
	while (pcap_next(&f, &p)) {
		if (be32_get(p.data) != 0x80000000u)
			continue;
		if (n == 4 || n == 6)
			conclusion[n / 2 - 2] = p;
		if (n == 5 || n == 7)
			answer[n / 2 - 2] = p;
		n++;
	}
	assert_int_equal(n, 8);
}

// --- listener -------------------------------------------------------------------------------

static void datagrams_are_told_apart(void **)
{
	struct pcap_pkt p = media[0];

	assert_int_equal(srt_hs_classify(media[0].data, media[0].len), SRT_HS_INDUCTION);
	assert_int_equal(srt_hs_classify(media[2].data, media[2].len), SRT_HS_CONCLUSION);
	assert_int_equal(srt_hs_classify(media[1].data, media[1].len), SRT_HS_NONE); // an answer
	assert_int_equal(srt_hs_classify(p.data, 63), SRT_HS_NONE);
	be32_put(p.data + 36, 0); // wave-a-hand: rendezvous
	assert_int_equal(srt_hs_classify(p.data, p.len), SRT_HS_NONE);
	be32_put(p.data + 16, 5);
	assert_int_equal(srt_hs_classify(p.data, p.len), SRT_HS_RENDEZVOUS);
	p = media[0];
	be32_put(p.data + 40, 0); // a caller without id cannot be answered
	assert_int_equal(srt_hs_classify(p.data, p.len), SRT_HS_NONE);
}

// libsrt's own answer to the same induction differs in the timestamp, and nowhere else.
static void induction_answer_is_libsrts(void **)
{
	uint8_t out[SRT_HS_LEN];
	uint32_t cookie = srt_hs_cookie(media[1].data);

	srt_hs_induction_answer(media[0].data, cookie, out);
	be32_put(out + 8, be32_get(media[1].data + 8));
	assert_memory_equal(out, media[1].data, SRT_HS_LEN);
}

static void a_conclusion_is_read(void **)
{
	struct srt_hs_req r;

	assert_int_equal(srt_hs_conclusion_parse(media[2].data, media[2].len, &r), 0);
	assert_int_equal(r.caller_id, 0x144c56f9);
	assert_int_equal(r.isn, 468063818);
	assert_int_equal(r.mss, 1500);
	assert_int_equal(r.window, 8192);
	assert_int_equal(r.cookie, 0x3cfb35e8);
	assert_int_equal(r.version, 0x010501);
	assert_int_equal(r.flags, 0xbf);
	assert_int_equal(r.rcv_latency_ms, 120);
	assert_int_equal(r.snd_latency_ms, 0);
	assert_string_equal(r.streamid, "publish/cam-1");
	assert_int_equal(r.streamid_len, 13);
	assert_false(r.encrypted);
}

// Written from the same values, our answer differs from libsrt's only in the version.
static void conclusion_answer_is_libsrts(void **)
{
	struct hs_fixed theirs;
	struct srt_hs_answer a = {.own_rcv_latency_ms = 120, .peer_rcv_latency_ms = 120};
	uint8_t out[SRT_HS_ANSWER_MAX];

	assert_true(hs_fixed_parse(media[3].data, media[3].len, &theirs));
	a.own_id = theirs.id;
	a.caller_id = theirs.dst;
	a.isn = theirs.isn;
	a.mss = theirs.mss;
	a.window = theirs.window;
	a.cookie = theirs.cookie;
	a.flags = 0xbf;
	memcpy(a.caller_ip, endpoint_of_v4(0x7f000001, 0).ip, 16);
	assert_int_equal(srt_hs_answer_write(&a, theirs.ts, out, sizeof(out)), 80);
	assert_int_equal(media[3].len, 80);
	be32_put(media[3].data + 68, SRT_VERSION);
	assert_memory_equal(out, media[3].data, 80);
	assert_int_equal(srt_hs_answer_write(&a, theirs.ts, out, 79), 0);
}

static void answer_is_libsrts(
	const struct srt_hs_req *r, const struct pcap_pkt *answer, uint32_t mirror)
{
	struct srt_hs_answer a = {.own_rcv_latency_ms = 200, .peer_rcv_latency_ms = 200};
	uint8_t out[SRT_HS_ANSWER_MAX];
	struct hs_fixed theirs;

	assert_true(hs_fixed_parse(answer->data, answer->len, &theirs));
	a.own_id = theirs.id;
	a.caller_id = r->caller_id;
	a.isn = r->isn;
	a.mss = theirs.mss;
	a.window = theirs.window;
	a.cookie = theirs.cookie;
	a.flags = 0xbf;
	a.group = r->group;
	a.group.id = mirror;
	memcpy(a.caller_ip, endpoint_of_v4(0x7f000001, 0).ip, 16);
	assert_int_equal(srt_hs_answer_write(&a, theirs.ts, out, sizeof(out)), answer->len);
	be32_put(out + 68, be32_get(answer->data + 68)); // the version
	assert_memory_equal(out, answer->data, answer->len);
}

// libsrt 1.5.5 with bonding, to a listener of its own: broadcast, then backup.
static void links_of_a_group_are_read_and_answered(void **)
{
	static const char *const files[] = {"srt_bonded.pcap", "srt_backup.pcap"};
	static const uint32_t ids[] = {0x48fd2d41, 0x7b54e1c0},
			      mirrors[] = {0x64808793, 0x560a622c};

	for (unsigned i = 0; i < 2; i++) {
		struct pcap_pkt conclusion[2], answer[2];

		load_group(files[i], conclusion, answer);
		for (unsigned link = 0; link < 2; link++) {
			struct srt_hs_req r;

			assert_int_equal(srt_hs_conclusion_parse(
						 conclusion[link].data, conclusion[link].len, &r),
				0);
			assert_int_equal(r.group.id, ids[i]);
			assert_int_equal(r.group.type, i ? SRT_GROUP_BACKUP : SRT_GROUP_BROADCAST);
			assert_int_equal(r.group.weight, link ? 5 : 10);
			assert_string_equal(r.streamid, "#!::r=live/bond,m=publish");
			answer_is_libsrts(&r, &answer[link], mirrors[i]);
		}
	}
}

static void what_we_do_not_serve_has_its_code(void **)
{
	static const int want[] = {
		[ENCRYPTED] = 0, // that is for who knows the passphrases
		[FILE_STREAM] = SRT_REJ_MESSAGEAPI,
		[FILE_MESSAGE] = SRT_REJ_CONGESTION,
		[FEC] = SRT_REJ_FILTER,
	};
	struct srt_hs_req r;

	for (int i = 0; i < 4; i++) {
		assert_int_equal(
			srt_hs_conclusion_parse(refused[i].data, refused[i].len, &r), want[i]);
		assert_int_equal(r.caller_id, srt_hs_caller_id(refused[i].data));
		assert_int_equal(r.encrypted, i == ENCRYPTED);
	}
}

// The conclusion with another 32-bit word at offset `at`.
static int with_word(size_t at, uint32_t word)
{
	struct pcap_pkt p = media[2];
	struct srt_hs_req r;

	be32_put(p.data + at, word);
	return srt_hs_conclusion_parse(p.data, p.len, &r);
}

static void faults_of_the_fixed_part_and_hsreq(void **)
{
	assert_int_equal(with_word(16, 4), SRT_REJ_VERSION);	      // HSv4
	assert_int_equal(with_word(20, 4), SRT_REJ_ROGUE);	      // HSREQ not announced
	assert_int_equal(with_word(24, 0x80000000), SRT_REJ_ROGUE);   // no sequence number
	assert_int_equal(with_word(64, 0x00010002), SRT_REJ_ROGUE);   // HSREQ of two words
	assert_int_equal(with_word(64, 0x00090003), SRT_REJ_ROGUE);   // no HSREQ at all
	assert_int_equal(with_word(64, 0x0001ffff), SRT_REJ_ROGUE);   // overruns the datagram
	assert_int_equal(with_word(68, 0x00010205), SRT_REJ_VERSION); // 1.2.5
	assert_int_equal(with_word(72, 0xbf | SRT_F_STREAM), SRT_REJ_MESSAGEAPI);
	assert_int_equal(with_word(36, 7), -EBADMSG); // no conclusion
	assert_int_equal(with_word(12, 7), -EBADMSG); // not for the listener
}

// The conclusion with its stream id block (type 5, four words, at 80) made something else.
static int with_block(uint16_t type, const char *text, size_t n, struct srt_hs_req *r)
{
	uint8_t d[2048];
	struct bytes_out b = bytes_out_of(d + 80, sizeof(d) - 80);

	memcpy(d, media[2].data, 80);
	bytes_put_u16(&b, type);
	bytes_put_u16(&b, (uint16_t)(n / 4));
	bytes_put(&b, text, n);
	return srt_hs_conclusion_parse(d, 80 + bytes_out_len(&b), r);
}

static void faults_of_the_extensions(void **)
{
	static const char zeros[516];
	char sid[SRT_SID_MAX];
	struct srt_hs_req r;

	assert_int_equal(with_block(HS_BLOCK_GROUP, "\x40\0\0\1\1\0\0\7", 8, &r), 0);
	assert_true(r.group.id == 0x40000001 && r.group.weight == 7);
	assert_int_equal(with_block(HS_BLOCK_GROUP, "\x40\0\0\1\0\0\0\0", 8, &r), SRT_REJ_GROUP);
	assert_int_equal(with_block(HS_BLOCK_GROUP, "\x40\0\0\1\3\0\0\0", 8, &r), SRT_REJ_GROUP);
	assert_int_equal(with_block(HS_BLOCK_GROUP, "\0\0\0\1\1\0\0\0", 8, &r), SRT_REJ_ROGUE);
	assert_int_equal(with_block(HS_BLOCK_GROUP, "\xc0\0\0\1\1\0\0\0", 8, &r), SRT_REJ_ROGUE);
	assert_int_equal(with_block(HS_BLOCK_GROUP, "\x40\0\0\1", 4, &r), SRT_REJ_ROGUE);
	assert_int_equal(r.group.id, 0);
	assert_int_equal(with_block(HS_BLOCK_CONGESTION, "evil", 4, &r), 0); // "live", swapped
	assert_int_equal(with_block(HS_BLOCK_CONGESTION, "live", 4, &r), SRT_REJ_CONGESTION);
	assert_int_equal(with_block(42, "xxxx", 4, &r), 0); // unknown: stepped over
	assert_int_equal(r.streamid_len, 0);
	memset(sid, 'x', sizeof(sid));
	assert_int_equal(with_block(HS_BLOCK_SID, sid, sizeof(sid), &r), 0);
	assert_int_equal(r.streamid_len, SRT_SID_MAX);
	assert_int_equal(strlen(r.streamid), SRT_SID_MAX);
	assert_int_equal(with_block(HS_BLOCK_SID, zeros, 516, &r), SRT_REJ_ROGUE);
	assert_int_equal(with_block(HS_BLOCK_SID, zeros, 8, &r), 0);
	assert_int_equal(r.streamid_len, 0);
	assert_int_equal(with_block(HS_BLOCK_SID, "d\0ba", 4, &r), SRT_REJX_BAD_REQUEST);
}

static void a_rejection_is_a_bare_handshake(void **)
{
	uint8_t out[SRT_HS_LEN];
	struct srt_hs_req r;
	struct hs_fixed f;

	assert_int_equal(srt_hs_conclusion_parse(media[2].data, media[2].len, &r), 0);
	assert_int_equal(srt_hs_reject_write(&r, SRT_REJX_NOTFOUND, out), SRT_HS_LEN);
	assert_true(hs_fixed_parse(out, sizeof(out), &f));
	assert_int_equal(f.type, 2404);
	assert_int_equal(f.dst, r.caller_id);
	assert_int_equal(f.isn, r.isn);
	assert_int_equal(f.cookie, r.cookie);
	assert_int_equal(f.extension, 0);
}

static void addresses_travel_byte_reversed(void **)
{
	struct endpoint v6 = {0};
	uint8_t out[16];

	hs_ip_put(out, endpoint_of_v4(0x7f000001, 0).ip);
	assert_memory_equal(out, "\x01\0\0\x7f\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(endpoint_parse_ip("0102:0304:0506:0708:090a:0b0c:0d0e:0f10", &v6), 0);
	hs_ip_put(out, v6.ip);
	assert_memory_equal(out, "\4\3\2\1\10\7\6\5\14\13\12\11\20\17\16\15", 16);
}

// --- caller ---------------------------------------------------------------------------------

#define NOW (1000 * (ts_us)TS_S)

static struct srt_caller caller_of_the_capture(void)
{
	struct srt_caller c;

	srt_caller_init(&c, NOW, 0x144c56f9, 468063818, 120, 0, "publish/cam-1");
	return c;
}

static void poll_matches(struct srt_caller *c, ts_us now, struct pcap_pkt *want)
{
	uint8_t out[SRT_HS_REQUEST_MAX];
	ssize_t n = srt_caller_poll(c, now, out, sizeof(out));

	assert_int_equal(n, want->len);
	memcpy(want->data + 8, out + 8, 4);    // timestamp
	memcpy(out + 48, want->data + 48, 16); // libsrt names the peer's address, nobody reads it
	if (n > SRT_HS_LEN) {
		be32_put(want->data + 68, SRT_VERSION);
		be32_put(want->data + 72, SRT_F_OURS);
	}
	assert_memory_equal(out, want->data, (size_t)n);
	assert_int_equal(srt_caller_poll(c, now, out, sizeof(out)), 0);
}

static void a_call_goes_as_libsrts_does(void **)
{
	struct srt_caller c = caller_of_the_capture();
	struct pcap_pkt induction = media[0], conclusion = media[2];

	poll_matches(&c, NOW, &induction);
	assert_int_equal(be32_get(induction.data + 8), 100 * TS_S);
	srt_caller_feed(&c, NOW + 1, media[1].data, media[1].len);
	assert_int_equal(c.state, SRT_CALLER_CONCLUSION);
	poll_matches(&c, NOW + 1, &conclusion);
	srt_caller_feed(&c, NOW + 5, media[3].data, media[3].len);
	assert_int_equal(c.state, SRT_CALLER_UP);
	assert_int_equal(c.peer_id, 0x29b27cc6);
	assert_int_equal(c.peer_isn, 468063818);
	assert_int_equal(c.agreed_own_rcv_latency_ms, 120);
	assert_int_equal(c.agreed_peer_rcv_latency_ms, 120);
	assert_int_equal(c.peer_flags, 0xbf);
	assert_int_equal(c.peer_ts, 469);
	assert_int_equal(c.up_at, NOW + 5);
	assert_int_equal(srt_caller_expiry(&c), TS_NEVER);
}

static void a_call_is_repeated_then_given_up(void **)
{
	struct srt_caller c = caller_of_the_capture();
	uint8_t out[SRT_HS_REQUEST_MAX];
	unsigned sent = 0;
	ts_us now = NOW;

	while (c.state == SRT_CALLER_INDUCTION) {
		while (srt_caller_poll(&c, now, out, sizeof(out)) > 0)
			sent++;
		now = srt_caller_expiry(&c);
		srt_caller_on_expiry(&c, now);
	}
	assert_int_equal(sent, 12);
	assert_int_equal(now, NOW + 3 * TS_S);
	assert_int_equal(c.error, -ETIMEDOUT);
	assert_int_equal(srt_caller_poll(&c, now, out, sizeof(out)), 0);
}

static void a_call_has_limits_of_its_own(void **)
{
	struct srt_caller c = caller_of_the_capture();
	uint8_t out[SRT_HS_REQUEST_MAX];
	unsigned sent = 0;

	srt_caller_set_limits(&c, 600 * TS_MS, 1200);
	for (ts_us now = NOW; c.state == SRT_CALLER_INDUCTION; now = srt_caller_expiry(&c)) {
		srt_caller_on_expiry(&c, now);
		while (srt_caller_poll(&c, now, out, sizeof(out)) > 0)
			sent++;
		assert_true(now <= NOW + 600 * TS_MS);
	}
	assert_int_equal(sent, 3);
	assert_int_equal(c.error, -ETIMEDOUT);
	assert_int_equal(be32_get(out + 28), 1200);
}

static void a_refused_call_keeps_the_code(void **)
{
	struct srt_caller c = caller_of_the_capture();
	uint8_t out[SRT_HS_LEN];
	struct srt_hs_req r = {.caller_id = c.own_id};

	srt_caller_feed(&c, NOW, media[1].data, media[1].len);
	srt_hs_reject_write(&r, SRT_REJ_BADSECRET, out);
	srt_caller_feed(&c, NOW, out, sizeof(out));
	assert_int_equal(c.state, SRT_CALLER_FAILED);
	assert_int_equal(c.error, SRT_REJ_BADSECRET);
}

static void strangers_do_not_disturb_a_call(void **)
{
	struct srt_caller c = caller_of_the_capture();
	struct pcap_pkt p = media[1];

	be32_put(p.data + 12, 7); // for another socket
	srt_caller_feed(&c, NOW, p.data, p.len);
	srt_caller_feed(&c, NOW, media[3].data, media[3].len); // an answer out of turn
	srt_caller_feed(&c, NOW, p.data, 20);
	assert_int_equal(c.state, SRT_CALLER_INDUCTION);
	p = media[1];
	be32_put(p.data + 20, 0); // no magic: an HSv4 listener
	srt_caller_feed(&c, NOW, p.data, p.len);
	assert_int_equal(c.state, SRT_CALLER_FAILED);
	assert_int_equal(c.error, -EPROTO);
}

// srt-wire 5.6: media that overtakes the answer makes the caller repeat soon, not in a storm.
static void early_media_hurries_the_repeat(void **)
{
	struct srt_caller c = caller_of_the_capture();
	uint8_t out[SRT_HS_REQUEST_MAX], media_pkt[32] = {0};
	unsigned sent = 0;

	srt_caller_feed(&c, NOW, media[1].data, media[1].len);
	be32_put(media_pkt + 12, c.own_id);
	for (ts_us now = NOW; now < NOW + 100 * TS_MS; now += TS_MS) {
		srt_caller_feed(&c, now, media_pkt, sizeof(media_pkt));
		srt_caller_on_expiry(&c, now);
		while (srt_caller_poll(&c, now, out, sizeof(out)) > 0)
			sent++;
	}
	assert_in_range(sent, 9, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams_are_told_apart),
		cmocka_unit_test(induction_answer_is_libsrts),
		cmocka_unit_test(a_conclusion_is_read),
		cmocka_unit_test(conclusion_answer_is_libsrts),
		cmocka_unit_test(links_of_a_group_are_read_and_answered),
		cmocka_unit_test(what_we_do_not_serve_has_its_code),
		cmocka_unit_test(faults_of_the_fixed_part_and_hsreq),
		cmocka_unit_test(faults_of_the_extensions),
		cmocka_unit_test(a_rejection_is_a_bare_handshake),
		cmocka_unit_test(addresses_travel_byte_reversed),
		cmocka_unit_test(a_call_goes_as_libsrts_does),
		cmocka_unit_test(a_call_is_repeated_then_given_up),
		cmocka_unit_test(a_call_has_limits_of_its_own),
		cmocka_unit_test(a_refused_call_keeps_the_code),
		cmocka_unit_test(strangers_do_not_disturb_a_call),
		cmocka_unit_test(early_media_hurries_the_repeat),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
