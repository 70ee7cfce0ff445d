// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What sluice-load makes of time, and the payload layout of srt-xtransmit.

#include "load/meter.h"
#include "load/xtransmit.h"
#include "test.h"

#include <openssl/evp.h>

#include <string.h>

static struct hist hist;
static struct meter meter;

static int set_up(void **state)
{
	(void)state;
	memset(&hist, 0, sizeof(hist));
	memset(&meter, 0, sizeof(meter));
	return 0;
}

static void small_values_are_exact(void **state)
{
	(void)state;
	assert_int_equal(hist_at(&hist, 0.5), 0);
	for (uint64_t v = 1; v <= 200; v++)
		hist_note(&hist, v);
	assert_int_equal(hist_at(&hist, 0.5), 100);
	assert_int_equal(hist_at(&hist, 0.99), 198);
	assert_int_equal(hist_at(&hist, 0), 1);
	assert_int_equal(hist_at(&hist, 1), 200);
	assert_int_equal(hist.sum, 200 * 201 / 2);
}

// Every value lies in a bucket whose top is at most 1/128 above it.
static void large_values_are_nearly_so(void **state)
{
	(void)state;
	for (uint64_t v = 1; v < UINT32_MAX; v = v * 17 / 16 + 1) {
		uint64_t top;

		set_up(NULL);
		hist_note(&hist, v);
		hist_note(&hist, UINT32_MAX);
		top = hist_at(&hist, 0.5);
		assert_in_range(top, v, v + v / 128);
	}
	hist_note(&hist, UINT64_MAX); // an hour and more: all one
	assert_int_equal(hist_at(&hist, 1), UINT32_MAX);
	assert_int_equal(hist.max, UINT32_MAX);
}

static void one_outlier_in_a_thousand_is_found(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 999; i++)
		hist_note(&hist, 50);
	hist_note(&hist, 90000);
	assert_int_equal(hist_at(&hist, 0.999), 50);
	assert_int_equal(hist_at(&hist, 0.9999), 90000);
	assert_int_equal(hist.min, 50);
	assert_int_equal(hist.max, 90000);
}

static void note(uint32_t tag, uint64_t n, ts_us sent, ts_us took)
{
	meter_note(&meter, &(struct payload){.n = n, .sent = sent, .tag = tag}, sent + took);
}

static void first_and_last_copies_are_told_apart(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 3 * METER_OPEN; n++)
		for (unsigned copy = 0; copy < 3; copy++) {
			note(1, n, 1000, 30 + copy * 10);
			note(77, n, 1000, 100 + copy * 10);
		}
	meter_close(&meter);
	assert_int_equal(meter.latency.n, 18 * METER_OPEN);
	assert_int_equal(meter.first.n, 6 * METER_OPEN);
	assert_int_equal(meter.first.min, 30);
	assert_int_equal(meter.first.max, 100);
	assert_int_equal(meter.last.n, 6 * METER_OPEN);
	assert_int_equal(meter.last.min, 50);
	assert_int_equal(meter.last.max, 120);
}

static void a_repair_long_after_is_no_copy(void **state)
{
	(void)state;
	note(1, 5, 1000, 20);
	note(1, 5 + METER_OPEN, 2000, 20);
	note(1, 5, 1000, 90000);
	meter_close(&meter);
	assert_int_equal(meter.latency.n, 3);
	assert_int_equal(meter.last.n, 2);
	assert_int_equal(meter.last.max, 20);
}

static void warming_up_is_not_measured(void **state)
{
	(void)state;
	meter.from = 5000;
	note(1, 0, 4999, 700);
	note(1, 1, 5000, 40);
	meter_close(&meter);
	assert_int_equal(meter.latency.n, 1);
	assert_int_equal(meter.first.max, 40);
}

static void the_layout_of_srt_xtransmit_is_met(void **state)
{
	uint8_t data[PAYLOAD_LEN], rest[PAYLOAD_LEN], sum[16];
	struct payload_reader reader = {.layout = PAYLOAD_XTRANSMIT};
	struct payload p;
	uint64_t words[5];

	(void)state;
	xtransmit_make(&(struct payload){.n = 300, .sent = 123456, .tag = 9}, data);
	memcpy(words, data, sizeof(words));
	assert_int_equal(words[0], 300);
	assert_int_equal(words[2], 123456);
	assert_int_equal(words[4], PAYLOAD_LEN);
	memcpy(rest, data, 40);
	memcpy(rest + 40, data + 56, PAYLOAD_LEN - 56);
	EVP_Digest(rest, PAYLOAD_LEN - 16, sum, NULL, EVP_md5(), NULL);
	assert_memory_equal(sum, data + 40, 16);
	assert_int_equal(payload_check(&reader, data, PAYLOAD_LEN, &p), 0);
	assert_int_equal(p.n, 300);
	assert_int_equal(p.sent, 123456);
}

static void each_changed_byte_of_it_is_noticed(void **state)
{
	uint8_t data[PAYLOAD_LEN];
	struct payload p;

	(void)state;
	payload_make(PAYLOAD_XTRANSMIT, &(struct payload){.n = 1, .sent = 2}, data);
	for (size_t at = 0; at < PAYLOAD_LEN; at++) {
		data[at] ^= 1;
		assert_int_equal(xtransmit_check(data, PAYLOAD_LEN, &p), PAYLOAD_CORRUPT);
		data[at] ^= 1;
	}
	assert_int_equal(xtransmit_check(data, PAYLOAD_LEN - 1, &p), PAYLOAD_CORRUPT);
	assert_int_equal(xtransmit_check(data, 20, &p), PAYLOAD_FOREIGN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(small_values_are_exact, set_up),
		cmocka_unit_test_setup(large_values_are_nearly_so, set_up),
		cmocka_unit_test_setup(one_outlier_in_a_thousand_is_found, set_up),
		cmocka_unit_test_setup(first_and_last_copies_are_told_apart, set_up),
		cmocka_unit_test_setup(a_repair_long_after_is_no_copy, set_up),
		cmocka_unit_test_setup(warming_up_is_not_measured, set_up),
		cmocka_unit_test(the_layout_of_srt_xtransmit_is_met),
		cmocka_unit_test(each_changed_byte_of_it_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
