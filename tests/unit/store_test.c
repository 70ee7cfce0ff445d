// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What every engine must do (store.h), run on SQLite.

#include "store_rig.h"

#include "ctl/store/sqlite_db.h"

#include <sqlite3.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rig r;

static int open_rig(void **)
{
	rig_open(&r);
	return 0;
}

static int close_rig(void **)
{
	rig_close(&r);
	return 0;
}

static void writes_compare_revisions(void **)
{
	assert_int_equal(rig_write(&r, "a", 0, "1"), STORE_OK);
	assert_int_equal(r.rev, 1);
	assert_int_equal(rig_write(&r, "a", 0, "2"), STORE_CAS);
	assert_int_equal(r.rev, 1);
	assert_int_equal(rig_write(&r, "a", 1, "2"), STORE_OK);
	assert_int_equal(rig_write(&r, "a", 1, "3"), STORE_CAS);
	assert_int_equal(rig_write(&r, "b", 5, "x"), STORE_CAS);
	assert_string_equal(rig_list(&r, ""), "+a=2@2 ");
	assert_int_equal(rig_write(&r, "a", 2, NULL), STORE_OK);
	assert_string_equal(rig_list(&r, ""), "");
	assert_int_equal(r.rev, 3);
	assert_int_equal(rig_write(&r, "a", 0, ""), STORE_OK);
	assert_string_equal(rig_list(&r, ""), "+a=@4 ");
}

static void deleting_nothing_is_no_revision(void **)
{
	assert_int_equal(rig_write(&r, "a", 0, NULL), STORE_OK);
	assert_int_equal(r.rev, 0);
}

static void a_transaction_is_whole_or_not_at_all(void **)
{
	struct store_cmp cmp[] = {{store_str("a"), 0}, {store_str("b"), 7}};
	struct store_op ops[] = {
		{false, store_str("a"), store_str("1")}, {false, store_str("b"), store_str("1")}};

	store_txn(r.store, cmp, 2, ops, 2, rig_on_done, &r);
	rig_wait(&r, &r.answered);
	assert_int_equal(r.rc, STORE_CAS);
	assert_string_equal(rig_list(&r, ""), "");
	cmp[1].mod_rev = 0;
	r.answered = false;
	store_txn(r.store, cmp, 2, ops, 2, rig_on_done, &r);
	rig_wait(&r, &r.answered);
	assert_int_equal(r.rc, STORE_OK);
	assert_string_equal(rig_list(&r, ""), "+a=1@1 +b=1@1 ");
}

static enum store_rc txn(
	const struct store_cmp *cmp, size_t n_cmp, const struct store_op *ops, size_t n_ops)
{
	r.answered = false;
	store_txn(r.store, cmp, n_cmp, ops, n_ops, rig_on_done, &r);
	assert_false(r.answered);
	rig_wait(&r, &r.answered);
	return r.rc;
}

static void limits_are_answers(void **)
{
	static char big[STORE_TXN_MAX];
	struct store_cmp a = {store_str("a"), 0}, many[STORE_OPS_MAX + 1];
	struct store_op one = {false, store_str("a"), {big, sizeof(big)}},
			twice[] = {{false, store_str("a"), store_str("1")}, {true, store_str("a")}};

	for (size_t i = 0; i <= STORE_OPS_MAX; i++)
		many[i] = a;
	assert_int_equal(txn(&a, 1, &one, 1), STORE_TOO_BIG);
	assert_int_equal(txn(many, STORE_OPS_MAX + 1, twice, 1), STORE_TOO_BIG);
	assert_int_equal(txn(&a, 1, twice, 2), STORE_INVALID);
	assert_int_equal(rig_write(&r, "b", -1, "x"), STORE_INVALID);
	assert_int_equal(rig_write(&r, "", 0, "x"), STORE_INVALID);
	one.val.len = sizeof(big) - 1;
	assert_int_equal(txn(&a, 1, &one, 1), STORE_OK);
	memset(big, 'k', STORE_KEY_MAX + 1);
	big[STORE_KEY_MAX + 1] = '\0';
	assert_int_equal(rig_write(&r, big, 0, "x"), STORE_INVALID);
	big[STORE_KEY_MAX] = '\0';
	assert_int_equal(rig_write(&r, big, 0, "x"), STORE_OK);
}

static void lists_hold_one_prefix_in_order(void **)
{
	rig_write(&r, "/s/b", 0, "2");
	rig_write(&r, "/t", 0, "4");
	rig_write(&r, "/s/a", 0, "1");
	rig_write(&r, "/s", 0, "0");
	rig_write(&r, "/s/\xff\xff", 0, "3");
	assert_string_equal(rig_list(&r, "/s/"), "+/s/a=1@3 +/s/b=2@1 +/s/\xff\xff=3@5 ");
	assert_string_equal(rig_list(&r, "/s/\xff"), "+/s/\xff\xff=3@5 ");
	assert_string_equal(rig_list(&r, "\xff"), "");
	assert_string_equal(
		rig_list(&r, ""), "+/s=0@4 +/s/a=1@3 +/s/b=2@1 +/s/\xff\xff=3@5 +/t=4@2 ");
}

static void a_watch_shows_every_revision_once(void **)
{
	struct store_watch *w;

	rig_write(&r, "/s/a", 0, "1");
	rig_write(&r, "/x", 0, "1");
	rig_write(&r, "/s/a", 1, "2");
	r.log[0] = '\0';
	w = store_watch(r.store, store_str("/s/"), 2, rig_on_events, &r);
	rig_write(&r, "/s/b", 0, "1");
	rig_write(&r, "/x", 2, "2");
	rig_write(&r, "/s/a", 3, NULL);
	// What was there before is one look; each transaction has been shown when it is answered.
	assert_string_equal(r.log, "+/s/a=2@3 |3 +/s/b=1@4 |4 -/s/a@6 |6 ");
	store_unwatch(w);
	rig_write(&r, "/s/c", 0, "1");
	assert_non_null(strstr(r.log, "|6 "));
	assert_null(strstr(r.log, "/s/c"));
}

static void a_revision_is_not_split(void **)
{
	struct store_cmp cmp[] = {{store_str("a"), 0}, {store_str("b"), 0}, {store_str("c"), 0}};
	struct store_op ops[] = {{false, store_str("a"), store_str("1")},
		{false, store_str("c"), store_str("1")}, {false, store_str("b"), store_str("1")}};
	struct store_watch *w = store_watch(r.store, store_str(""), 1, rig_on_events, &r);

	assert_int_equal(txn(cmp, 3, ops, 3), STORE_OK);
	assert_string_equal(r.log, "+a=1@1 +c=1@1 +b=1@1 |1 ");
	store_unwatch(w);
}

struct quitter {
	struct store_watch *self, *other;
	int calls;
};

static void quit(void *arg, enum store_rc, store_rev, const struct store_event *, size_t)
{
	struct quitter *q = arg;

	q->calls++;
	store_unwatch(q->self);
	store_unwatch(q->other);
}

static void watches_may_end_inside_a_callback(void **)
{
	struct quitter q = {0};

	q.self = store_watch(r.store, store_str(""), 1, quit, &q);
	q.other = store_watch(r.store, store_str(""), 1, quit, &q);
	rig_write(&r, "a", 0, "1");
	rig_write(&r, "b", 0, "1");
	assert_int_equal(q.calls, 1);
	store_unwatch(store_watch(r.store, store_str(""), 1, rig_on_events, &r));
	rig_write(&r, "c", 0, "1");
	assert_string_equal(r.log, "");
}

static void what_is_gone_from_the_log_is_compacted(void **)
{
	struct store_watch *w;
	char text[16];

	for (int i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "%d", i);
		rig_write(&r, "a", i, text);
	}
	w = store_watch(r.store, store_str(""), -SQLITE_DB_KEPT, rig_on_events, &r);
	rig_write(&r, "b", 0, "1");
	assert_string_equal(r.log, "compacted +b=1@21 |21 ");
	store_unwatch(w);
}

static void everything_is_there_after_opening_again(void **)
{
	struct stat st;

	rig_write(&r, "a", 0, "1");
	rig_write(&r, "b", 0, "2");
	rig_write(&r, "a", 1, "3");
	rig_reopen(&r);
	assert_string_equal(rig_list(&r, ""), "+a=3@3 +b=2@2 ");
	assert_int_equal(rig_write(&r, "c", 0, "x"), STORE_OK);
	assert_int_equal(r.rev, 4);
	r.log[0] = '\0';
	store_unwatch(store_watch(r.store, store_str(""), 2, rig_on_events, &r));
	assert_int_equal(stat(r.url + strlen("sqlite://"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void closing_finishes_what_was_asked(void **)
{
	struct store_cmp cmp = {store_str("a"), 0};
	struct store_op op = {false, store_str("a"), store_str("1")};

	store_txn(r.store, &cmp, 1, &op, 1, rig_on_done, &r);
	rig_reopen(&r);
	assert_true(r.answered);
	assert_int_equal(r.rc, STORE_OK);
	assert_string_equal(rig_list(&r, ""), "+a=1@1 ");
}

static void ask_again(void *arg, enum store_rc rc, store_rev)
{
	assert_int_equal(rc, STORE_OK);
	store_watch(r.store, store_str(""), 1, rig_on_events, &r);
	store_txn(r.store, NULL, 0, NULL, 0, rig_on_done, &r);
}

static void closing_refuses_what_comes_then(void **)
{
	store_txn(r.store, NULL, 0, NULL, 0, ask_again, NULL);
	rig_reopen(&r);
	assert_true(r.answered);
	assert_int_equal(r.rc, STORE_UNAVAILABLE);
	assert_string_equal(r.log, "");
}

static void refused(const char *url, const char *sentence)
{
	char err[256] = "";

	assert_null(store_open(url, r.base, err, sizeof(err)));
	if (!strstr(err, sentence))
		fail_msg("\"%s\" does not say \"%s\"", err, sentence);
}

static void bad_places_are_one_sentence(void **)
{
	char url[160];

	refused("redis://localhost", "is not sqlite:///PATH");
	refused("sqlite:relative", "is not sqlite:///PATH");
	refused("sqlite://relative", "is not sqlite:///PATH");
	refused("sqlite:///nowhere/at/all.db", "No such file or directory");
	snprintf(url, sizeof(url), "sqlite://%s", r.dir);
	refused(url, "Is a directory");
}

static void sql(const char *path, const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void other_files_are_left_alone(void **)
{
	char path[128], url[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/other", r.dir);
	snprintf(url, sizeof(url), "sqlite://%s", path);
	f = fopen(path, "w");
	for (int i = 0; i < 2000; i++)
		fputs("this is text\n", f);
	fclose(f);
	refused(url, "is not a store");
	unlink(path);
	sql(path, "CREATE TABLE t(x)");
	refused(url, "is a database of another program");
	unlink(path);
	sql(path, "PRAGMA application_id = 1397511491; PRAGMA user_version = 9; CREATE TABLE t(x)");
	refused(url, "was written by a newer version (9, this knows 1)");
	unlink(path);
}

// Another process, as file locks are of processes.
static void one_process_owns_it(void **)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct event_base *base = event_base_new();
		char err[256] = "";

		_exit(store_open(r.url, base, err, sizeof(err)) ||
			!strstr(err, "in use by another process"));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

// Writes key "n" counting up, and tells each acknowledged number.
static void count_up(const char *url, int to)
{
	struct rig child = {.base = event_base_new()};
	char err[256], text[16];

	child.store = store_open(url, child.base, err, sizeof(err));
	if (!child.store || strlen(rig_list(&child, "n")) > 60)
		_exit(1);
	for (int n = atoi(child.log + (*child.log ? 3 : 0)) + 1;; n++) {
		store_rev rev = n == 1 ? 0 : child.rev;

		snprintf(text, sizeof(text), "%d", n);
		if (rig_write(&child, "n", rev, text) || write(to, &n, sizeof(n)) != sizeof(n))
			_exit(1);
	}
}

// Numbers as they are acknowledged, until the pipe ends or `want` is there. The first of a child
// may be one further than what was acknowledged: its forerunner was killed between writing and
// telling.
static int follow(int fd, int acked, int want)
{
	int n;

	for (bool first = true; acked < want && read(fd, &n, sizeof(n)) == sizeof(n);
		first = false) {
		assert_in_range(n, acked + 1, acked + 1 + first);
		acked = n;
	}
	return acked;
}

static int kill_one(int acked, int want)
{
	int fd[2], status;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); // a failing test leaves nobody behind
		count_up(r.url, fd[1]);
	}
	close(fd[1]);
	acked = follow(fd[0], acked, want);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_true(acked >= want);
	acked = follow(fd[0], acked, INT_MAX);
	close(fd[0]);
	return acked;
}

static void nothing_acknowledged_is_lost_by_kill(void **)
{
	int acked = 0;

	store_close(r.store);
	r.store = NULL;
	for (int round = 0; round < 5; round++)
		acked = kill_one(acked, acked + 20 + 7 * round);
	rig_reopen(&r);
	// One more than acknowledged may be there: it was killed in between.
	assert_in_range(atoi(rig_list(&r, "n") + 3), acked, acked + 1);
}

// RLIMIT_FSIZE stands for a full disk: writing beyond it fails. In a process of its own.
static void fill_the_disk(void)
{
	struct rlimit old, tight = {16384, RLIM_INFINITY};
	char big[8192];
	int n = 0;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	rig_reopen(&r);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	setrlimit(RLIMIT_FSIZE, &tight);
	while (n < 100 && rig_write(&r, "big", r.rev, big) == STORE_OK)
		n++;
	assert_true(n < 100);
	assert_int_equal(r.rc, STORE_UNAVAILABLE);
	assert_int_equal(r.rev, n);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(rig_write(&r, "big", n, "small"), STORE_OK);
	assert_int_equal(r.rev, n + 1);
	rig_reopen(&r);
	assert_memory_equal(rig_list(&r, ""), "+big=small@", 11);
	assert_int_equal(r.rev, n + 1);
	_exit(0);
}

static void a_full_disk_is_an_answer(void **)
{
	pid_t pid;
	int status;

	store_close(r.store);
	r.store = NULL;
	pid = fork();
	if (!pid)
		fill_the_disk();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	rig_reopen(&r);
	assert_memory_equal(rig_list(&r, ""), "+big=small@", 11);
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(writes_compare_revisions),
		RIG_TEST(deleting_nothing_is_no_revision),
		RIG_TEST(a_transaction_is_whole_or_not_at_all),
		RIG_TEST(limits_are_answers),
		RIG_TEST(lists_hold_one_prefix_in_order),
		RIG_TEST(a_watch_shows_every_revision_once),
		RIG_TEST(a_revision_is_not_split),
		RIG_TEST(watches_may_end_inside_a_callback),
		RIG_TEST(what_is_gone_from_the_log_is_compacted),
		RIG_TEST(everything_is_there_after_opening_again),
		RIG_TEST(closing_finishes_what_was_asked),
		RIG_TEST(closing_refuses_what_comes_then),
		RIG_TEST(bad_places_are_one_sentence),
		RIG_TEST(other_files_are_left_alone),
		RIG_TEST(one_process_owns_it),
		RIG_TEST(a_full_disk_is_an_answer),
		RIG_TEST(nothing_acknowledged_is_lost_by_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
