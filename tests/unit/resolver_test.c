// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/resolver.h"
#include "test.h"

#include <event2/event.h>

#include <errno.h>
#include <string.h>

struct rig {
	struct event_base *base;
	struct resolver *resolver;
	unsigned changes;
	bool late;
};

static void on_change(void *arg)
{
	struct rig *g = arg;

	g->changes++;
}

static void on_deadline(evutil_socket_t, short, void *arg)
{
	struct rig *g = arg;

	g->late = true;
}

static void open_rig(struct rig *g)
{
	*g = (struct rig){.base = event_base_new()};
	g->resolver = resolver_new(g->base, on_change, g);
	assert_non_null(g->resolver);
}

static void close_rig(struct rig *g)
{
	resolver_free(g->resolver);
	event_base_free(g->base);
}

static void wait_for_changes(struct rig *g, unsigned n)
{
	struct event *deadline = evtimer_new(g->base, on_deadline, g);

	evtimer_add(deadline, &(struct timeval){.tv_sec = 40}); // a name server may not answer
	while (g->changes < n && !g->late)
		event_base_loop(g->base, EVLOOP_ONCE);
	event_free(deadline);
	assert_true(g->changes >= n);
}

// localhost is in every hosts file.
static void a_name_has_its_address_after_a_moment(void **)
{
	struct endpoint e = {.port = 77};
	struct rig g;

	open_rig(&g);
	assert_int_equal(resolver_lookup(g.resolver, "localhost", &e), -EAGAIN);
	wait_for_changes(&g, 1);
	assert_int_equal(resolver_lookup(g.resolver, "localhost", &e), 0);
	assert_true(endpoint_is_v4(&e) ? endpoint_v4(&e) == 0x7f000001 : e.ip[15] == 1);
	assert_int_equal(e.port, 77);
	assert_null(resolver_error(g.resolver, "localhost"));
	close_rig(&g);
}

// RFC 6761, 6.4: names under "invalid" never resolve.
static void a_name_without_address_says_why(void **)
{
	const char *name = "nobody.invalid", *why;
	struct endpoint e = {0};
	struct rig g;

	open_rig(&g);
	assert_null(resolver_error(g.resolver, name));
	assert_int_equal(resolver_lookup(g.resolver, name, &e), -EAGAIN);
	wait_for_changes(&g, 1);
	why = resolver_error(g.resolver, name);
	assert_non_null(why);
	assert_int_equal(strncmp(why, "nobody.invalid: ", 16), 0);
	assert_int_equal(resolver_lookup(g.resolver, name, &e), -EAGAIN);
	close_rig(&g);
}

static void names_are_looked_up_one_after_the_other(void **)
{
	struct endpoint e = {0};
	struct rig g;

	open_rig(&g);
	resolver_lookup(g.resolver, "slow.invalid", &e);
	assert_int_equal(resolver_lookup(g.resolver, "localhost", &e), -EAGAIN);
	wait_for_changes(&g, 2);
	assert_int_equal(resolver_lookup(g.resolver, "localhost", &e), 0);
	close_rig(&g);
}

static void it_ends_while_a_name_is_looked_up(void **)
{
	struct endpoint e = {0};
	struct rig g;

	open_rig(&g);
	assert_int_equal(resolver_lookup(g.resolver, "localhost", &e), -EAGAIN);
	close_rig(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_has_its_address_after_a_moment),
		cmocka_unit_test(a_name_without_address_says_why),
		cmocka_unit_test(names_are_looked_up_one_after_the_other),
		cmocka_unit_test(it_ends_while_a_name_is_looked_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
