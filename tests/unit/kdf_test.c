// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/kdf.h"

#include "base/ts.h"
#include "test.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { WAIT_MS = 20000 };

static const char passphrase[] = "correct horse battery";

struct bed {
	struct kdf *k;
	int fd;
};

static struct bed bed_new(void)
{
	struct bed b = {.fd = eventfd(0, EFD_NONBLOCK)};

	b.k = kdf_new(b.fd);
	assert_non_null(b.k);
	return b;
}

static void bed_free(struct bed *b)
{
	kdf_free(b->k);
	close(b->fd);
}

// A caller's KMREQ under a passphrase.
static struct kdf_job job(uint64_t id, uint8_t host, const char *with)
{
	struct srt_km_keys k = {.has = SRT_KM_EVEN, .cipher = SRT_KM_CTR, .key_len = 16};
	struct kdf_job j = {.id = id, .source = {[10] = 0xff, [11] = 0xff, [15] = host}};
	uint8_t kek[SRT_KM_SEK_MAX];

	memset(k.salt, 1 + (int)id, sizeof(k.salt));
	memset(k.sek[0], 0x77, 16);
	srt_km_kek(k.salt, 16, (const uint8_t *)with, strlen(with), kek);
	j.km_len = (uint16_t)srt_km_write(&k, kek, j.km);
	j.passphrase_len = sizeof(passphrase) - 1;
	memcpy(j.passphrase, passphrase, j.passphrase_len);
	return j;
}

static void collect(struct bed *b, struct kdf_result *out, unsigned n)
{
	struct pollfd p = {.fd = b->fd, .events = POLLIN};
	uint64_t count;

	for (unsigned got = 0; got < n;) {
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		assert_int_equal(read(b->fd, &count, sizeof(count)), sizeof(count));
		got += kdf_results(b->k, out + got, n - got);
	}
}

static void a_passphrase_gives_the_keys_or_says_that_it_is_another(void **)
{
	struct bed b = bed_new();
	struct kdf_job good = job(1, 1, passphrase), bad = job(2, 1, "another one entirely");
	struct kdf_job broken = job(3, 1, passphrase);
	struct kdf_result r[3];

	broken.km_len--;
	assert_int_equal(kdf_submit(b.k, &good), 0);
	collect(&b, &r[0], 1);
	assert_int_equal(kdf_submit(b.k, &bad), 0);
	collect(&b, &r[1], 1);
	assert_int_equal(kdf_submit(b.k, &broken), 0);
	collect(&b, &r[2], 1);
	assert_int_equal(r[0].id, 1);
	assert_int_equal(r[0].status, 0);
	assert_int_equal(r[0].keys.km.has, SRT_KM_EVEN);
	assert_int_equal(r[0].keys.km.key_len, 16);
	assert_int_equal(r[0].keys.km.sek[0][15], 0x77);
	assert_int_equal(r[0].keys.msg_len, good.km_len);
	assert_memory_equal(r[0].keys.msg, good.km, good.km_len);
	assert_int_equal(r[1].status, -EACCES);
	assert_int_equal(r[2].status, -EBADMSG);
	bed_free(&b);
}

// A call of ours has a new key, as it was asked for; and where its passphrase opens the publisher's
// message the KEK of that, but none of its keys.
static void a_call_has_its_key_and_the_kek_of_who_has_the_same_passphrase(void **)
{
	static const uint8_t none[sizeof(struct key_material)];
	struct bed b = bed_new();
	struct kdf_job same = job(1, 1, passphrase), other = job(2, 1, "another one entirely");
	struct kdf_result r[2];
	struct srt_km_keys k;
	struct srt_km its;

	same.what = other.what = KDF_CALL;
	same.cipher = other.cipher = SRT_KM_CTR;
	same.key_len = other.key_len = 32;
	same.has_salt = other.has_salt = true;
	memset(same.salt, 0x99, sizeof(same.salt));
	memset(other.salt, 0x99, sizeof(other.salt));
	assert_int_equal(kdf_submit(b.k, &same), 0);
	collect(&b, &r[0], 1);
	assert_int_equal(kdf_submit(b.k, &other), 0);
	collect(&b, &r[1], 1);
	for (unsigned i = 0; i < 2; i++) {
		struct srt_km_keys back;
		struct srt_km km;

		assert_int_equal(r[i].status, 0);
		assert_int_equal(r[i].keys.km.key_len, 32);
		assert_int_equal(r[i].keys.km.salt[0], 0x99);
		assert_int_equal(r[i].keys.km.has, SRT_KM_EVEN);
		assert_int_not_equal(r[i].keys.km.sek[0][15], 0x77);
		assert_int_equal(srt_km_parse(r[i].keys.msg, r[i].keys.msg_len, &km), 0);
		assert_int_equal(srt_km_unwrap(&km, r[i].keys.kek, &back), 0);
		assert_memory_equal(back.sek[0], r[i].keys.km.sek[0], r[i].keys.km.key_len);
	}
	assert_int_equal(srt_km_parse(same.km, same.km_len, &its), 0);
	assert_int_equal(srt_km_unwrap(&its, r[0].pass.kek, &k), 0);
	assert_int_equal(k.sek[0][15], 0x77);
	assert_int_equal(r[0].pass.km.key_len, 16);
	assert_int_equal(r[0].pass.km.cipher, SRT_KM_CTR);
	assert_int_equal(r[0].pass.km.salt[0], 2);
	assert_memory_equal(r[0].pass.km.sek, none, sizeof(r[0].pass.km.sek));
	assert_memory_equal(&r[1].pass, none, sizeof(r[1].pass));
	bed_free(&b);
}

// A thousand callers at once, and no more; of one address 64, so that others have room.
static void the_queue_is_bounded_in_all_and_per_source(void **)
{
	static struct kdf_result r[KDF_QUEUE];
	static bool seen[KDF_QUEUE];
	struct bed b = bed_new();
	struct kdf_job j = job(0, 1, passphrase);
	unsigned n = 0, refused = 0;

	for (; n < KDF_QUEUE && !refused; n += !refused) {
		j.id = n;
		refused += kdf_submit(b.k, &j) == -EAGAIN;
	}
	// Some may have been taken up by the threads meanwhile, and a few of them may be done.
	assert_true(n >= KDF_PER_SOURCE && n <= KDF_PER_SOURCE + 200);
	for (unsigned host = 2; host < 250 && n < KDF_QUEUE; host++) {
		j.source[15] = (uint8_t)host;
		for (unsigned i = 0; i < KDF_PER_SOURCE / 2 && n < KDF_QUEUE; i++) {
			j.id = n++;
			assert_int_equal(kdf_submit(b.k, &j), 0);
		}
	}
	j.source[15] = 251;
	assert_int_equal(kdf_submit(b.k, &j), -EAGAIN);
	collect(&b, r, n);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(r[i].status, 0);
		assert_false(seen[r[i].id]);
		seen[r[i].id] = true;
	}
	assert_int_equal(kdf_submit(b.k, &j), 0); // room again
	collect(&b, r, 1);
	bed_free(&b);
}

// Hosts of one IPv6 network are one source.
static void an_ipv6_network_has_one_share(void **)
{
	struct bed b = bed_new();
	struct kdf_job j = job(0, 0, passphrase);
	struct kdf_result r[8];
	unsigned n = 0;

	memset(j.source, 0, sizeof(j.source));
	j.source[0] = 0x20;
	while (n < 2 * KDF_PER_SOURCE + 200) {
		j.source[15] = (uint8_t)n;
		j.source[14] = (uint8_t)(n >> 8);
		if (kdf_submit(b.k, &j))
			break;
		n++;
	}
	assert_true(n >= KDF_PER_SOURCE && n < 2 * KDF_PER_SOURCE + 200);
	j.source[7] = 1; // the next network
	assert_int_equal(kdf_submit(b.k, &j), 0);
	collect(&b, r, 8);
	bed_free(&b); // with jobs still waiting
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_passphrase_gives_the_keys_or_says_that_it_is_another),
		cmocka_unit_test(a_call_has_its_key_and_the_kek_of_who_has_the_same_passphrase),
		cmocka_unit_test(the_queue_is_bounded_in_all_and_per_source),
		cmocka_unit_test(an_ipv6_network_has_one_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
