// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Targets that have the publisher's passphrase: what they get is what it has encrypted, and no
// keystream is ever used for two payloads.

#include "worker_rig.h"

#include "base/seq.h"
#include "io/arena.h"
#include "test.h"

#include <rte_mbuf.h>

#include <stdlib.h>
#include <string.h>

enum { LEN = 1300, STREAM_BYTES = 12, WIRE_MAX = 1 << 17, TARGETS = 12, STORMS = 20 };

// What lies on some wire: the keystream of a packet, which is what was sent xor what was meant, and
// the payload it was used for. All of a payload but its stamp is 0x47.
struct used {
	uint8_t stream[STREAM_BYTES];
	uint32_t stamp;
	unsigned order;
};

static struct used used[WIRE_MAX];
static unsigned n_used, n_untouched, n_other;

static void note_used(const uint8_t *wire, uint32_t stamp)
{
	assert_true(n_used < WIRE_MAX);
	for (unsigned i = 0; i < STREAM_BYTES; i++)
		used[n_used].stream[i] = wire[SRT_HDR + 4 + i] ^ 0x47;
	used[n_used++].stamp = stamp;
}

static int by_stream(const void *a, const void *b)
{
	return memcmp(a, b, STREAM_BYTES);
}

static void check_no_keystream_twice(void)
{
	qsort(used, n_used, sizeof(used[0]), by_stream);
	for (unsigned i = 1; i < n_used; i++)
		assert_false(
			!by_stream(&used[i - 1], &used[i]) && used[i - 1].stamp != used[i].stamp);
}

static struct rig_peer *pub; // the one that sends now

// What the target reads there.
static uint32_t stamp_of(struct rig *r, const struct rig_peer *p, const uint8_t *data, size_t len)
{
	uint8_t clear[LEN];
	struct srt_crypt_job j = {
		.key = &p->key[(be32_get(data + 4) & SRT_WORD1_KK) == SRT_WORD1_ODD],
		.src = data + SRT_HDR,
		.dst = clear,
		.seq = be32_get(data),
		.len = (uint32_t)(len - SRT_HDR),
	};

	assert_int_equal(j.len, LEN);
	srt_crypt_ctr(r->crypt, p->suite, &j, 1);
	return be32_get(clear);
}

// To a target: the same bytes as the publisher's under the same number?
static void on_media(struct rig *r, struct rig_peer *p, const uint8_t *data, size_t len)
{
	uint32_t seq = be32_get(data);
	const uint8_t *its = pub->history[seq % 4096];
	bool same = be32_get(its) == seq && len == pub->history_len[seq % 4096] &&
		    !memcmp(its + SRT_HDR, data + SRT_HDR, len - SRT_HDR);

	if (!p->suite)
		return; // a viewer in the clear
	assert_true(be32_get(data + 4) & SRT_WORD1_KK);
	n_untouched += same;
	n_other += !same;
	if (!srt_suite_is_gcm(p->suite))
		note_used(data, stamp_of(r, p, data, len));
}

static struct rig *rig_begin_with(unsigned n_workers)
{
	struct rig *r = rig_new(n_workers);

	n_used = n_untouched = n_other = 0;
	r->on_media = on_media;
	rig_stream(r, 0, 0);
	return r;
}

static struct rig *rig_begin(void)
{
	return rig_begin_with(1);
}

// It lands on the last worker.
static void publish(struct rig *r, enum srt_suite suite, uint32_t isn)
{
	unsigned w = r->n_workers - 1;

	pub = suite ? rig_call_secure(r, 0, true, w, suite) : rig_call(r, 0, true, w);
	pub->next_seq = pub->caller.isn = isn;
	rig_run(r, 5);
	assert_true(pub->up);
}

static void stream_for(struct rig *r, unsigned n, uint32_t first_stamp)
{
	for (unsigned i = 0; i < n; i++) {
		uint32_t seq = pub->next_seq;

		rig_publish(r, pub, first_stamp + i, LEN);
		if (pub->suite)
			note_used(pub->history[seq % 4096], first_stamp + i);
		rig_run(r, 1);
	}
}

static struct rig_peer *target(struct rig *r, enum srt_suite suite)
{
	struct rig_peer *p = rig_listen_as(r, 0, suite, 0, pub->keys.salt);

	rig_run(r, 20);
	return p;
}

static int by_seq(const void *a, const void *b)
{
	const struct rig_got *x = a, *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

// All of them up to the last stamp from the one it began with, each once. Its own packets are put
// to what is on the wires: where the publisher's key has gone they are under another.
static void check_got(struct rig_peer *p, uint32_t first, uint32_t last)
{
	qsort(p->got, p->n_got, sizeof(p->got[0]), by_seq);
	assert_true(p->n_got > 0);
	assert_int_equal(p->got[0].stamp, first);
	assert_int_equal(p->n_got, last - first + 1);
	for (unsigned i = 0; i < p->n_got; i++) {
		assert_int_equal(p->got[i].seq, i);
		assert_int_equal(p->got[i].stamp, first + i);
		assert_int_equal(p->got[i].len, LEN);
	}
	assert_int_equal(p->n_clear + p->n_undecryptable, 0);
}

// Whatever is encrypted here for it comes out wrong.
static void spoil_own_keys(struct rig *r)
{
	struct path *p = &r->group->workers[0].path;

	for (uint32_t i = 0; i < p->sessions.n_fresh; i++)
		if (p->sessions.slots[i].shared)
			memset(p->secure.ctr[i], 0xee, sizeof(p->secure.ctr[i]));
}

static void it_gets_the_publishers_bytes_under_its_numbers(void **state)
{
	for (enum srt_suite suite = SRT_CTR_128; suite <= SRT_CTR_256; suite++) {
		struct rig *r = rig_begin();
		struct rig_peer *to[2];

		publish(r, suite, SEQ31_MASK - 150); // the wrap comes on the way
		stream_for(r, 100, 1);
		to[0] = target(r, suite);
		to[1] = target(r, suite);
		assert_int_equal(to[0]->km_len, pub->km_len);
		assert_memory_equal(to[0]->km, pub->km, pub->km_len);
		stream_for(r, 50, 101); // they are in the list
		spoil_own_keys(r);
		stream_for(r, 450, 151);
		rig_run(r, 50);
		check_got(to[0], 101, 600);
		check_got(to[1], 101, 600);
		assert_int_equal(n_other, 0);
		assert_int_equal(rig_frames_used(r), 600); // what it came in has been given back
		rig_free(r);
	}
}

// Another passphrase, another length, GCM.
static void who_does_not_agree_has_another_key(void **state)
{
	struct rig *r = rig_begin();
	struct rig_peer *to[3];

	publish(r, SRT_CTR_128, 5000);
	stream_for(r, 50, 1);
	to[0] = rig_listen_as(r, 0, SRT_CTR_128, 7, pub->keys.salt);
	to[1] = target(r, SRT_CTR_256);
	to[2] = target(r, SRT_GCM_128);
	for (unsigned i = 0; i < 3; i++)
		assert_memory_not_equal(to[i]->keys.sek[0], pub->keys.sek[0], 16);
	stream_for(r, 200, 51);
	rig_run(r, 50);
	for (unsigned i = 0; i < 3; i++)
		check_got(to[i], 51, 250);
	assert_int_equal(n_untouched, 0);
	rig_free(r);
}

static void by_turns(struct rig *r, struct rig_peer **links, unsigned first, unsigned last)
{
	for (unsigned i = first; i <= last; i++) {
		for (unsigned k = 0; k < 2; k++)
			rig_publish(r, links[(i + k) & 1], i, LEN);
		rig_run(r, 1);
	}
}

// Each link of a bonded publisher has a key of its own, and either may bring a packet first.
static void a_bonded_publishers_packets_are_encrypted_anew(void **)
{
	struct rig *r = rig_begin();
	struct rig_peer *links[2], *to;

	for (unsigned i = 0; i < 2; i++) {
		links[i] = rig_call_secure(r, 0, true, 0, SRT_CTR_128);
		links[i]->next_seq = links[i]->caller.isn = 1000;
		links[i]->group = (struct srt_hs_group){
			.id = SRT_GROUP_BIT | 5, .type = SRT_GROUP_BROADCAST, .weight = 1};
	}
	pub = links[0];
	rig_run(r, 5);
	assert_true(links[0]->up && links[1]->up);
	by_turns(r, links, 1, 100);
	to = target(r, SRT_CTR_128);
	by_turns(r, links, 101, 300);
	rig_run(r, 50);
	for (unsigned k = 0; k < 2; k++)
		assert_memory_not_equal(to->keys.sek[0], links[k]->keys.sek[0], 16);
	check_got(to, 101, 300);
	assert_int_equal(n_untouched, 0);
	rig_free(r);
}

static void a_clear_publishers_packets_are_encrypted(void **)
{
	struct rig *r = rig_begin();
	struct rig_peer *to;

	publish(r, SRT_CLEAR, 1000);
	stream_for(r, 50, 1);
	to = target(r, SRT_CTR_128); // a stale salt: nobody's
	stream_for(r, 100, 51);
	rig_run(r, 50);
	check_got(to, 51, 150);
	assert_int_equal(n_untouched, 0);
	check_no_keystream_twice();
	rig_free(r);
}

// Every frame of the arena but those in use.
static struct rte_mbuf *hoard[1 << 14];
static unsigned n_hoard;

static void take_all_frames(struct rig *r)
{
	struct rte_mbuf *m;

	while ((m = rte_pktmbuf_alloc(arena_pool(r->group->o.arena)))) {
		assert_true(n_hoard < 1 << 14);
		hoard[n_hoard++] = m;
	}
}

static void give_frames(unsigned n)
{
	while (n--)
		rte_pktmbuf_free(hoard[--n_hoard]);
}

static int give_all_frames(void **)
{
	give_frames(n_hoard);
	return 0;
}

// From another worker a packet comes in a frame, as from a port that lends them. Where there is one
// for it and no more, and the port still holds what a history could give, it is not kept as it
// came: but everybody else has it at once.
static void with_little_memory_nobody_else_lacks_a_packet(void **)
{
	struct rig *r = rig_begin_with(2);
	struct rig_peer *to, *viewer;
	unsigned had;

	publish(r, SRT_CTR_128, 1000);
	viewer = rig_call(r, 0, false, 0);
	stream_for(r, 50, 1);
	to = target(r, SRT_CTR_128);
	stream_for(r, 100, 51);
	assert_true(n_untouched > 90 && n_other == 0);
	r->hold = true;
	take_all_frames(r);
	had = viewer->n_got;
	for (unsigned i = 0; i < 20; i++) {
		give_frames(1);
		stream_for(r, 1, 151 + i);
		assert_int_equal(viewer->n_got, had + i + 1);
	}
	give_frames(n_hoard);
	r->hold = false;
	stream_for(r, 200, 171);
	assert_int_equal(viewer->n_got, had + 220);
	assert_true(to->n_got >= 100 + 200);
	assert_int_equal(to->n_clear + to->n_undecryptable, 0);
	check_no_keystream_twice();
	rig_free(r);
}

static unsigned shared_by(const struct rig *r)
{
	const struct path *p = &r->group->workers[0].path;
	unsigned with = 0;

	for (uint32_t i = 0; i < p->sessions.n_fresh; i++)
		if (p->sessions.slots[i].kind == SESSION_SUB && p->sessions.slots[i].shared)
			with |= 1u << p->sessions.slots[i].shared;
	return with;
}

// Called when its publisher has sent nothing yet, or has gone, it shares the others' key; and they
// share it with one another.
static void who_cannot_pass_yet_shares_the_others_key(void **state)
{
	struct rig *r = rig_begin();
	struct rig_peer *to[5];
	uint8_t salt[SRT_KM_SALT];

	publish(r, SRT_CTR_128, 5000);
	memcpy(salt, pub->keys.salt, sizeof(salt));
	to[0] = target(r, SRT_CTR_128);
	to[1] = rig_listen(r, 0, SRT_CTR_128);
	to[2] = rig_listen_as(r, 0, SRT_CTR_128, 7, NULL);
	rig_run(r, 20);
	assert_int_equal(shared_by(r), 1u << 1);
	stream_for(r, 100, 1);
	srt_conn_close(&pub->conn);
	rig_run(r, 20);
	to[3] = rig_listen_as(r, 0, SRT_CTR_128, 0, salt);
	rig_run(r, 20);
	publish(r, SRT_CLEAR, 5000);
	to[4] = rig_listen_as(r, 0, SRT_CTR_128, 0, salt);
	rig_run(r, 20);
	assert_int_equal(shared_by(r), 1u << 1);
	stream_for(r, 100, 101);
	rig_run(r, 50);
	for (unsigned i = 0; i < 3; i++)
		check_got(to[i], 1, 200);
	for (unsigned i = 1; i < 5; i++)
		assert_memory_equal(to[i]->keys.sek[0], to[0]->keys.sek[0], 16);
	assert_int_equal(to[3]->got[to[3]->n_got - 1].stamp, 200);
	check_got(to[4], 101, 200);
	check_no_keystream_twice();
	rig_free(r);
}

static void repairs_are_the_same_bytes(void **state)
{
	struct rig *r = rig_begin();
	struct rig_peer *to;

	publish(r, SRT_CTR_128, 77);
	stream_for(r, 50, 1);
	to = target(r, SRT_CTR_128);
	r->loss_in = r->loss_out = 50;
	stream_for(r, 2000, 51);
	r->loss_in = r->loss_out = 0;
	stream_for(r, 100, 2051);
	rig_run(r, 100);
	check_got(to, 51, 2150);
	assert_int_equal(n_other, 0);
	check_no_keystream_twice();
	rig_free(r);
}

static void announce(struct rig *r, uint8_t has)
{
	struct srt_km_keys k = pub->keys;

	pub->sek_n++;
	k.has = has;
	memset(k.sek[!pub->odd], 0x30 + pub->sek_n, SRT_KM_SEK_MAX);
	rig_announce(r, pub, &k);
}

// libsrt's way, both slots in one message, and one slot; with losses on the way to the target.
static void its_new_keys_go_to_the_targets(void **state)
{
	struct rig *r = rig_begin();
	struct rig_peer *to[2] = {0};

	publish(r, SRT_CTR_128, 1000);
	stream_for(r, 50, 1);
	to[0] = target(r, SRT_CTR_128);
	for (unsigned i = 0; i < 6; i++) {
		announce(r, i % 3 == 2 ? secure_slot(!pub->odd) : SRT_KM_EVEN | SRT_KM_ODD);
		r->loss_out = 30;
		stream_for(r, 300, 51 + 400 * i);
		r->loss_out = 0;
		assert_true(to[0]->n_kmreq > i);
		assert_memory_equal(to[0]->keys.sek[!pub->odd], pub->keys.sek[!pub->odd], 16);
		pub->odd = !pub->odd;
		if (i == 2)
			to[1] = target(r, SRT_CTR_128);
		stream_for(r, 100, 351 + 400 * i);
	}
	stream_for(r, 200, 2451);
	spoil_own_keys(r);
	n_other = 0;
	stream_for(r, 100, 2651);
	assert_int_equal(n_other, 0);
	check_got(to[0], 51, 2750);
	check_got(to[1], 1151, 2750);
	check_no_keystream_twice();
	rig_free(r);
}

// A copy that the network has held back over a change of key says nothing of what it sends under
// now: nobody is told of the old key again.
static void a_late_copy_of_before_a_change_turns_nothing_back(void **)
{
	struct rig *r = rig_begin();
	const struct view *v = &r->group->workers[0].path.views[0];
	struct rig_peer *to;
	unsigned told;

	publish(r, SRT_CTR_128, SEQ31_MASK - 100);
	stream_for(r, 50, 1);
	to = target(r, SRT_CTR_128);
	stream_for(r, 100, 51);
	announce(r, SRT_KM_EVEN | SRT_KM_ODD);
	stream_for(r, 200, 151);
	pub->odd = !pub->odd;
	stream_for(r, 150, 351);
	told = to->n_kmreq;
	assert_true(told > 0 && v->passes && !v->pushkey[v->passes - 1].switching);
	rig_send_again(r, pub, seq31_add(pub->next_seq, SEQ31_MASK + 1 - 160));
	rig_run(r, 150);
	assert_int_equal(to->n_kmreq, told);
	assert_false(v->pushkey[v->passes - 1].switching);
	spoil_own_keys(r);
	n_other = 0;
	stream_for(r, 300, 501);
	assert_int_equal(n_other, 0);
	check_got(to, 51, 800);
	rig_free(r);
}

// One that does not answer keeps the others on the old key, until it is closed; meanwhile the
// publisher makes a third: they go on by a key of our own.
static void a_publisher_that_is_faster_than_they_answer_is_left(void **state)
{
	struct rig *r = rig_begin();
	struct rig_peer *to[2];

	publish(r, SRT_CTR_128, 1000);
	stream_for(r, 50, 1);
	to[0] = target(r, SRT_CTR_128);
	to[1] = target(r, SRT_CTR_128);
	to[1]->mute = true;
	for (unsigned i = 0; i < 8; i++) {
		announce(r, SRT_KM_EVEN | SRT_KM_ODD);
		stream_for(r, 100, 51 + 200 * i);
		pub->odd = !pub->odd;
		stream_for(r, 100, 151 + 200 * i);
	}
	stream_for(r, 1000, 1651);
	rig_run(r, 100);
	check_got(to[0], 51, 2650);
	assert_true(to[1]->closed && !to[1]->n_undecryptable && !to[1]->n_clear);
	assert_memory_not_equal(to[0]->keys.sek[0], pub->keys.sek[0], 16);
	assert_memory_not_equal(to[0]->keys.sek[1], pub->keys.sek[1], 16);
	rig_free(r);
}

// Under another salt a new KEK is wanted: the targets go on by a key of our own.
static void a_new_salt_is_not_passed_on(void **state)
{
	struct rig *r = rig_begin();
	struct srt_km_keys k;
	struct rig_peer *to;

	publish(r, SRT_CTR_128, 1000);
	stream_for(r, 50, 1);
	to = target(r, SRT_CTR_128);
	stream_for(r, 100, 51);
	k = pub->keys;
	memset(k.salt, 0xcc, sizeof(k.salt));
	k.has = SRT_KM_ODD;
	memset(k.sek[1], 0x99, sizeof(k.sek[1]));
	rig_announce(r, pub, &k);
	rig_run(r, 5);
	pub->odd = 1;
	stream_for(r, 500, 151);
	rig_run(r, 50);
	check_got(to, 51, 650);
	assert_memory_equal(to->keys.salt, pub->km + 16, SRT_KM_SALT);
	check_no_keystream_twice();
	rig_free(r);
}

// Another one takes over at once: under another key, under none, or with the same passphrase and
// its own numbers. Two targets go on without a gap, a mute one is closed; later ones pass again.
static void another_publisher_takes_over(void **state)
{
	for (enum srt_suite suite = SRT_CLEAR; suite <= SRT_CTR_128; suite++) {
		struct rig *r = rig_begin();
		struct rig_peer *to[4], *old;

		publish(r, SRT_CTR_128, 1000);
		stream_for(r, 50, 1);
		for (unsigned i = 0; i < 3; i++)
			to[i] = target(r, SRT_CTR_128);
		to[2]->mute = true;
		r->loss_out = 20;
		stream_for(r, 500, 51);
		assert_true(n_untouched > 1000);
		old = pub;
		publish(r, suite, 1500); // numbers that the targets have had, for other payloads
		assert_true(old->closed);
		stream_for(r, 500, 551);
		r->loss_out = 0;
		to[3] = suite ? target(r, SRT_CTR_128) : NULL;
		stream_for(r, 1500, 1051);
		rig_run(r, 100);
		check_got(to[0], 51, 2550);
		check_got(to[1], 51, 2550);
		assert_true(to[2]->closed && !to[2]->n_undecryptable && !to[2]->n_clear);
		assert_true(to[2]->got[to[2]->n_got - 1].stamp <= 550);
		if (to[3])
			check_got(to[3], 1051, 2550);
		if (to[3])
			assert_memory_equal(to[3]->keys.sek[0], pub->keys.sek[0], 16);
		assert_memory_not_equal(to[0]->keys.sek[0], pub->keys.sek[0], 16);
		assert_memory_not_equal(to[0]->keys.sek[1], old->keys.sek[0], 16);
		assert_int_equal(rig_drops(r, DP_DROP_UNDECRYPTABLE), 0);
		check_no_keystream_twice();
		rig_free(r);
	}
}

static uint64_t sent_to(const struct rig *r, const struct rig_peer *p)
{
	const struct session_table *t = &r->group->workers[0].path.sessions;
	struct dp_session d = {0};

	for (uint32_t i = 0; i < t->n_fresh; i++)
		if (endpoint_eq(&t->slots[i].peer, &p->at))
			assert_true(session_read(t, i, &d));
	assert_true(d.packets > 0);
	return d.packets;
}

// Who waits for its new key is sent nothing, whatever the others get: its count stands, and goes on
// from there.
static void who_waits_for_a_new_key_counts_nothing(void **)
{
	struct rig *r = rig_begin();
	struct rig_peer *to[2];

	publish(r, SRT_CTR_128, 1000);
	stream_for(r, 50, 1);
	for (unsigned i = 0; i < 2; i++)
		to[i] = target(r, SRT_CTR_128);
	stream_for(r, 200, 51);
	to[0]->mute = true;
	publish(r, SRT_CLEAR, 1500);
	for (unsigned i = 0; i < 300; i++) {
		stream_for(r, 1, 251 + i);
		assert_int_equal(sent_to(r, to[0]), 200);
		assert_int_equal(sent_to(r, to[1]), to[1]->n_got);
	}
	to[0]->mute = false;
	stream_for(r, 1000, 551);
	for (unsigned i = 0; i < 2; i++) {
		check_got(to[i], 51, 1550);
		assert_int_equal(sent_to(r, to[i]), 1500);
	}
	rig_free(r);
}

// The target answers when the publisher that it was called for has gone: it is called again.
static void a_call_that_its_publisher_did_not_outlive_is_given_up(void **state)
{
	struct rig *r = rig_begin();
	struct rig_peer *to;

	publish(r, SRT_CTR_128, 1000);
	stream_for(r, 50, 1);
	r->loss_out = 1000; // it hears of it later
	to = rig_listen_as(r, 0, SRT_CTR_128, 0, pub->keys.salt);
	srt_conn_close(&pub->conn);
	rig_run(r, 20);
	r->loss_out = 0;
	publish(r, SRT_CTR_128, 1010);
	stream_for(r, 1000, 51);
	assert_true(to->up && to->closed);
	assert_int_equal(to->n_got, 0);
	rig_free(r);
}

// --- whatever happens -------------------------------------------------------------------------

struct storm {
	struct rig *r;
	struct rig_peer *to[TARGETS];
	unsigned n, flip_in;
	uint32_t stamp;
};

static void another_publisher(struct storm *s)
{
	static const enum srt_suite suites[] = {
		SRT_CTR_128, SRT_CTR_128, SRT_CTR_128, SRT_CTR_256, SRT_CLEAR, SRT_GCM_128};

	s->r->loss_in = s->r->loss_out = 0;
	if (pub && rand_below(&s->r->rand, 2))
		srt_conn_close(&pub->conn);
	rig_run(s->r, rand_below(&s->r->rand, 30));
	publish(s->r, suites[rand_below(&s->r->rand, 6)], 1000 + rand_below(&s->r->rand, 300));
	s->flip_in = 0;
}

static void another_target(struct storm *s)
{
	enum srt_suite suite = pub->suite && rand_below(&s->r->rand, 4) ? pub->suite : SRT_CTR_128;

	if (s->n == TARGETS)
		return;
	s->to[s->n++] = pub->suite && rand_below(&s->r->rand, 4)
				? rig_listen_as(s->r, 0, suite, 0, pub->keys.salt)
				: rig_listen(s->r, 0, suite);
}

static void something_happens(struct storm *s)
{
	struct rig_peer *p = s->n ? s->to[rand_below(&s->r->rand, s->n)] : NULL;

	switch (rand_below(&s->r->rand, 8)) {
	case 0:
		another_publisher(s);
		break;
	case 1:
	case 2:
		another_target(s);
		break;
	case 3:
	case 4:
		if (pub->suite && !s->flip_in) {
			// It would repeat what gets lost, and keep a slot until all is repaired.
			s->r->loss_in = s->r->loss_out = 0;
			rig_run(s->r, 30);
			announce(s->r, SRT_KM_EVEN | SRT_KM_ODD);
			s->flip_in = 1 + rand_below(&s->r->rand, 100);
		}
		break;
	case 5:
		s->r->loss_in = s->r->loss_out = rand_below(&s->r->rand, 100);
		break;
	case 6:
		if (p)
			p->mute = !p->mute;
		break;
	case 7:
		if (p && p->up && rand_below(&s->r->rand, 2))
			srt_conn_close(&p->conn);
		break;
	}
}

static void check_storm(struct storm *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		struct rig_peer *p = s->to[i];

		qsort(p->got, p->n_got, sizeof(p->got[0]), by_seq);
		for (unsigned k = 0; k < p->n_got; k++) {
			assert_true(p->got[k].stamp > (k ? p->got[k - 1].stamp : 0));
			assert_true(p->got[k].stamp < s->stamp);
		}
		assert_int_equal(p->n_clear + p->n_undecryptable, 0);
	}
	check_no_keystream_twice();
}

// Publishers of all kinds come, go and make new keys; targets come, answer or do not, and leave;
// packets are lost both ways.
static void no_storm_makes_a_keystream_serve_twice(void **state)
{
	unsigned untouched = 0, others = 0;

	for (unsigned seed = 1; seed <= STORMS; seed++) {
		struct storm s = {.r = rig_begin(), .stamp = 1};

		s.r->rand.state = seed;
		pub = NULL;
		another_publisher(&s);
		for (unsigned i = 0; i < 3000; i++) {
			stream_for(s.r, 1, s.stamp++);
			if (s.flip_in && !--s.flip_in)
				pub->odd = !pub->odd;
			if (!rand_below(&s.r->rand, 60))
				something_happens(&s);
		}
		check_storm(&s);
		untouched += n_untouched;
		others += n_other;
		rig_free(s.r);
	}
	assert_true(untouched > 500 * STORMS && others > 500 * STORMS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_gets_the_publishers_bytes_under_its_numbers),
		cmocka_unit_test(who_does_not_agree_has_another_key),
		cmocka_unit_test(a_bonded_publishers_packets_are_encrypted_anew),
		cmocka_unit_test(a_clear_publishers_packets_are_encrypted),
		cmocka_unit_test(who_cannot_pass_yet_shares_the_others_key),
		cmocka_unit_test_teardown(
			with_little_memory_nobody_else_lacks_a_packet, give_all_frames),
		cmocka_unit_test(repairs_are_the_same_bytes),
		cmocka_unit_test(its_new_keys_go_to_the_targets),
		cmocka_unit_test(a_late_copy_of_before_a_change_turns_nothing_back),
		cmocka_unit_test(a_publisher_that_is_faster_than_they_answer_is_left),
		cmocka_unit_test(a_new_salt_is_not_passed_on),
		cmocka_unit_test(another_publisher_takes_over),
		cmocka_unit_test(who_waits_for_a_new_key_counts_nothing),
		cmocka_unit_test(a_call_that_its_publisher_did_not_outlive_is_given_up),
		cmocka_unit_test(no_storm_makes_a_keystream_serve_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
