// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What sluice-load believes of its peers: each fault it reports, made on purpose.

#include "load/check.h"
#include "test.h"

#include <string.h>

static uint8_t data[PAYLOAD_LEN];
static struct meter meter;
static struct payload_reader reader;

static const uint8_t *content(uint32_t tag, uint64_t n)
{
	payload_make(
		PAYLOAD_OWN, &(struct payload){.n = n, .sent = 1000, .tag = tag, .index = 7}, data);
	return data;
}

static void note(struct check *c, uint64_t seq, uint32_t tag, uint64_t n)
{
	check_numbered(c, &meter, 1250, seq, content(tag, n), PAYLOAD_LEN);
}

static void a_payload_says_who_made_it(void **state)
{
	struct payload p;

	(void)state;
	assert_int_equal(payload_check(&reader, content(5, 1u << 31), PAYLOAD_LEN, &p), 0);
	assert_int_equal(p.tag, 5);
	assert_int_equal(p.n, 1u << 31);
	assert_int_equal(p.index, 7);
	assert_int_equal(p.sent, 1000);
	for (size_t at = 0; at < PAYLOAD_LEN; at += 188)
		assert_int_equal(data[at], 0x47);
}

static void each_changed_byte_is_noticed(void **state)
{
	struct payload p;

	(void)state;
	content(1, 2);
	for (size_t at = 0; at < PAYLOAD_LEN; at++) {
		bool magic = at >= 4 && at < 12;

		data[at] ^= 0x10;
		assert_int_equal(payload_check(&reader, data, PAYLOAD_LEN, &p),
			magic ? PAYLOAD_FOREIGN : PAYLOAD_CORRUPT);
		data[at] ^= 0x10;
	}
	assert_int_equal(payload_check(&reader, data, PAYLOAD_LEN - 1, &p), PAYLOAD_CORRUPT);
	assert_int_equal(payload_check(&reader, data, 20, &p), PAYLOAD_FOREIGN);
}

static void order_is_free_but_places_are_not(void **state)
{
	struct check c = {0};

	(void)state;
	note(&c, 0, 1, 100);
	note(&c, 2, 1, 102);
	note(&c, 1, 1, 101); // a repair
	assert_int_equal(c.corrupt, 0);
	assert_int_equal(c.marked, 3);
	assert_int_equal(c.delay_us, 3 * 250);
	note(&c, 3, 1, 102); // again, under another number
	assert_int_equal(c.misplaced, 1);
	assert_int_equal(c.corrupt, 1);
	note(&c, 4, 1, 104);
	assert_int_equal(c.corrupt, 1);
	assert_int_equal(c.skipped, 0);
}

static void what_the_numbering_passes_over_is_counted(void **state)
{
	struct check c = {0};

	(void)state;
	note(&c, 10, 1, 0);
	note(&c, 12, 1, 5); // three lost without a hole
	assert_int_equal(c.skipped, 3);
	note(&c, 11, 1, 1); // a repair from before them
	note(&c, 13, 1, 6);
	assert_int_equal(c.skipped, 3);
	assert_int_equal(c.corrupt, 0);
}

static void another_publisher_begins_anew(void **state)
{
	struct check c = {0};

	(void)state;
	note(&c, 0, 1, 900);
	note(&c, 2, 2, 0);
	note(&c, 1, 1, 901); // of the first one, repaired
	note(&c, 3, 2, 1);
	assert_int_equal(c.skipped, 0);
	assert_int_equal(c.corrupt, 0);
}

static void gaps_are_what_is_missing_between(void **state)
{
	struct gaps g = {0};

	(void)state;
	for (uint64_t n = 50; n < 5000; n++)
		if (n % 100)
			gaps_note(&g, 1, n);
	assert_int_equal(gaps_missing(&g), 49);
	gaps_note(&g, 1, 4900); // late
	gaps_note(&g, 1, 4900); // and twice
	gaps_note(&g, 1, 10);	// from before the first
	assert_int_equal(gaps_missing(&g), 48);
	assert_int_equal(g.duplicate, 2);
	gaps_note(&g, 2, 7); // another session
	gaps_note(&g, 2, 9);
	assert_int_equal(gaps_missing(&g), 49);
	gaps_note(&g, 2, 9 + 4096); // farther than the memory of duplicates
	gaps_note(&g, 2, 4000);
	assert_int_equal(gaps_missing(&g), 48 + 1 + 4095 - 1);
	assert_int_equal(g.duplicate, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_payload_says_who_made_it),
		cmocka_unit_test(each_changed_byte_is_noticed),
		cmocka_unit_test(order_is_free_but_places_are_not),
		cmocka_unit_test(what_the_numbering_passes_over_is_counted),
		cmocka_unit_test(another_publisher_begins_anew),
		cmocka_unit_test(gaps_are_what_is_missing_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
