// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Bad input by whole workers, a row for each kind: a counter says so, what is sent because of it is
// bounded by what came, and neither the attacked stream nor another one misses a packet.

#include "base/seq.h"
#include "proto/srt_cookie.h"
#include "proto/srt_hs_wire.h"
#include "proto/srt_pkt.h"
#include "test.h"
#include "worker_rig.h"

#include <stdlib.h>
#include <string.h>

enum {
	LEN = 1200,
	TIMES = 400, // datagrams of a kind
	PER_MS = 4,
	// A millisecond's own traffic: a packet of two streams to a player each, and what
	// acknowledges.
	OWN_PER_MS = 2 + 3,
	KM_LENGTHS = 256,
	BIG = 1u << 30,
};

struct scene {
	struct rig *r;
	struct rig_peer *pub, *sub;	  // of the attacked stream; sub is encrypted
	struct rig_peer *other, *watcher; // of another
	struct rig_peer stranger;	  // nobody
	uint32_t stamp;
	uint64_t sent;
	ts_us began;
};

static uint64_t sent(const struct rig *r)
{
	return r->ports[0]->ops->tx_posted(r->ports[0]);
}

static void live(struct scene *s, unsigned ms)
{
	while (ms--) {
		s->stamp++;
		rig_publish(s->r, s->pub, s->stamp, LEN);
		rig_publish(s->r, s->other, s->stamp, LEN);
		rig_run(s->r, 1);
	}
}

static struct scene *begin(enum srt_suite suite)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct rig *r = s->r = rig_new(1);

	rig_stream(r, 0, 0);
	rig_stream(r, 1, 0);
	r->keeps[0] = true;
	s->pub = suite ? rig_call_secure(r, 0, true, 0, suite) : rig_call(r, 0, true, 0);
	s->sub = rig_call_secure(r, 0, false, 0, SRT_CTR_128);
	s->other = rig_call(r, 1, true, 0);
	s->watcher = rig_call(r, 1, false, 0);
	s->stranger.at = endpoint_of_v4(0x0a001000, 500);
	rig_run(r, 20);
	live(s, 100);
	s->sent = sent(r);
	s->began = r->now;
	return s;
}

static void whole(struct rig_peer *p, uint32_t n)
{
	assert_false(p->closed);
	assert_int_equal(p->n_got, n);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(p->got[i].seq, i);
		assert_int_equal(p->got[i].stamp, i + 1);
	}
	assert_int_equal(p->n_clear + p->n_undecryptable, 0);
}

// At most `answers` datagrams more than without it, and both streams are whole.
static void end(struct scene *s, uint64_t answers)
{
	uint64_t own;

	live(s, 100);
	own = OWN_PER_MS * (s->r->now - s->began) / TS_MS;
	assert_in_range(sent(s->r) - s->sent, 0, own + answers);
	rig_run(s->r, 200);
	whole(s->watcher, s->stamp);
	whole(s->sub, s->stamp);
	assert_int_equal(s->r->n_down, 0);
	rig_free(s->r);
	free(s);
}

static void throw(struct scene * s, struct rig_peer *from, const uint8_t *d, size_t len, unsigned i)
{
	rig_inject(s->r, from, d, len);
	if (i % PER_MS == 0)
		live(s, 1);
}

// --- handshakes -----------------------------------------------------------------------------

static size_t conclusion(uint8_t *d, size_t cap, uint32_t cookie, uint32_t id, const char *streamid,
	const uint8_t *km, size_t km_len)
{
	struct bytes_out b = bytes_out_of(d, cap);

	hs_fixed_put(
		&b, &(struct hs_fixed){.version = HS_VERSION5,
			    .extension = HS_FLAG_HSREQ | HS_FLAG_CONFIG | (km ? HS_FLAG_KMREQ : 0),
			    .isn = 5,
			    .mss = HS_MSS,
			    .window = 8192,
			    .type = HS_CONCLUSION,
			    .id = id,
			    .cookie = cookie});
	hs_ext_put(
		&b, HS_BLOCK_HSREQ, &(struct hs_ext){.version = SRT_VERSION, .flags = SRT_F_OURS});
	hs_string_put(&b, HS_BLOCK_SID, streamid);
	if (km)
		hs_km_put(&b, HS_BLOCK_KMREQ, km, (uint16_t)km_len);
	return bytes_out_len(&b);
}

static uint32_t cookie_of(const struct rig_peer *p, ts_us at)
{
	const struct srt_cookie_key key = {RIG_COOKIE_KEY, RIG_COOKIE_KEY};

	return srt_cookie_make(&key, &p->at, RIG_PORT, at);
}

// Each under a key that another passphrase has wrapped.
static void callers_of_another_passphrase(void **state)
{
	struct scene *s = begin(SRT_CTR_128);
	enum { CALLERS = 50 };

	for (unsigned i = 0; i < CALLERS; i++) {
		struct rig_peer *p = rig_call_secure(s->r, 0, i & 1, 0, SRT_CTR_128 + i % 6);

		p->km[40] ^= 1;
		live(s, 2);
	}
	live(s, 50);
	for (unsigned i = 0; i < CALLERS; i++)
		assert_true(s->r->peers[s->r->n_peers - 1 - i]->rejected);
	assert_int_equal(
		rig_drops(s->r, DP_DROP_REFUSED_SECRET) + rig_drops(s->r, DP_DROP_REFUSED_CONFLICT),
		CALLERS);
	end(s, 2 * CALLERS);
}

// Somebody's conclusion over and over: an answer each, one session. Three minutes later, when all
// is forgotten, its cookie is stale.
static void a_conclusion_again_and_again(void **state)
{
	struct scene *s = begin(SRT_CLEAR);
	uint8_t d[256];
	size_t len =
		conclusion(d, sizeof(d), cookie_of(&s->stranger, s->r->now), 900, "s0", NULL, 0);
	unsigned up = s->r->n_up;
	uint64_t before;

	for (unsigned i = 0; i < TIMES; i++)
		throw(s, &s->stranger, d, len, i);
	live(s, 5);
	assert_int_equal(s->r->n_up, up + 1);
	assert_in_range(sent(s->r) - s->sent, TIMES,
		(OWN_PER_MS + 1) * (s->r->now - s->began) / TS_MS + TIMES);
	for (unsigned i = 0; i < 200; i++) { // it never says a word again
		live(s, 1);
		s->r->now += 900 * TS_MS;
	}
	rig_run(s->r, 1);
	assert_int_equal(s->r->n_down, 1);
	s->r->n_down = 0;
	s->sent = sent(s->r);
	s->began = s->r->now;
	before = rig_drops(s->r, DP_DROP_BAD_COOKIE);
	for (unsigned i = 0; i < TIMES; i++)
		throw(s, &s->stranger, d, len, i);
	live(s, 5);
	assert_int_equal(rig_drops(s->r, DP_DROP_BAD_COOKIE) - before, TIMES);
	assert_int_equal(s->r->n_up, up + 1);
	end(s, 0);
}

// A conclusion before its induction, or with the cookie of another address or port; and inductions
// in the name of one who is in, which are answered and forgotten.
static void handshakes_out_of_order_and_cookies_of_others(void **state)
{
	struct scene *s = begin(SRT_CLEAR);
	struct rig_peer port = s->stranger;
	uint32_t cookies[] = {0, cookie_of(s->sub, s->r->now), cookie_of(s->watcher, s->r->now), 0};
	uint8_t d[256], induction[SRT_HS_LEN];
	struct bytes_out b = bytes_out_of(induction, sizeof(induction));
	unsigned up = s->r->n_up;

	port.at.port++;
	cookies[3] = cookie_of(&port, s->r->now);
	for (unsigned i = 0; i < TIMES; i++) {
		size_t len = conclusion(d, sizeof(d), cookies[i % 4], 900 + i, "s0", NULL, 0);

		throw(s, &s->stranger, d, len, i);
	}
	live(s, 5);
	assert_int_equal(rig_drops(s->r, DP_DROP_BAD_COOKIE), TIMES);
	hs_fixed_put(&b, &(struct hs_fixed){.version = HS_VERSION4,
				 .extension = 2,
				 .mss = HS_MSS,
				 .type = HS_INDUCTION,
				 .id = s->sub->caller.own_id});
	for (unsigned i = 0; i < TIMES; i++)
		throw(s, s->sub, induction, sizeof(induction), i);
	assert_int_equal(s->r->n_up, up);
	end(s, TIMES);
}

// --- control packets ------------------------------------------------------------------------

struct forged {
	enum srt_type type;
	uint8_t subtype, len;
};

static size_t forge(uint8_t *d, size_t cap, const struct forged *f, uint32_t dst, uint32_t seq)
{
	struct bytes_out b = bytes_out_of(d, cap);

	srt_pkt_put_ctrl(&b, f->type, 1, 0, dst);
	d[3] = f->subtype;
	for (unsigned i = 0; i < f->len / 4u; i++)
		bytes_put_u32(&b, f->type == SRT_NAK && !i ? seq | 0x80000000u : seq);
	return bytes_out_len(&b);
}

// The id of a publisher or player, the address of nobody, or of somebody else who is in.
static void control_packets_from_a_wrong_address(void **state)
{
	static const struct forged kinds[] = {{SRT_ACK, 0, 28}, {SRT_NAK, 0, 8},
		{SRT_SHUTDOWN, 0, 4}, {SRT_USER, SRT_KMREQ, 56}, {SRT_USER, SRT_KMRSP, 56},
		{SRT_DROPREQ, 0, 8}, {SRT_ACKACK, 0, 4}, {SRT_KEEPALIVE, 0, 4}};

	for (unsigned kind = 0; kind < sizeof(kinds) / sizeof(*kinds); kind++) {
		struct scene *s = begin(SRT_CTR_128);
		struct rig_peer *const targets[] = {s->pub, s->sub, s->other, s->watcher};
		uint8_t d[128];

		for (unsigned i = 0; i < TIMES; i++) {
			struct rig_peer *to = targets[i % 4];
			struct rig_peer *from = i % 3 ? &s->stranger : targets[(i + 1) % 4];
			size_t len = forge(
				d, sizeof(d), &kinds[kind], to->caller.peer_id, s->pub->next_seq);

			throw(s, from, d, len, i);
		}
		live(s, 5);
		assert_int_equal(rig_drops(s->r, DP_DROP_WRONG_ADDRESS), TIMES);
		end(s, 0);
	}
}

// From the right address, to an id that is not.
static void control_packets_to_a_wrong_session(void **state)
{
	struct scene *s = begin(SRT_CLEAR);
	const struct forged f = {SRT_SHUTDOWN, 0, 4};
	uint8_t d[128];

	for (unsigned i = 0; i < TIMES; i++)
		throw(s, s->sub, d, forge(d, sizeof(d), &f, s->sub->caller.peer_id + 1 + i, 0), i);
	live(s, 5);
	assert_int_equal(
		rig_drops(s->r, DP_DROP_UNKNOWN_SESSION) + rig_drops(s->r, DP_DROP_WRONG_ADDRESS),
		TIMES);
	end(s, 0);
}

// --- loss lists -----------------------------------------------------------------------------

static size_t losses(uint8_t *d, size_t cap, uint32_t dst, uint32_t first)
{
	struct bytes_out b = bytes_out_of(d, cap);

	srt_pkt_put_ctrl(&b, SRT_NAK, 0, 0, dst);
	for (unsigned i = 0; i < SRT_LOSS_MAX / 2; i++) {
		bytes_put_u32(&b, seq31_add(first, i) | 0x80000000u);
		bytes_put_u32(&b, seq31_add(first, BIG - 1));
	}
	return bytes_out_len(&b);
}

// A player's list of 182 ranges of 2^30 each: it gets its budget, a latency's worth and half of the
// stream, and what is over is counted. A publisher has nothing to ask for.
static void loss_lists_of_a_billion_packets(void **state)
{
	struct scene *s = begin(SRT_CLEAR);
	uint8_t d[SRT_POLL_MAX];
	uint64_t budget;

	for (unsigned i = 0; i < TIMES; i++) {
		struct rig_peer *p = i & 1 ? s->sub : s->pub;

		throw(s, p, d, losses(d, sizeof(d), p->caller.peer_id, p->caller.isn), i);
	}
	budget = (s->r->now - s->began) / TS_MS / 2 + RIG_LATENCY_MS + 64;
	live(s, 5);
	assert_true(rig_drops(s->r, DP_DROP_UNEXPECTED) >= TIMES / 2);
	assert_true(rig_drops(s->r, DP_DROP_NAK_BUDGET) + rig_drops(s->r, DP_DROP_NAK_REPEATED) +
			    rig_drops(s->r, DP_DROP_NAK_LATE) >=
		    TIMES / 2);
	end(s, budget);
}

// --- keys -----------------------------------------------------------------------------------

// A message that is right in all but its length, of every length, as request and as answer, to a
// publisher with a key and one without, and to a player: each is counted, none is answered.
static void key_messages_of_every_length(void **state)
{
	for (unsigned who = 0; who < 3; who++) {
		struct scene *s = begin(who == 1 ? SRT_CLEAR : SRT_CTR_128);
		struct rig_peer *p = who == 2 ? s->sub : s->pub;
		uint8_t msg[KM_LENGTHS + 4] = {0}, d[SRT_HDR + KM_LENGTHS + 4];
		unsigned n = 0;
		uint64_t counted;

		memcpy(msg, s->sub->km, s->sub->km_len);
		msg[3] = SRT_KM_ODD;
		counted = rig_drops(s->r, DP_DROP_MALFORMED) + rig_drops(s->r, DP_DROP_UNEXPECTED);
		for (unsigned len = 0; len <= KM_LENGTHS; len++)
			for (unsigned what = SRT_KMREQ; what <= SRT_KMRSP; what++) {
				struct bytes_out b = bytes_out_of(d, sizeof(d));

				// Those are right: a key, and the word of a state.
				if (len == s->sub->km_len || (len == 4 && what == SRT_KMRSP))
					continue;
				srt_pkt_put_ctrl(&b, SRT_USER, 0, 0, p->caller.peer_id);
				d[3] = (uint8_t)what;
				bytes_put(&b, msg, len);
				throw(s, p, d, bytes_out_len(&b), n++);
			}
		live(s, 5);
		counted = rig_drops(s->r, DP_DROP_MALFORMED) + rig_drops(s->r, DP_DROP_UNEXPECTED) -
			  counted;
		assert_int_equal(counted, n);
		assert_int_equal(s->r->n_kdf, 0);
		end(s, 0);
	}
}

// In a conclusion, in whole words as blocks are: refused, one answer each.
static void key_blocks_of_every_length(void **state)
{
	struct scene *s = begin(SRT_CLEAR);
	uint8_t msg[KM_LENGTHS] = {0}, d[128 + KM_LENGTHS];
	unsigned n = 0, up = s->r->n_up;

	memcpy(msg, s->sub->km, s->sub->km_len);
	for (unsigned len = 0; len <= KM_LENGTHS; len += 4) {
		size_t all = conclusion(d, sizeof(d), cookie_of(&s->stranger, s->r->now), 900 + len,
			"s0", msg, len);

		if (len == s->sub->km_len)
			continue;
		throw(s, &s->stranger, d, all, n++);
	}
	live(s, 5);
	assert_int_equal(s->r->n_up, up);
	assert_int_equal(rig_drops(s->r, DP_DROP_REFUSED_SECRET) +
				 rig_drops(s->r, DP_DROP_REFUSED_REQUEST) +
				 rig_drops(s->r, DP_DROP_MALFORMED),
		n);
	end(s, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(callers_of_another_passphrase),
		cmocka_unit_test(a_conclusion_again_and_again),
		cmocka_unit_test(handshakes_out_of_order_and_cookies_of_others),
		cmocka_unit_test(control_packets_from_a_wrong_address),
		cmocka_unit_test(control_packets_to_a_wrong_session),
		cmocka_unit_test(loss_lists_of_a_billion_packets),
		cmocka_unit_test(key_messages_of_every_length),
		cmocka_unit_test(key_blocks_of_every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
