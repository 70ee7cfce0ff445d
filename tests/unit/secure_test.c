// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Encrypted publishers and subscribers, through whole workers; the peers' own encryption is by
// OpenSSL.

#include "worker_rig.h"

#include "base/seq.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { LEN = 1300 };

static void stream_for(struct rig *r, struct rig_peer *pub, unsigned n, uint32_t first_stamp)
{
	for (unsigned i = 0; i < n; i++) {
		rig_publish(r, pub, first_stamp + i, LEN);
		rig_run(r, 1);
	}
}

static int by_seq(const void *a, const void *b)
{
	const struct rig_got *x = a, *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

// Stamps first..last and nothing else, every packet under the peer's key or every one clear.
static void check_got(struct rig_peer *p, uint32_t first, uint32_t last)
{
	qsort(p->got, p->n_got, sizeof(p->got[0]), by_seq);
	assert_int_equal(p->n_got, last - first + 1);
	for (unsigned i = 0; i < p->n_got; i++) {
		assert_int_equal(p->got[i].seq, i);
		assert_int_equal(p->got[i].stamp, first + i);
		assert_int_equal(p->got[i].len, LEN);
	}
	assert_int_equal(p->n_clear, 0);
	assert_int_equal(p->n_undecryptable, 0);
}

static struct rig_peer *publisher(struct rig *r, unsigned worker, enum srt_suite suite)
{
	struct rig_peer *p =
		suite ? rig_call_secure(r, 0, true, worker, suite) : rig_call(r, 0, true, worker);

	rig_run(r, 5);
	assert_true(p->up);
	return p;
}

// Each publisher's suite, clear too, to subscribers of all suites, clear too, on both workers, with
// losses on both legs.
static void every_suite_reaches_every_suite(void **state)
{
	for (enum srt_suite from = SRT_CLEAR; from < SRT_SUITES; from++) {
		struct rig *r = rig_new(2);
		struct rig_peer *subs[2 * SRT_SUITES], *pub;

		rig_stream(r, 0, 0);
		pub = publisher(r, 0, from);
		for (unsigned i = 0; i < 2 * SRT_SUITES; i++)
			subs[i] = i / 2 ? rig_call_secure(r, 0, false, i & 1, i / 2)
					: rig_call(r, 0, false, i & 1);
		rig_run(r, 30);
		r->loss_in = r->loss_out = 30;
		stream_for(r, pub, 400, 1);
		r->loss_in = r->loss_out = 0;
		stream_for(r, pub, 200, 401);
		rig_run(r, 100);
		for (unsigned i = 0; i < 2 * SRT_SUITES; i++)
			check_got(subs[i], 1, 600);
		assert_int_equal(rig_drops(r, DP_DROP_UNDECRYPTABLE), 0);
		rig_free(r);
	}
}

// More than a chunk of lines and more than a burst, several packets a round, late joiners too.
static void many_subscribers_get_their_own_copies(void **state)
{
	struct rig *r = rig_new(1);
	struct rig_peer *subs[150], *late[10], *pub;

	rig_stream(r, 0, 0);
	for (unsigned i = 0; i < 150; i++)
		subs[i] = rig_call_secure(r, 0, false, 0, i % 3 ? SRT_CTR_128 : SRT_CTR_256);
	pub = publisher(r, 0, SRT_CTR_192);
	rig_run(r, 20);
	for (unsigned i = 0; i < 40; i++) {
		for (unsigned k = 0; k < 5; k++)
			rig_publish(r, pub, 1 + 5 * i + k, LEN);
		rig_run(r, 1);
	}
	history_note_random(&r->group->workers[0].path.views[0].history,
		r->group->workers[0].path.views[0].history.next - 100);
	for (unsigned i = 0; i < 10; i++)
		late[i] = rig_call_secure(r, 0, false, 0, SRT_CTR_128 + i % (SRT_SUITES - 1));
	rig_run(r, 50);
	stream_for(r, pub, 50, 201);
	for (unsigned i = 0; i < 150; i++)
		check_got(subs[i], 1, 250);
	for (unsigned i = 0; i < 10; i++)
		check_got(late[i], 101, 250);
	// Private frames are back: what is in use is the history.
	assert_int_equal(rig_frames_used(r), 250);
	rig_free(r);
}

static struct srt_km_keys next_keys(const struct rig_peer *p, uint8_t has)
{
	struct srt_km_keys k = p->keys;

	k.has = has;
	for (unsigned odd = 0; odd < 2; odd++)
		if (has & (odd ? SRT_KM_ODD : SRT_KM_EVEN) && odd != p->odd)
			memset(k.sek[odd], 0x30 + (int)odd + p->sek_n, SRT_KM_SEK_MAX);
	return k;
}

// libsrt's way: both slots in one message, under the same salt; then one slot; then a new salt,
// which takes the helper.
static void publishers_refresh_their_keys(void **state)
{
	struct rig *r = rig_new(2);
	struct rig_peer *pub, *sub[2];
	struct srt_km_keys k;

	rig_stream(r, 0, 1);
	pub = publisher(r, 0, SRT_CTR_128); // lands elsewhere than its stream
	sub[0] = rig_call(r, 0, false, 0);
	sub[1] = rig_call_secure(r, 0, false, 1, SRT_GCM_128);
	rig_run(r, 30);
	stream_for(r, pub, 100, 1);
	for (unsigned i = 0; i < 4; i++) {
		pub->sek_n++;
		k = next_keys(pub, i == 1 ? (pub->odd ? SRT_KM_EVEN : SRT_KM_ODD) : 3);
		if (i == 3)
			memset(k.salt, 0xcc, sizeof(k.salt));
		rig_announce(r, pub, &k);
		rig_run(r, 5);
		assert_int_equal(pub->n_kmrsp, i + 1);
		assert_true(pub->kmrsp_len > 4); // an echo, not a state
		assert_int_equal(r->n_kdf, i == 3);
		pub->odd = !pub->odd;
		stream_for(r, pub, 100, 101 + 100 * i);
	}
	rig_run(r, 50);
	check_got(sub[0], 1, 500);
	check_got(sub[1], 1, 500);
	rig_free(r);
}

// Before its key has come a packet is as good as lost: not acknowledged, asked for when the next
// good one shows the hole, and there in the end.
static void what_came_before_its_key_is_asked_for_again(void **state)
{
	struct rig *r = rig_new(1);
	struct rig_peer *pub, *sub;
	struct srt_km_keys k;

	rig_stream(r, 0, 0);
	pub = publisher(r, 0, SRT_CTR_128);
	sub = rig_call(r, 0, false, 0);
	rig_run(r, 30);
	stream_for(r, pub, 100, 1);
	k = next_keys(pub, SRT_KM_ODD);
	r->loss_in = 1000; // the announcement is lost
	rig_announce(r, pub, &k);
	r->loss_in = 0;
	pub->odd = 1;
	stream_for(r, pub, 20, 101);
	assert_int_equal(sub->n_got, 100);
	assert_true(rig_drops(r, DP_DROP_UNDECRYPTABLE) >= 20);
	rig_announce(r, pub, &k);
	stream_for(r, pub, 100, 121);
	rig_run(r, 50);
	check_got(sub, 1, 220);
	rig_free(r);
}

// Clear data on an encrypted session, both bits, tags that fail, encrypted data on a clear one:
// counted, never passed on; the hole is announced when its time has come.
static void what_cannot_be_decrypted_reaches_nobody(void **state)
{
	for (enum srt_suite suite = SRT_CTR_128; suite < SRT_SUITES; suite += SRT_GCM_128 - 1) {
		struct rig *r = rig_new(1);
		struct rig_peer *pub, *sub;
		struct dp_session d;
		unsigned bad = 0;

		rig_stream(r, 0, 0);
		pub = publisher(r, 0, suite);
		sub = rig_call_secure(r, 0, false, 0, SRT_CTR_128);
		rig_run(r, 30);
		for (unsigned i = 0; i < 300; i++) {
			unsigned kind = i % 10;

			if (kind == 9)
				r->loss_in = 1000;
			rig_publish(r, pub, 1 + i, LEN);
			r->loss_in = 0;
			if (kind == 9) {
				uint8_t *d1 = pub->history[(pub->next_seq - 1) % 4096];
				uint32_t word1 = be32_get(d1 + 4) & ~SRT_WORD1_KK;
				unsigned how = i / 10 % 3;

				if (how == 2 && srt_suite_is_gcm(suite))
					d1[500] ^= 1;
				else
					be32_put(d1 + 4, word1 | (how == 1 ? SRT_WORD1_KK : 0));
				rig_send_again(r, pub, pub->next_seq - 1);
				bad++;
			}
			rig_run(r, 1);
		}
		rig_run(r, 300);
		assert_int_equal(sub->n_got, 300 - bad);
		for (unsigned i = 0; i < sub->n_got; i++)
			assert_true(sub->got[i].stamp % 10 && sub->got[i].stamp <= 300);
		assert_int_equal(sub->n_clear + sub->n_undecryptable, 0);
		assert_true(rig_drops(r, DP_DROP_UNDECRYPTABLE) >= bad);
		assert_true(worker_session_read(r->group, 0, 0, &d));
		assert_true(d.encrypted);
		assert_true(r->group->workers[0].path.sessions.slots[0].undecryptable >= bad);
		assert_true(srt_rcv_given_up(&sub->rcv) >= bad - 1);
		rig_free(r);
	}
}

static void a_message_of_another_kind_is_answered_by_a_state(void **state)
{
	struct rig *r = rig_new(1);
	struct rig_peer *pub;
	struct srt_km_keys k;

	rig_stream(r, 0, 0);
	pub = publisher(r, 0, SRT_CTR_128);
	k = pub->keys;
	k.key_len = 32;
	rig_announce(r, pub, &k);
	rig_run(r, 5);
	assert_int_equal(pub->kmrsp_len, 4);
	assert_int_equal(pub->kmrsp[0], SRT_KM_BAD_CRYPTO);
	rig_free(r);
}

// Every few hundred packets, with losses: nothing is missing, nothing is undecryptable.
static void subscribers_get_new_keys(void **state)
{
	struct rig *r = rig_new(2);
	struct rig_peer *subs[12], *pub;

	rig_stream(r, 0, 0)->cfg.km_refresh = 300;
	pub = publisher(r, 0, SRT_CLEAR);
	for (unsigned i = 0; i < 12; i++)
		subs[i] = rig_call_secure(r, 0, false, i & 1, SRT_CTR_128 + i / 2);
	rig_run(r, 30);
	r->loss_out = r->loss_in = 20;
	stream_for(r, pub, 2500, 1);
	r->loss_out = r->loss_in = 0;
	stream_for(r, pub, 200, 2501);
	rig_run(r, 100);
	for (unsigned i = 0; i < 12; i++) {
		check_got(subs[i], 1, 2700);
		assert_true(subs[i]->n_kmreq >= 5);
	}
	rig_free(r);
}

static void who_does_not_take_the_new_key_is_closed(void **state)
{
	struct rig *r = rig_new(1);
	struct rig_peer *mute, *other, *pub;

	rig_stream(r, 0, 0)->cfg.km_refresh = 300;
	pub = publisher(r, 0, SRT_CTR_128);
	mute = rig_call_secure(r, 0, false, 0, SRT_CTR_128);
	other = rig_call_secure(r, 0, false, 0, SRT_CTR_128);
	mute->mute = true;
	rig_run(r, 30);
	stream_for(r, pub, 2000, 1);
	assert_true(mute->closed);
	assert_int_equal(r->down_reason, DP_CLOSE_REKEY);
	assert_int_equal(mute->n_kmreq, 10);
	assert_int_equal(mute->n_undecryptable, 0); // it never got anything under the new key
	assert_true(mute->n_got >= 300);
	check_got(other, 1, 2000);
	rig_free(r);
}

static bool same_keys(const struct rig_peer *a, const struct rig_peer *b)
{
	return a->keys.has == b->keys.has && !memcmp(a->keys.sek, b->keys.sek, sizeof(a->keys.sek));
}

// One key for all targets of one length, GCM apart; new ones for all of them at the same packet,
// with losses; a later one comes into it.
static void targets_that_we_call_share_a_key(void **state)
{
	static const enum srt_suite suites[] = {
		SRT_CTR_128, SRT_CTR_128, SRT_CTR_128, SRT_CTR_256, SRT_GCM_128, SRT_GCM_128};
	struct rig *r = rig_new(1);
	struct rig_peer *to[7], *sub, *pub;

	rig_stream(r, 0, 0)->cfg.km_refresh = 300;
	pub = publisher(r, 0, SRT_CTR_128);
	for (unsigned i = 0; i < 6; i++)
		to[i] = rig_listen(r, 0, suites[i]);
	sub = rig_call_secure(r, 0, false, 0, SRT_CTR_128);
	rig_run(r, 30);
	assert_true(same_keys(to[0], to[1]) && same_keys(to[0], to[2]));
	assert_false(same_keys(to[0], sub) || same_keys(to[4], to[5]));
	r->loss_out = r->loss_in = 20;
	stream_for(r, pub, 1500, 1);
	r->loss_out = r->loss_in = 0;
	to[6] = rig_listen(r, 0, SRT_CTR_128);
	stream_for(r, pub, 500, 1501);
	rig_run(r, 300);
	for (unsigned i = 0; i < 6; i++) {
		check_got(to[i], 1, 2000);
		assert_true(to[i]->n_kmreq >= 3);
	}
	check_got(sub, 1, 2000);
	assert_true(same_keys(to[0], to[1]) && same_keys(to[0], to[2]));
	assert_memory_equal(to[6]->keys.sek[to[6]->keys.has == SRT_KM_ODD],
		to[0]->keys.sek[to[6]->keys.has == SRT_KM_ODD], 16);
	assert_int_equal(to[6]->n_undecryptable + to[6]->n_clear, 0);
	assert_true(to[6]->n_got >= 499);
	rig_free(r);
}

// Who does not take the new key is closed, and the others go on to it.
static void a_mute_target_does_not_keep_the_others_from_a_new_key(void **state)
{
	struct rig *r = rig_new(1);
	struct rig_peer *to[3], *pub;

	rig_stream(r, 0, 0)->cfg.km_refresh = 300;
	pub = publisher(r, 0, SRT_CLEAR);
	for (unsigned i = 0; i < 3; i++)
		to[i] = rig_listen(r, 0, SRT_CTR_128);
	to[1]->mute = true;
	rig_run(r, 30);
	stream_for(r, pub, 2500, 1);
	rig_run(r, 100);
	assert_true(to[1]->closed);
	assert_int_equal(r->down_reason, DP_CLOSE_REKEY);
	assert_int_equal(to[1]->n_undecryptable, 0);
	check_got(to[0], 1, 2500);
	check_got(to[2], 1, 2500);
	assert_int_equal(to[0]->keys.has, SRT_KM_EVEN | SRT_KM_ODD);
	assert_true(same_keys(to[0], to[2]));
	rig_free(r);
}

static void another_passphrase_is_refused(void **state)
{
	struct rig *r = rig_new(1);
	struct rig_peer *p;

	rig_stream(r, 0, 0);
	p = rig_call_secure(r, 0, false, 0, SRT_CTR_128);
	p->km[40] ^= 1; // wrapped by another KEK
	rig_run(r, 10);
	assert_int_equal(p->rejected, SRT_REJ_BADSECRET);
	rig_free(r);
}

// Keys do not outlive their session.
static void keys_are_wiped_when_the_session_ends(void **state)
{
	struct rig *r = rig_new(1);
	struct path *p = &r->group->workers[0].path;
	static const struct srt_ctr_key none;
	struct rig_peer *sub;

	rig_stream(r, 0, 0);
	sub = rig_call_secure(r, 0, false, 0, SRT_CTR_128);
	rig_run(r, 10);
	assert_true(sub->up);
	assert_memory_not_equal(&p->secure.ctr[0][0], &none, sizeof(none));
	srt_conn_close(&sub->conn);
	rig_run(r, 10);
	assert_memory_equal(&p->secure.ctr[0][0], &none, sizeof(none));
	assert_int_equal(p->secure.all[0].keys.km.key_len, 0);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_suite_reaches_every_suite),
		cmocka_unit_test(many_subscribers_get_their_own_copies),
		cmocka_unit_test(publishers_refresh_their_keys),
		cmocka_unit_test(what_came_before_its_key_is_asked_for_again),
		cmocka_unit_test(what_cannot_be_decrypted_reaches_nobody),
		cmocka_unit_test(a_message_of_another_kind_is_answered_by_a_state),
		cmocka_unit_test(subscribers_get_new_keys),
		cmocka_unit_test(who_does_not_take_the_new_key_is_closed),
		cmocka_unit_test(targets_that_we_call_share_a_key),
		cmocka_unit_test(a_mute_target_does_not_keep_the_others_from_a_new_key),
		cmocka_unit_test(another_passphrase_is_refused),
		cmocka_unit_test(keys_are_wiped_when_the_session_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
