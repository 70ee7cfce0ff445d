// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What is told of those who are refused, and that it is bounded. Lines go to a file in place of
// stderr, and are counted there.

#include "control_rig.h"
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static FILE *lines;
static int terminal;

static int fresh(void **state)
{
	struct rig *r = rig_new();
	struct dp_listener l = rig_listener(9000);

	rig_set(r, DP_LISTENER, "l", &l);
	rig_settle(r);
	rig_pass(r, 1000);
	lines = tmpfile();
	terminal = dup(STDERR_FILENO);
	dup2(fileno(lines), STDERR_FILENO);
	*state = r;
	return 0;
}

static int leave(void **state)
{
	dup2(terminal, STDERR_FILENO);
	close(terminal);
	fclose(lines);
	rig_free(*state);
	return 0;
}

// Lines that hold the word, of all since the beginning.
static unsigned said(const char *word)
{
	char line[1024];
	unsigned n = 0;

	rewind(lines);
	while (fgets(line, sizeof(line), lines))
		n += strstr(line, word) != NULL;
	fseek(lines, 0, SEEK_END);
	return n;
}

static unsigned noticed(struct rig *r, uint32_t *at)
{
	struct dp_notice x;
	unsigned n = 0;

	while (notices_get(&r->c->notices, at, &x))
		n += x.event == DP_EV_REJECT;
	return n;
}

static void call_from(struct rig *r, uint32_t ip)
{
	unsigned park = rig_call(r, 0, "l", "nowhere");

	r->workers[0].parks[park].p.peer = endpoint_of_v4(ip, 5000);
	rig_settle(r);
	assert_int_equal(rig_code(r, 0, park), 2404);
	r->workers[0].n_parks = 0;
}

static void a_refusal_is_one_line_that_says_why(void **state)
{
	call_from(*state, 0xcb007109);
	assert_int_equal(said("203.0.113.9:5000 may not play nowhere (2404): no such stream"), 1);
}

static void it_names_the_stream_id_without_secrets(void **state)
{
	struct rig *r = *state;
	uint32_t at = notices_next(&r->c->notices);
	struct dp_notice x;

	rig_call(r, 0, "l", "#!::r=nowhere,u=joe,s=mypass");
	rig_call(r, 0, "l", "#!::x=1");
	rig_settle(r);
	assert_int_equal(said("may not play nowhere (2404): no such stream, stream id "
			      "#!::r=nowhere,u=joe,s=***\n"),
		1);
	assert_int_equal(said("is refused (2001): the stream id has an unknown key of one letter, "
			      "stream id #!::x=***\n"),
		1);
	assert_int_equal(said("mypass"), 0);
	assert_true(notices_get(&r->c->notices, &at, &x));
	assert_string_equal(x.streamid, "#!::r=nowhere,u=joe,s=***");
	assert_true(notices_get(&r->c->notices, &at, &x));
	assert_string_equal(x.streamid, "#!::x=***");
}

static void a_flood_from_one_network_drowns_no_other_line(void **state)
{
	struct rig *r = *state;
	uint32_t at = notices_next(&r->c->notices);

	for (unsigned i = 0; i < 1000; i++)
		call_from(r, 0xcb007100 + i % 256);
	assert_int_equal(said("203.0.113."), REFUSALS_LINES_OF_ONE);
	assert_int_equal(noticed(r, &at), REFUSALS_NOTICES_OF_ONE);
	call_from(r, 0xc6336401);
	assert_int_equal(said("198.51.100.1:5000 may not"), 1);
	assert_int_equal(noticed(r, &at), 1);
	rig_pass(r, 1000);
	assert_int_equal(said("990 more were refused"), 1);
	call_from(r, 0xcb007109); // another second
	assert_int_equal(said("203.0.113."), REFUSALS_LINES_OF_ONE + 1);
	rig_pass(r, 1000);
	rig_pass(r, 1000);
	assert_int_equal(said("more were refused"), 1);
}

static void a_flood_from_everywhere_is_bounded_too(void **state)
{
	struct rig *r = *state;
	uint32_t at = notices_next(&r->c->notices);

	for (uint32_t i = 0; i < 1000; i++)
		call_from(r, 0x0a000001 + (i << 8));
	assert_int_equal(said("may not play"), REFUSALS_LINES);
	assert_int_equal(noticed(r, &at), REFUSALS_NOTICES);
}

static void a_worker_says(struct rig *r, uint32_t ip, int code)
{
	struct rig_worker *w = &r->workers[1];

	w->events[w->n_events++] =
		(struct event){.kind = EV_REFUSED, .peer = endpoint_of_v4(ip, 5000), .code = code};
	rig_settle(r);
}

static void what_workers_refuse_is_told_in_words(void **state)
{
	struct rig *r = *state;
	uint32_t at = notices_next(&r->c->notices);

	a_worker_says(r, 0xcb007109, 2405);
	assert_int_equal(said("203.0.113.9:5000 is refused (2405): it calls for a rendezvous"), 1);
	a_worker_says(r, 0xcb007109, 1005);
	assert_int_equal(said("203.0.113.9:5000 is refused (1005): too many wait"), 1);
	assert_int_equal(noticed(r, &at), 2);
}

// Whoever forges addresses cannot use up the lines of those who have proved theirs.
static void forged_addresses_have_few_lines_of_their_own(void **state)
{
	struct rig *r = *state;

	for (uint32_t i = 0; i < 100; i++)
		a_worker_says(r, 0x0a000001 + (i << 8), 2405);
	assert_int_equal(said("rendezvous"), REFUSALS_UNPROVED);
	for (uint32_t i = 0; i < REFUSALS_LINES; i++)
		call_from(r, 0x0b000001 + (i << 8));
	assert_int_equal(said("may not play"), REFUSALS_LINES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_refusal_is_one_line_that_says_why),
		TEST(it_names_the_stream_id_without_secrets),
		TEST(a_flood_from_one_network_drowns_no_other_line),
		TEST(a_flood_from_everywhere_is_bounded_too),
		TEST(what_workers_refuse_is_told_in_words),
		TEST(forged_addresses_have_few_lines_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
