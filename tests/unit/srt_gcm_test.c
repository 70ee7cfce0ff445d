// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// AES-GCM as libsrt 1.5.5 speaks it, out of a capture of two of its programs: the key exchange,
// each refresh and each packet (tests/data/srt_capture_155.py).

#include "pcap.h"
#include "proto/srt_crypt.h"
#include "proto/srt_hs.h"
#include "proto/srt_hs_wire.h"
#include "proto/srt_pkt.h"
#include "test.h"

#include <errno.h>
#include <string.h>

enum { PACKETS = 200, REFRESHES = 3, PAYLOAD_MAX = 260 };

static const char words[] = "correct horse battery";

// One publisher of the capture, as its listener has to see it.
struct session {
	uint16_t listener, caller; // ports
	struct srt_km_keys keys;
	uint16_t km_len;
	uint8_t km[SRT_KM_MAX]; // the message that is not answered yet
	unsigned n_data, n_odd, n_req, n_rsp;
};

static struct session sessions[2];
static unsigned n_sessions;
static struct srt_crypt *engines[2];

static int make_engines(void **)
{
	engines[0] = srt_crypt_new(SRT_CRYPT_BEST);
	engines[1] = srt_crypt_new(SRT_CRYPT_OPENSSL);
	return 0;
}

static int drop_engines(void **)
{
	srt_crypt_free(engines[0]);
	srt_crypt_free(engines[1]);
	return 0;
}

// srt_capture_155.py: payload(n)
static size_t payload(unsigned n, uint8_t out[PAYLOAD_MAX])
{
	size_t len = 60 + n * 13 % 200;

	for (unsigned i = 0; i < len; i++)
		out[i] = (uint8_t)(n * 31 + i * 7);
	return len;
}

// What a passphrase opens, and no other does.
static void take_keys(struct session *s, const uint8_t *msg, size_t len)
{
	uint8_t kek[SRT_KM_SEK_MAX], again[SRT_KM_MAX];
	struct srt_km_keys none;
	struct srt_km km;

	assert_int_equal(srt_km_parse(msg, len, &km), 0);
	assert_int_equal(km.cipher, SRT_KM_GCM);
	assert_int_equal(km.key_len, s == sessions ? 16 : 32);
	assert_int_equal(
		srt_km_kek(km.salt, km.key_len, (const uint8_t *)words, strlen(words), kek), 0);
	assert_int_equal(srt_km_unwrap(&km, kek, &s->keys), 0);
	assert_int_equal(srt_km_write(&s->keys, kek, again), len);
	assert_memory_equal(again, msg, len);
	s->km_len = (uint16_t)len;
	memcpy(s->km, msg, len);
	s->n_req++;
	assert_int_equal(
		srt_km_kek(km.salt, km.key_len, (const uint8_t *)words, strlen(words) - 1, kek), 0);
	assert_int_equal(srt_km_unwrap(&km, kek, &none), -EACCES);
}

// A listener of libsrt answers by the message itself: what ours has to do as well.
static void check_echo(struct session *s, const uint8_t *msg, size_t len)
{
	assert_int_equal(len, s->km_len);
	assert_memory_equal(msg, s->km, len);
	s->n_rsp++;
}

static bool find_block(const struct pcap_pkt *p, uint16_t want, struct bytes *content)
{
	struct bytes b = bytes_of(p->data + SRT_HS_LEN, p->len - SRT_HS_LEN);
	uint16_t type;

	while (hs_block_next(&b, &type, content))
		if (type == want)
			return true;
	return false;
}

static void handshake(const struct pcap_pkt *p)
{
	struct session *s;
	struct bytes content;
	struct srt_hs_req r;

	if (!find_block(p, HS_BLOCK_KMREQ, &content)) {
		if (find_block(p, HS_BLOCK_KMRSP, &content)) {
			size_t n = bytes_left(&content);

			assert_true(n_sessions > 0);
			check_echo(&sessions[n_sessions - 1], bytes_skip(&content, n), n);
		}
		return;
	}
	assert_in_range(n_sessions, 0, 1);
	s = &sessions[n_sessions++];
	assert_int_equal(srt_hs_conclusion_parse(p->data, p->len, &r), 0);
	assert_true(r.encrypted);
	assert_in_range(r.version, SRT_VERSION_GCM, 0x00010505);
	s->listener = p->to;
	s->caller = p->from;
	take_keys(s, r.km, r.km_len);
}

// A packet opens to what was sent, by both engines; sealed again it is the same bytes; one bit
// anywhere and it does not open.
static void media(struct session *s, const struct pcap_pkt *p)
{
	bool odd = (be32_get(p->data + 4) & SRT_WORD1_KK) == SRT_WORD1_ODD;
	uint8_t want[PAYLOAD_MAX], got[PAYLOAD_MAX + SRT_GCM_TAG], bad[sizeof(p->data)],
		aad[SRT_GCM_AAD];
	size_t len = payload(s->n_data++, want);
	enum srt_suite suite = srt_suite_of(SRT_KM_GCM, s->keys.key_len);

	assert_true(s->keys.has & (odd ? SRT_KM_ODD : SRT_KM_EVEN));
	assert_false(be32_get(p->data + 4) & SRT_WORD1_R);
	assert_int_equal(p->len, SRT_HDR + len + SRT_GCM_TAG);
	s->n_odd += odd;
	memcpy(aad, p->data, sizeof(aad));
	for (unsigned e = 0; e < 2; e++) {
		struct srt_gcm_key key;
		struct srt_crypt_job j = {.key = &key,
			.src = p->data + SRT_HDR,
			.dst = got,
			.aad = aad,
			.seq = be32_get(p->data),
			.len = (uint32_t)len};
		size_t at[] = {SRT_HDR, p->len - SRT_GCM_TAG, p->len - 1};

		srt_crypt_key(engines[e], suite, s->keys.salt, s->keys.sek[odd], &key);
		assert_true(srt_crypt_gcm_open(engines[e], suite, &j));
		assert_memory_equal(got, want, len);
		j.src = want;
		srt_crypt_gcm_seal(engines[e], suite, &j, 1);
		assert_memory_equal(got, p->data + SRT_HDR, len + SRT_GCM_TAG);
		j.src = bad + SRT_HDR;
		for (unsigned i = 0; i < 3; i++) {
			memcpy(bad, p->data, p->len);
			bad[at[i]] ^= (uint8_t)(1u << (s->n_data & 7));
			assert_false(srt_crypt_gcm_open(engines[e], suite, &j));
		}
		memcpy(bad, p->data, p->len);
		aad[4 + s->n_data % 12] ^= 1;
		assert_false(srt_crypt_gcm_open(engines[e], suite, &j));
		aad[4 + s->n_data % 12] ^= 1;
		j.seq ^= 1;
		assert_false(srt_crypt_gcm_open(engines[e], suite, &j));
	}
}

static void control(struct session *s, const struct pcap_pkt *p)
{
	struct srt_ctrl c;

	assert_int_equal(srt_pkt_parse_ctrl(p->data, p->len, &c), 0);
	if (c.type != SRT_USER)
		return;
	if (c.subtype == SRT_KMREQ)
		take_keys(s, c.cif, c.cif_len);
	else if (c.subtype == SRT_KMRSP)
		check_echo(s, c.cif, c.cif_len);
}

static void what_libsrt_seals_opens_and_the_reverse(void **)
{
	struct pcap f;
	struct pcap_pkt p;

	pcap_open(&f, "srt_gcm.pcap");
	while (pcap_next(&f, &p))
		if (srt_hs_classify(p.data, p.len) ||
			(srt_pkt_is_ctrl(p.data) && !srt_pkt_ctrl_type(p.data)))
			handshake(&p);
		else if (!srt_pkt_is_ctrl(p.data))
			media(&sessions[n_sessions - 1], &p);
		else
			control(&sessions[n_sessions - 1], &p);
	assert_int_equal(n_sessions, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(sessions[i].n_data, PACKETS);
		assert_in_range(sessions[i].n_odd, 60, PACKETS - 60);
		assert_true(sessions[i].n_req >= 1 + REFRESHES);
		assert_int_equal(sessions[i].n_rsp, sessions[i].n_req);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_libsrt_seals_opens_and_the_reverse),
	};

	return cmocka_run_group_tests(tests, make_engines, drop_engines);
}
