// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// dp.sock itself, with the daemon's own client on the other side.

#include "control/dp_socket.h"
#include "control_rig.h"
#include "ctl/dp/dp_client.h"
#include "ctl/dp/dp_wire.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct bed {
	char dir[64], path[96];
	struct dp_socket socket;
	struct rig *rig;
};

static int fresh(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	char err[256];

	snprintf(b->dir, sizeof(b->dir), "/tmp/sluice-server-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/dp.sock", b->dir);
	assert_int_equal(dp_socket_open(&b->socket, b->path, err, sizeof(err)), 0);
	b->rig = rig_new_served(b->socket.fd);
	*state = b;
	return 0;
}

static int leave(void **state)
{
	struct bed *b = *state;
	char lock[128];

	rig_free(b->rig);
	dp_socket_close(&b->socket);
	snprintf(lock, sizeof(lock), "%s.lock", b->path);
	unlink(lock);
	assert_int_equal(rmdir(b->dir), 0);
	free(b);
	return 0;
}

static struct dp_client *connect_to(struct bed *b)
{
	struct dp_client *k = calloc(1, sizeof(*k));
	char err[256];

	assert_int_equal(dp_client_open(k, b->path, err, sizeof(err)), 0);
	return k;
}

static void hang_up(struct dp_client *k)
{
	dp_client_close(k);
	free(k);
}

// The answer to request seq; notices on the way are passed over.
static struct dp_msg answer_of(
	struct bed *b, struct dp_client *k, int64_t seq, enum dp_dump_what what)
{
	struct dp_msg m;

	assert_true(seq > 0);
	for (unsigned i = 0; i < 2000; i++) {
		int rc;

		rig_settle(b->rig);
		rc = dp_client_read(k, what, &m);
		if (rc == -EAGAIN)
			continue;
		assert_int_equal(rc, 0);
		if (m.type != DP_NOTICE && m.seq == (uint32_t)seq)
			return m;
	}
	fail_msg("no answer");
	return m;
}

static struct dp_msg hello(struct bed *b, struct dp_client *k, uint32_t role, uint64_t epoch)
{
	struct dp_msg m = answer_of(b, k, dp_client_hello(k, role, epoch), 0);

	if (m.fd >= 0)
		close(m.fd);
	return m;
}

// The next message of any kind.
static struct dp_msg next_of(struct bed *b, struct dp_client *k)
{
	struct dp_msg m;
	int rc = -EAGAIN;

	for (unsigned i = 0; i < 2000 && rc == -EAGAIN; i++) {
		rig_settle(b->rig);
		rc = dp_client_read(k, 0, &m);
	}
	assert_int_equal(rc, 0);
	return m;
}

static void is_closed(struct bed *b, struct dp_client *k)
{
	struct dp_msg m;
	int rc = -EAGAIN;

	for (unsigned i = 0; i < 2000 && rc != -EPIPE; i++) {
		rig_settle(b->rig);
		rc = dp_client_read(k, 0, &m);
	}
	assert_int_equal(rc, -EPIPE);
}

// --- the socket -----------------------------------------------------------------------------

static void the_socket_is_for_its_group_alone(void **state)
{
	struct bed *b = *state;
	struct stat st;

	assert_int_equal(lstat(b->path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0660);
}

static void a_second_one_is_told_the_pid_of_the_first(void **state)
{
	struct bed *b = *state;
	struct dp_socket other;
	char err[256], want[256];
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(dp_socket_open(&other, b->path, err, sizeof(err)) == -EADDRINUSE ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(dp_socket_open(&other, b->path, err, sizeof(err)), -EADDRINUSE);
	snprintf(want, sizeof(want), "another sluice-dp, pid %d, has %s", (int)getpid(), b->path);
	assert_string_equal(err, want);
	hang_up(connect_to(b)); // and the first one still answers
}

static void what_a_dead_one_left_is_replaced(void **state)
{
	struct bed *b = *state;
	struct dp_socket again;
	char err[256], path[128];
	pid_t pid;

	snprintf(path, sizeof(path), "%s/dead.sock", b->dir);
	pid = fork();
	if (!pid)
		_exit(dp_socket_open(&again, path, err, sizeof(err)) ? 1 : 0); // says no farewell
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(dp_socket_open(&again, path, err, sizeof(err)), 0);
	dp_socket_close(&again);
	assert_int_not_equal(access(path, F_OK), 0);
	strcat(path, ".lock");
	unlink(path);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
	struct bed *b = *state;
	struct dp_socket s;
	char err[256], path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/file", b->dir);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(dp_socket_open(&s, path, err, sizeof(err)), -EEXIST);
	assert_non_null(strstr(err, "is there and is not a socket"));
	assert_int_equal(unlink(path), 0);
	strcat(path, ".lock");
	unlink(path);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(dp_socket_open(&s, path, err, sizeof(err)), -ENAMETOOLONG);
}

// --- HELLO ----------------------------------------------------------------------------------

static void hello_says_who_this_is_and_passes_the_counters(void **state)
{
	struct bed *b = *state;
	struct dp_client *k = connect_to(b);
	struct dp_msg m = answer_of(b, k, dp_client_hello(k, DP_ROLE_READER, 0), 0);
	const struct dp_stats_header *h;

	assert_int_equal(m.type, DP_HELLO_R);
	assert_int_equal(m.hello.abi, DP_ABI);
	assert_int_equal(m.hello.pid, getpid());
	assert_int_equal(m.hello.instance, 77);
	assert_int_equal(m.hello.n_workers, RIG_WORKERS);
	assert_int_equal(m.hello.max_streams, RIG_STREAMS);
	assert_true(m.fd >= 0);
	h = mmap(NULL, sizeof(*h), PROT_READ, MAP_SHARED, m.fd, 0);
	assert_true(h != MAP_FAILED);
	assert_int_equal(h->magic, DP_STATS_MAGIC);
	assert_int_equal(h->instance, 77);
	// Read-only to all but sluice-dp.
	assert_true(mmap(NULL, sizeof(*h), PROT_WRITE, MAP_SHARED, m.fd, 0) == MAP_FAILED);
	munmap((void *)(uintptr_t)h, sizeof(*h));
	close(m.fd);
	hang_up(k);
}

static void send_raw(struct dp_client *k, const void *msg, size_t len)
{
	assert_int_equal(send(k->fd, msg, len, 0), (ssize_t)len);
}

static void another_abi_is_told_which_one_is_spoken(void **state)
{
	struct bed *b = *state;
	struct dp_client *k = connect_to(b);
	struct dp_hello h = {.abi_min = 7, .abi_max = 9, .role = DP_ROLE_OWNER};
	struct dp_writer w;
	uint8_t buf[256];
	struct dp_msg m;

	dp_wire_begin(&w, buf, DP_HELLO, 3);
	dp_wire_put(&w, &h, sizeof(h));
	send_raw(k, buf, dp_wire_end(&w));
	m = answer_of(b, k, 3, 0);
	assert_int_equal(m.status, -EPROTO);
	assert_non_null(strstr(m.ack.error, "ABI 7 to 9 is not spoken here"));
	assert_non_null(strstr(m.ack.error, "with ABI 1"));
	is_closed(b, k);
	hang_up(k);
	k = connect_to(b);
	buf[2] = 7; // in the header
	send_raw(k, buf, w.len);
	m = answer_of(b, k, 3, 0);
	assert_int_equal(m.status, -EPROTO);
	assert_non_null(strstr(m.ack.error, "ABI 7 is not spoken here"));
	is_closed(b, k);
	hang_up(k);
}

static void a_newer_owner_fences_an_older_one(void **state)
{
	struct bed *b = *state;
	struct dp_client *old = connect_to(b), *new, *late;
	struct dp_msg m;

	assert_int_equal(hello(b, old, DP_ROLE_OWNER, 4).type, DP_HELLO_R);
	dp_client_sync_begin(old);
	rig_settle(b->rig);
	new = connect_to(b);
	assert_int_equal(hello(b, new, DP_ROLE_OWNER, 5).type, DP_HELLO_R);
	is_closed(b, old);
	m = answer_of(b, new, dp_client_sync_commit(new, &(struct dp_sync_commit){0}), 0);
	assert_int_equal(m.status, -EINVAL); // what the old one began is void
	late = connect_to(b);
	m = hello(b, late, DP_ROLE_OWNER, 4);
	assert_int_equal(m.status, -ESTALE);
	assert_string_equal(m.ack.error, "a newer owner has been here");
	m = answer_of(b, late, dp_client_sync_begin(late), 0);
	assert_int_equal(m.status, -EBADMSG); // no role, no orders
	is_closed(b, late);
	m = answer_of(b, new, dp_client_sync_begin(new), 0);
	assert_int_equal(m.status, 0);
	hang_up(old);
	hang_up(new);
	hang_up(late);
}

static void a_reader_reads_and_no_more(void **state)
{
	struct bed *b = *state;
	struct dp_client *k = connect_to(b);
	struct dp_msg m;

	hello(b, k, DP_ROLE_READER, 0);
	m = answer_of(b, k, dp_client_obj_del(k, DP_STREAM, 5), 0);
	assert_int_equal(m.status, -EPERM);
	assert_string_equal(m.ack.error, "OBJ_DEL is the owner's");
	m = answer_of(b, k, dp_client_dump(k, &(struct dp_dump){.what = DP_DUMP_OBJECTS}),
		DP_DUMP_OBJECTS);
	assert_int_equal(m.type, DP_DUMP_R);
	hang_up(k);
}

// --- what is wrong --------------------------------------------------------------------------

static void what_cannot_be_read_is_said_once_and_closed(void **state)
{
	struct bed *b = *state;
	static uint8_t junk[2 * DP_MSG_MAX];
	static const size_t sizes[] = {1, sizeof(struct dp_hdr), 4000, sizeof(junk)};

	memset(junk, 0xa5, sizeof(junk));
	for (unsigned i = 0; i < 4; i++) {
		struct dp_client *k = connect_to(b);
		struct dp_msg m;

		setsockopt(k->fd, SOL_SOCKET, SO_SNDBUF, &(int){1 << 20}, sizeof(int));
		send_raw(k, junk, sizes[i]);
		m = next_of(b, k);
		assert_int_equal(m.type, DP_ACK);
		assert_int_equal(m.status, -EBADMSG);
		assert_string_equal(m.ack.error, "not a message of the dataplane protocol");
		is_closed(b, k);
		hang_up(k);
	}
}

static void a_body_that_is_cut_short_closes_too(void **state)
{
	struct bed *b = *state;
	struct dp_client *k = connect_to(b);
	struct dp_obj o = {.kind = DP_STREAM, .id = 5};
	struct dp_writer w;
	uint8_t buf[256];
	struct dp_msg m;

	hello(b, k, DP_ROLE_OWNER, 1);
	dp_wire_begin(&w, buf, DP_OBJ_SET, 9);
	dp_wire_put(&w, &o, sizeof(o));
	send_raw(k, buf, dp_wire_end(&w));
	m = answer_of(b, k, 9, 0);
	assert_int_equal(m.status, -EBADMSG);
	assert_string_equal(m.ack.error, "OBJ_SET is cut short");
	is_closed(b, k);
	hang_up(k);
}

static void unknown_messages_are_answered(void **state)
{
	struct bed *b = *state;
	struct dp_client *k = connect_to(b);
	struct dp_writer w;
	uint8_t buf[64];
	struct dp_msg m;

	hello(b, k, DP_ROLE_OWNER, 1);
	dp_wire_begin(&w, buf, 999, 8);
	send_raw(k, buf, dp_wire_end(&w));
	m = answer_of(b, k, 8, 0);
	assert_int_equal(m.status, -ENOSYS);
	assert_string_equal(m.ack.error, "messages of type 999 are not served");
	m = answer_of(b, k, dp_client_sync_begin(k), 0); // and all goes on
	assert_int_equal(m.status, 0);
	hang_up(k);
}

// --- many and slow --------------------------------------------------------------------------

static void silent_connections_do_not_keep_the_owner_out(void **state)
{
	struct bed *b = *state;
	struct dp_client *silent[2 * SERVER_CLIENTS], *k;

	for (unsigned i = 0; i < 2 * SERVER_CLIENTS; i++) {
		silent[i] = connect_to(b);
		rig_settle(b->rig);
	}
	k = connect_to(b);
	assert_int_equal(hello(b, k, DP_ROLE_OWNER, 1).type, DP_HELLO_R);
	hang_up(k);
	for (unsigned i = 0; i < 2 * SERVER_CLIENTS; i++)
		hang_up(silent[i]);
}

static void readers_do_not_keep_the_owner_out(void **state)
{
	struct bed *b = *state;
	struct dp_client *readers[SERVER_READERS], *k;
	struct dp_msg m;

	for (unsigned i = 0; i < SERVER_READERS; i++) {
		readers[i] = connect_to(b);
		assert_int_equal(hello(b, readers[i], DP_ROLE_READER, 0).type, DP_HELLO_R);
	}
	k = connect_to(b);
	m = hello(b, k, DP_ROLE_READER, 0);
	assert_int_equal(m.status, -EUSERS);
	assert_int_equal(hello(b, k, DP_ROLE_OWNER, 1).type, DP_HELLO_R);
	hang_up(k);
	for (unsigned i = 0; i < SERVER_READERS; i++)
		hang_up(readers[i]);
}

// Thousands of orders, not one answer read: nothing is lost, nobody is cut off.
static void who_does_not_read_is_waited_for(void **state)
{
	struct bed *b = *state;
	struct dp_client *k = connect_to(b);
	int64_t seq = 0, n_sent = 0;
	unsigned n_acks = 0, stuck = 0;
	struct dp_msg m;

	hello(b, k, DP_ROLE_OWNER, 1);
	while (n_sent < 1000000 && stuck < 100) {
		seq = dp_client_obj_del(k, DP_STREAM, 5);
		assert_true(seq > 0 || seq == -EAGAIN);
		n_sent += seq > 0;
		stuck = seq > 0 ? 0 : stuck + 1;
		rig_turn(b->rig);
	}
	assert_int_equal(stuck, 100); // the way there is full: the server has stopped reading
	for (unsigned i = 0; i < 1000000 && n_acks < n_sent; i++) {
		rig_turn(b->rig);
		while (!dp_client_read(k, 0, &m))
			n_acks += m.type == DP_ACK;
	}
	assert_int_equal(n_acks, n_sent);
	hang_up(k);
}

static void a_client_that_goes_while_answers_wait_is_forgotten(void **state)
{
	struct bed *b = *state;
	struct dp_client *k = connect_to(b);

	hello(b, k, DP_ROLE_OWNER, 1);
	for (unsigned stuck = 0; stuck < 100;) {
		stuck = dp_client_obj_del(k, DP_STREAM, 5) > 0 ? 0 : stuck + 1;
		rig_turn(b->rig);
	}
	hang_up(k);
	rig_settle(b->rig);
	k = connect_to(b);
	assert_int_equal(hello(b, k, DP_ROLE_OWNER, 1).type, DP_HELLO_R);
	hang_up(k);
}

static void make_notices(struct rig *r, unsigned n)
{
	struct parked q = {.peer = endpoint_of_v4(0x7f000001, 1)};
	struct wish w = {.q = &q, .id.name = "a", .why = "no such stream"};

	for (unsigned i = 0; i < n; i++)
		notice_reject(r->c, &w, 2404, "");
}

static void what_a_slow_client_misses_is_counted(void **state)
{
	struct bed *b = *state;
	struct dp_client *slow = connect_to(b), *quick = connect_to(b);
	unsigned n_slow = 0, n_quick = 0, n_lost = 0;
	struct dp_msg m;

	make_notices(b->rig, 5); // before they came: not theirs
	hello(b, slow, DP_ROLE_OWNER, 1);
	hello(b, quick, DP_ROLE_READER, 0);
	for (unsigned i = 0; i < 200; i++) {
		make_notices(b->rig, 100);
		rig_turn(b->rig);
		while (!dp_client_read(quick, 0, &m)) {
			assert_int_equal(m.notice.lost, 0);
			n_quick++;
			rig_turn(b->rig);
		}
	}
	assert_int_equal(n_quick, 20000);
	for (unsigned i = 0; i < 5000; i++) {
		rig_turn(b->rig);
		while (!dp_client_read(slow, 0, &m)) {
			n_lost += m.notice.lost;
			n_slow++;
		}
	}
	assert_true(n_lost > 0);
	assert_int_equal(n_slow + n_lost, 20000);
	hang_up(slow);
	hang_up(quick);
}

// --- orders and dumps -----------------------------------------------------------------------

static void objects_are_dumped_page_by_page(void **state)
{
	struct bed *b = *state;
	struct dp_client *k = connect_to(b);
	struct dp_dump d = {.what = DP_DUMP_OBJECTS, .limit = 7};
	unsigned n = 0, pages = 0;
	struct dp_msg m;

	hello(b, k, DP_ROLE_OWNER, 1);
	for (unsigned i = 0; i < 30; i++) {
		struct dp_listener l = rig_listener((uint16_t)(9000 + i));
		int64_t seq = dp_client_obj_set(k, DP_LISTENER, 1000 + i, 5, &l, sizeof(l));

		assert_int_equal(answer_of(b, k, seq, 0).status, 0);
	}
	do {
		m = answer_of(b, k, dp_client_dump(k, &d), DP_DUMP_OBJECTS);
		for (unsigned i = 0; i < m.dump.n; i++, n++) {
			assert_int_equal(m.objects[i].id, 1000 + n);
			assert_int_equal(m.objects[i].state, DP_OBJ_ACTIVE);
		}
		d.cursor = m.dump.next;
		pages++;
		// The table changes between two pages: no object is told twice or passed over.
		object_del(b->rig->c, DP_LISTENER, 1000);
	} while (d.cursor);
	assert_int_equal(n, 30);
	assert_int_equal(pages, 5);
	hang_up(k);
}

static void sessions_are_dumped_by_mode_and_stream(void **state)
{
	struct bed *b = *state;
	struct dp_client *k = connect_to(b);
	struct dp_listener l = rig_listener(9000);
	struct dp_dump d = {.what = DP_DUMP_SUBSCRIBERS, .limit = 3};
	unsigned n = 0;
	struct dp_msg m;

	hello(b, k, DP_ROLE_OWNER, 1);
	l.open = 1;
	rig_set(b->rig, DP_LISTENER, "l", &l);
	rig_settle(b->rig);
	rig_call(b->rig, 0, "l", "publish/a");
	rig_call(b->rig, 0, "l", "publish/b");
	rig_settle(b->rig);
	for (unsigned i = 0; i < 10; i++)
		rig_call(b->rig, i % 2, "l", i < 7 ? "a" : "b");
	rig_settle(b->rig);
	snprintf(d.stream, sizeof(d.stream), "a");
	do {
		m = answer_of(b, k, dp_client_dump(k, &d), d.what);
		for (unsigned i = 0; i < m.dump.n; i++, n++)
			assert_string_equal(m.sessions[i].stream, "a");
		d.cursor = m.dump.next;
	} while (d.cursor);
	assert_int_equal(n, 7);
	d = (struct dp_dump){.what = DP_DUMP_PUBLISHERS};
	m = answer_of(b, k, dp_client_dump(k, &d), d.what);
	assert_int_equal(m.dump.n, 2);
	m = answer_of(b, k, dp_client_kick(k, m.sessions[0].key, 0), 0);
	assert_int_equal(m.status, 0);
	rig_settle(b->rig);
	m = answer_of(b, k, dp_client_dump(k, &d), d.what);
	assert_int_equal(m.dump.n, 1);
	m = answer_of(b, k, dp_client_kick(k, 12345, 60), 0);
	assert_int_equal(m.status, -ENOENT);
	d = (struct dp_dump){.what = DP_DUMP_SUBSCRIBERS};
	m = answer_of(b, k, dp_client_dump(k, &d), d.what);
	m = answer_of(b, k, dp_client_kick(k, m.sessions[0].key, 60), 0);
	assert_int_equal(m.status, 0);
	assert_int_equal(b->rig->c->bans.n, 1);
	d.what = 99;
	assert_int_equal(answer_of(b, k, dp_client_dump(k, &d), 0).status, -EINVAL);
	hang_up(k);
}

// The most that may be asked for in one page, each as large as can be.
static void a_page_of_sessions_fills_a_message_at_most(void **state)
{
	struct bed *b = *state;
	struct dp_client *k = connect_to(b);
	struct dp_dump d = {.what = DP_DUMP_SUBSCRIBERS, .limit = DP_DUMP_MAX};
	struct dp_msg m;

	hello(b, k, DP_ROLE_OWNER, 1);
	for (unsigned i = 0; i < RIG_SLOTS; i++)
		for (unsigned w = 0; w < RIG_WORKERS; w++) {
			struct rig_session *s = &b->rig->workers[w].sessions[i];

			*s = (struct rig_session){.used = true, .d.mode = DP_MODE_PLAY};
		}
	assert_true(RIG_SLOTS * RIG_WORKERS > DP_DUMP_MAX);
	m = answer_of(b, k, dp_client_dump(k, &d), d.what);
	assert_true(m.dump.next);
	assert_true(m.dump.n * sizeof(struct dp_session) < DP_MSG_MAX);
	assert_true((m.dump.n + 1) * sizeof(struct dp_session) + 512 > DP_MSG_MAX);
	memset(b->rig->workers[0].sessions, 0, sizeof(b->rig->workers[0].sessions));
	memset(b->rig->workers[1].sessions, 0, sizeof(b->rig->workers[1].sessions));
	hang_up(k);
}

static void a_whole_sync_by_the_daemons_client(void **state)
{
	struct bed *b = *state;
	struct dp_client *k = connect_to(b);
	struct dp_stream s = rig_stream("live/a");
	struct dp_sync_commit commit = {.count[DP_STREAM] = 1};
	struct dp_msg m;
	uint64_t id = dp_id("live/a");

	commit.digest[DP_STREAM] = dp_mix(id, 9);
	hello(b, k, DP_ROLE_OWNER, 1);
	answer_of(b, k, dp_client_sync_begin(k), 0);
	m = answer_of(b, k, dp_client_obj_set(k, DP_STREAM, id, 9, &s, sizeof(s)), 0);
	assert_int_equal(m.status, 0);
	m = answer_of(b, k, dp_client_sync_commit(k, &commit), 0);
	assert_int_equal(m.status, 0);
	assert_int_equal(m.ack.held, 0);
	m = hello(b, k, DP_ROLE_OWNER, 1);
	assert_true(m.hello.digest[DP_STREAM] == commit.digest[DP_STREAM]);
	assert_int_equal(m.hello.generation, 1);
	m = answer_of(b, k, dp_client_obj_set(k, DP_STREAM, id + 1, 9, &s, sizeof(s)), 0);
	assert_int_equal(m.status, -EINVAL); // not that name's id
	hang_up(k);
}

static void orders_of_an_operator(void **state)
{
	struct bed *b = *state;
	struct dp_client *k = connect_to(b);

	hello(b, k, DP_ROLE_OWNER, 1);
	assert_int_equal(answer_of(b, k, dp_client_drain(k, true), 0).status, 0);
	assert_true(b->rig->c->draining);
	assert_int_equal(answer_of(b, k, dp_client_drain(k, false), 0).status, 0);
	assert_false(b->rig->c->draining);
	assert_int_equal(answer_of(b, k, dp_client_log(k, "admit", 1), 0).status, 0);
	assert_int_equal(answer_of(b, k, dp_client_log(k, "no-such", 1), 0).status, -ENOENT);
	assert_int_equal(answer_of(b, k, dp_client_log(k, NULL, 9), 0).status, -EINVAL);
	hang_up(k);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_socket_is_for_its_group_alone),
		TEST(a_second_one_is_told_the_pid_of_the_first),
		TEST(what_a_dead_one_left_is_replaced),
		TEST(a_file_that_is_no_socket_is_left_alone),
		TEST(hello_says_who_this_is_and_passes_the_counters),
		TEST(another_abi_is_told_which_one_is_spoken),
		TEST(a_newer_owner_fences_an_older_one),
		TEST(a_reader_reads_and_no_more),
		TEST(what_cannot_be_read_is_said_once_and_closed),
		TEST(a_body_that_is_cut_short_closes_too),
		TEST(unknown_messages_are_answered),
		TEST(silent_connections_do_not_keep_the_owner_out),
		TEST(readers_do_not_keep_the_owner_out),
		TEST(who_does_not_read_is_waited_for),
		TEST(a_client_that_goes_while_answers_wait_is_forgotten),
		TEST(what_a_slow_client_misses_is_counted),
		TEST(objects_are_dumped_page_by_page),
		TEST(sessions_are_dumped_by_mode_and_stream),
		TEST(a_page_of_sessions_fills_a_message_at_most),
		TEST(a_whole_sync_by_the_daemons_client),
		TEST(orders_of_an_operator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
