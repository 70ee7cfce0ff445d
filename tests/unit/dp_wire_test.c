// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/dp/dp_client.h"
#include "ctl/dp/dp_wire.h"
#include "test.h"

#include <errno.h>
#include <string.h>

// The client's two ends in memory: what it sent last, what it is to read next.
struct pipe {
	uint8_t sent[DP_MSG_MAX], next[DP_MSG_MAX];
	size_t n_sent, n_next;
};

static long pipe_send(void *ctx, const void *msg, size_t len)
{
	struct pipe *p = ctx;

	memcpy(p->sent, msg, len);
	p->n_sent = len;
	return (long)len;
}

static long pipe_recv(void *ctx, void *msg, size_t cap, int *fd)
{
	struct pipe *p = ctx;
	size_t n = p->n_next;

	*fd = -1;
	if (!n) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(msg, p->next, n);
	p->n_next = 0;
	return (long)n;
}

static struct pipe pipe;
static struct dp_client client;

static int fresh(void **state)
{
	memset(&pipe, 0, sizeof(pipe));
	dp_client_open_transport(&client,
		&(struct dp_transport){.send = pipe_send, .recv = pipe_recv, .ctx = &pipe});
	return 0;
}

// SHA-256("live/cam1") = 0df7bee64d.. by coreutils' sha256sum.
static void ids_are_what_sha256sum_says(void **state)
{
	assert_true(dp_id("live/cam1") == 0x0df7bee64du);
	assert_true(dp_version("abc", 3) == 0xba7816bf8f01cfeau); // FIPS 180-2, B.1
}

static void an_object_travels_whole(void **state)
{
	struct dp_stream s = {.latency_ms = 200, .name = "live/cam1"}, back;
	struct dp_obj o;
	struct dp_reader r;

	assert_int_equal(dp_client_obj_set(&client, DP_STREAM, 7, 9, &s, sizeof(s)), 1);
	assert_int_equal(dp_wire_read(&r, pipe.sent, pipe.n_sent), 0);
	assert_int_equal(r.hdr.type, DP_OBJ_SET);
	assert_int_equal(r.hdr.seq, 1);
	assert_int_equal(dp_wire_body(&r, &o, sizeof(o)), 0);
	assert_int_equal(o.kind, DP_STREAM);
	assert_int_equal(o.id, 7);
	assert_int_equal(o.version, 9);
	assert_int_equal(dp_wire_body(&r, &back, sizeof(back)), 0);
	assert_int_equal(back.latency_ms, 200);
	assert_string_equal(back.name, "live/cam1");
	assert_int_equal(r.left, 0);
}

// A sender of an older ABI leaves out the tail, a newer one has more.
static void bodies_of_other_sizes_are_understood(void **state)
{
	struct {
		uint32_t size, a, b, c;
	} theirs = {.a = 1, .b = 2, .c = 3};
	struct {
		uint32_t size, a;
	} small;
	struct {
		uint32_t size, a, b, c, d;
	} large;
	struct dp_writer w;
	struct dp_reader r;
	size_t len;

	dp_wire_begin(&w, pipe.next, DP_HELLO, 1);
	dp_wire_put(&w, &theirs, sizeof(theirs));
	dp_wire_put(&w, &theirs, sizeof(theirs));
	len = dp_wire_end(&w);
	assert_int_equal(dp_wire_read(&r, pipe.next, len), 0);
	memset(&large, 0xff, sizeof(large));
	assert_int_equal(dp_wire_body(&r, &small, sizeof(small)), 0);
	assert_int_equal(small.a, 1);
	assert_int_equal(dp_wire_body(&r, &large, sizeof(large)), 0);
	assert_int_equal(large.c, 3);
	assert_int_equal(large.d, 0);
}

static void what_is_cut_short_or_lies_is_refused(void **state)
{
	struct dp_hello h = {.role = 1};
	struct dp_writer w;
	struct dp_reader r;
	uint32_t lie = 4000;
	size_t len;

	dp_wire_begin(&w, pipe.next, DP_HELLO, 1);
	dp_wire_put(&w, &h, sizeof(h));
	len = dp_wire_end(&w);
	for (size_t n = 0; n < len; n++)
		assert_int_equal(dp_wire_read(&r, pipe.next, n), -EBADMSG);
	memcpy(pipe.next + sizeof(struct dp_hdr), &lie, sizeof(lie));
	assert_int_equal(dp_wire_read(&r, pipe.next, len), 0);
	assert_int_equal(dp_wire_body(&r, &h, sizeof(h)), -EBADMSG);
	lie = 3; // smaller than the size field itself
	memcpy(pipe.next + sizeof(struct dp_hdr), &lie, sizeof(lie));
	assert_int_equal(dp_wire_read(&r, pipe.next, len), 0);
	assert_int_equal(dp_wire_body(&r, &h, sizeof(h)), -EBADMSG);
	pipe.next[2] = 77; // the ABI
	assert_int_equal(dp_wire_read(&r, pipe.next, len), -EPROTO);
}

static void a_dump_is_read_record_by_record(void **state)
{
	struct dp_dump_r d = {.n = 2, .record_size = sizeof(struct dp_session), .next = 5};
	struct dp_session s[2] = {{.key = 11, .stream = "a"}, {.key = 12, .stream = "b"}};
	struct dp_writer w;
	struct dp_msg m;

	dp_wire_begin(&w, pipe.next, DP_DUMP_R, 3);
	dp_wire_put(&w, &d, sizeof(d));
	dp_wire_put_raw(&w, s, sizeof(s));
	pipe.n_next = dp_wire_end(&w);
	assert_int_equal(dp_client_read(&client, DP_DUMP_SUBSCRIBERS, &m), 0);
	assert_int_equal(m.seq, 3);
	assert_int_equal(m.dump.next, 5);
	assert_int_equal(m.sessions[1].key, 12);
	assert_string_equal(m.sessions[1].stream, "b");
	assert_int_equal(dp_client_read(&client, DP_DUMP_SUBSCRIBERS, &m), -EAGAIN);
}

static void a_dump_that_claims_too_much_is_refused(void **state)
{
	struct dp_dump_r d = {.n = 3, .record_size = sizeof(struct dp_session)};
	struct dp_session s[2] = {0};
	struct dp_writer w;
	struct dp_msg m;

	dp_wire_begin(&w, pipe.next, DP_DUMP_R, 3);
	dp_wire_put(&w, &d, sizeof(d));
	dp_wire_put_raw(&w, s, sizeof(s));
	pipe.n_next = dp_wire_end(&w);
	assert_int_equal(dp_client_read(&client, DP_DUMP_SUBSCRIBERS, &m), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_what_sha256sum_says),
		cmocka_unit_test_setup(an_object_travels_whole, fresh),
		cmocka_unit_test_setup(bodies_of_other_sizes_are_understood, fresh),
		cmocka_unit_test_setup(what_is_cut_short_or_lies_is_refused, fresh),
		cmocka_unit_test_setup(a_dump_is_read_record_by_record, fresh),
		cmocka_unit_test_setup(a_dump_that_claims_too_much_is_refused, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
