// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/store/sqlite_db.h"

#include <sqlite3.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define APPLICATION_ID 1397511491 // "SLUC"
#define SCHEMA_VERSION 1

enum statement { BEGIN, COMMIT, ROLLBACK, REV, PUT, DEL, LOG, SET_REV, TRIM, LIST, REPLAY, COUNT };

static const char *const statements[COUNT] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[REV] = "SELECT mod_rev FROM kv WHERE key = ?1",
	[PUT] = "INSERT INTO kv(key, val, mod_rev) VALUES(?1, ?2, ?3) ON CONFLICT(key) "
		"DO UPDATE SET val = ?2, mod_rev = ?3",
	[DEL] = "DELETE FROM kv WHERE key = ?1",
	[LOG] = "INSERT INTO log(rev, seq, del, key, val) VALUES(?1, ?2, ?3, ?4, ?5)",
	[SET_REV] = "UPDATE meta SET value = ?1 WHERE name = 'rev'",
	[TRIM] = "DELETE FROM log WHERE rev <= ?1",
	[LIST] = "SELECT key, val, mod_rev FROM kv WHERE key >= ?1 AND (?2 IS NULL OR key < ?2) "
		 "ORDER BY key",
	[REPLAY] = "SELECT key, val, rev, del FROM log WHERE rev >= ?1 ORDER BY rev, seq",
};

// One process owns the file, so it may hold the lock for good and needs no shared memory.
static const char own[] = "PRAGMA locking_mode = EXCLUSIVE";

static const char schema[] =
	"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	"BEGIN IMMEDIATE;"
	"CREATE TABLE IF NOT EXISTS kv(key BLOB PRIMARY KEY, val BLOB, mod_rev INTEGER NOT NULL) "
	"WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS log(rev INTEGER, seq INTEGER, del INTEGER NOT NULL, "
	"key BLOB NOT NULL, val BLOB, PRIMARY KEY(rev, seq)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;"
	"INSERT OR IGNORE INTO meta VALUES('rev', 0);"
	"PRAGMA application_id = 1397511491; PRAGMA user_version = 1;"
	"COMMIT";

struct sqlite_db {
	sqlite3 *sql;
	sqlite3_stmt *st[COUNT];
	store_rev rev;
	char why[128]; // the last failure
};

static int64_t number(sqlite3 *sql, const char *query, int64_t fallback)
{
	sqlite3_stmt *st = NULL;
	int64_t v = fallback;

	if (!sqlite3_prepare_v2(sql, query, -1, &st, NULL) && sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return v;
}

static int complain(sqlite3 *sql, const char *path, char *err, size_t cap)
{
	int code = sqlite3_errcode(sql) & 0xff;

	if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		snprintf(err, cap, "the store %s is in use by another process", path);
	else if (code == SQLITE_NOTADB)
		snprintf(err, cap, "%s is not a store", path);
	else
		snprintf(err, cap, "cannot open the store %s: %s", path, sqlite3_errmsg(sql));
	return -1;
}

// A file of somebody else, or of a version to come, is left alone.
static int check_kind(sqlite3 *sql, const char *path, char *err, size_t cap)
{
	int64_t tables = number(sql, "SELECT count(*) FROM sqlite_master", -1);
	int64_t id = number(sql, "PRAGMA application_id", 0);
	int64_t version = number(sql, "PRAGMA user_version", 0);

	if (tables < 0)
		return complain(sql, path, err, cap);
	if (tables && id != APPLICATION_ID) {
		snprintf(err, cap, "%s is a database of another program", path);
		return -1;
	}
	if (version > SCHEMA_VERSION) {
		snprintf(err, cap,
			"the store %s was written by a newer version (%d, this knows %d)", path,
			(int)version, SCHEMA_VERSION);
		return -1;
	}
	return 0;
}

static store_rev stored_rev(sqlite3 *sql)
{
	return number(sql, "SELECT value FROM meta WHERE name = 'rev'", -1);
}

static int prepare(struct sqlite_db *db, const char *path, char *err, size_t cap)
{
	if (sqlite3_exec(db->sql, own, NULL, NULL, NULL))
		return complain(db->sql, path, err, cap);
	if (check_kind(db->sql, path, err, cap))
		return -1;
	if (sqlite3_exec(db->sql, schema, NULL, NULL, NULL))
		return complain(db->sql, path, err, cap);
	for (int i = 0; i < COUNT; i++)
		if (sqlite3_prepare_v3(db->sql, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
			    &db->st[i], NULL))
			return complain(db->sql, path, err, cap);
	db->rev = stored_rev(db->sql);
	return db->rev < 0 ? complain(db->sql, path, err, cap) : 0;
}

struct sqlite_db *sqlite_db_open(const char *path, char *err, size_t cap)
{
	struct sqlite_db *db = calloc(1, sizeof(*db));
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		snprintf(err, cap, "cannot open the store %s: %s", path, strerror(errno));
	else
		close(fd);
	if (!db || fd < 0)
		goto err;
	if (sqlite3_open_v2(path, &db->sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)) {
		complain(db->sql, path, err, cap);
		goto err;
	}
	if (!prepare(db, path, err, cap))
		return db;
err:
	sqlite_db_close(db);
	return NULL;
}

void sqlite_db_close(struct sqlite_db *db)
{
	if (!db)
		return;
	for (int i = 0; i < COUNT; i++)
		sqlite3_finalize(db->st[i]);
	sqlite3_close(db->sql);
	free(db);
}

const char *sqlite_db_error(const struct sqlite_db *db)
{
	return db->why;
}

static enum store_rc failed(struct sqlite_db *db)
{
	snprintf(db->why, sizeof(db->why), "%s", sqlite3_errmsg(db->sql));
	return STORE_UNAVAILABLE;
}

void sqlite_result_fini(struct sqlite_result *r)
{
	for (size_t i = 0; i < r->n; i++)
		free((void *)r->ev[i].kv.key.data);
	free(r->ev);
	*r = (struct sqlite_result){0};
}

// The events go, code and revision stay.
static void forget(struct sqlite_result *r)
{
	struct sqlite_result kept = {.rc = r->rc, .rev = r->rev};

	sqlite_result_fini(r);
	*r = kept;
}

// One block holds key and value.
static bool add(struct sqlite_result *r, bool del, struct store_blob key, struct store_blob val,
	store_rev rev)
{
	struct store_event *ev = r->ev;
	uint8_t *block;

	if (r->n == r->cap) {
		ev = realloc(ev, (r->cap ? 2 * r->cap : 16) * sizeof(*ev));
		if (!ev)
			return false;
		r->ev = ev;
		r->cap = r->cap ? 2 * r->cap : 16;
	}
	block = malloc(key.len + val.len + 1);
	if (!block)
		return false;
	memcpy(block, key.data, key.len);
	if (val.len)
		memcpy(block + key.len, val.data, val.len);
	ev[r->n++] = (struct store_event){del, {{block, key.len}, {block + key.len, val.len}, rev}};
	return true;
}

static void bind_blob(sqlite3_stmt *st, int at, struct store_blob b)
{
	sqlite3_bind_blob(st, at, b.len ? b.data : "", (int)b.len, SQLITE_STATIC);
}

static struct store_blob column_blob(sqlite3_stmt *st, int at)
{
	return (struct store_blob){
		sqlite3_column_blob(st, at), (size_t)sqlite3_column_bytes(st, at)};
}

// Run to the end; a statement without rows.
static bool run(struct sqlite_db *db, enum statement i)
{
	int rc = sqlite3_step(db->st[i]);

	sqlite3_reset(db->st[i]);
	return rc == SQLITE_DONE;
}

// The first key behind all keys with the prefix; false when there is no such.
static bool successor(struct store_blob prefix, uint8_t *buf)
{
	size_t n = prefix.len;

	memcpy(buf, prefix.data, n);
	while (n > 0 && buf[n - 1] == 0xff)
		n--;
	if (n)
		buf[n - 1]++;
	return n > 0;
}

void sqlite_db_list(struct sqlite_db *db, struct store_blob prefix, struct sqlite_result *out)
{
	sqlite3_stmt *st = db->st[LIST];
	uint8_t end[STORE_KEY_MAX];
	int rc;

	*out = (struct sqlite_result){.rev = db->rev};
	bind_blob(st, 1, prefix);
	if (successor(prefix, end))
		bind_blob(st, 2, (struct store_blob){end, prefix.len});
	else
		sqlite3_bind_null(st, 2);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		if (!add(out, false, column_blob(st, 0), column_blob(st, 1),
			    sqlite3_column_int64(st, 2)))
			break;
	out->rc = rc == SQLITE_DONE ? STORE_OK : failed(db);
	sqlite3_reset(st);
}

void sqlite_db_replay(
	struct sqlite_db *db, struct store_blob prefix, store_rev from, struct sqlite_result *out)
{
	sqlite3_stmt *st = db->st[REPLAY];
	int rc;

	*out = (struct sqlite_result){.rev = db->rev};
	if (from <= db->rev - SQLITE_DB_KEPT) {
		out->rc = STORE_COMPACTED;
		return;
	}
	sqlite3_bind_int64(st, 1, from);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_blob key = column_blob(st, 0);

		if (key.len < prefix.len || memcmp(key.data, prefix.data, prefix.len))
			continue;
		if (!add(out, sqlite3_column_int(st, 3), key, column_blob(st, 1),
			    sqlite3_column_int64(st, 2)))
			break;
	}
	out->rc = rc == SQLITE_DONE ? STORE_OK : failed(db);
	sqlite3_reset(st);
}

// Returns false when the key's revision cannot be read.
static bool holds(struct sqlite_db *db, const struct store_cmp *cmp, bool *same)
{
	sqlite3_stmt *st = db->st[REV];
	int rc;

	bind_blob(st, 1, cmp->key);
	rc = sqlite3_step(st);
	*same = (rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0) == cmp->mod_rev;
	sqlite3_reset(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

static enum store_rc compare(struct sqlite_db *db, const struct store_cmp *cmp, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool same;

		if (!holds(db, &cmp[i], &same))
			return STORE_UNAVAILABLE;
		if (!same)
			return STORE_CAS;
	}
	return STORE_OK;
}

static bool log_event(struct sqlite_db *db, const struct store_op *op, store_rev rev, size_t seq)
{
	sqlite3_stmt *st = db->st[LOG];

	sqlite3_bind_int64(st, 1, rev);
	sqlite3_bind_int64(st, 2, (int64_t)seq);
	sqlite3_bind_int(st, 3, op->del);
	bind_blob(st, 4, op->key);
	bind_blob(st, 5, op->del ? (struct store_blob){0} : op->val);
	return run(db, LOG);
}

// Deleting what is not there changes nothing and is no event.
static bool apply_one(
	struct sqlite_db *db, const struct store_op *op, store_rev rev, struct sqlite_result *out)
{
	sqlite3_stmt *st = db->st[op->del ? DEL : PUT];

	bind_blob(st, 1, op->key);
	if (!op->del) {
		bind_blob(st, 2, op->val);
		sqlite3_bind_int64(st, 3, rev);
	}
	if (!run(db, op->del ? DEL : PUT))
		return false;
	if (op->del && !sqlite3_changes(db->sql))
		return true;
	return log_event(db, op, rev, out->n) &&
	       add(out, op->del, op->key, op->del ? (struct store_blob){0} : op->val, rev);
}

static enum store_rc apply(
	struct sqlite_db *db, const struct store_op *ops, size_t n, struct sqlite_result *out)
{
	store_rev rev = db->rev + 1;

	for (size_t i = 0; i < n; i++)
		if (!apply_one(db, &ops[i], rev, out))
			return STORE_UNAVAILABLE;
	sqlite3_bind_int64(db->st[SET_REV], 1, rev);
	sqlite3_bind_int64(db->st[TRIM], 1, rev - SQLITE_DB_KEPT);
	if (out->n && (!run(db, SET_REV) || !run(db, TRIM)))
		return STORE_UNAVAILABLE;
	return STORE_OK;
}

static enum store_rc attempt(struct sqlite_db *db, const struct store_cmp *cmp, size_t n_cmp,
	const struct store_op *ops, size_t n_ops, struct sqlite_result *out)
{
	enum store_rc rc = STORE_UNAVAILABLE;

	if (run(db, BEGIN)) {
		rc = compare(db, cmp, n_cmp);
		if (!rc)
			rc = apply(db, ops, n_ops, out);
		if (!rc && !run(db, COMMIT))
			rc = STORE_UNAVAILABLE;
	}
	if (rc < 0)
		failed(db);
	if (!sqlite3_get_autocommit(db->sql))
		run(db, ROLLBACK);
	return rc;
}

// A COMMIT that failed may have been done all the same: the stored revision says.
void sqlite_db_txn(struct sqlite_db *db, const struct store_cmp *cmp, size_t n_cmp,
	const struct store_op *ops, size_t n_ops, struct sqlite_result *out)
{
	store_rev want, is;

	*out = (struct sqlite_result){0};
	out->rc = attempt(db, cmp, n_cmp, ops, n_ops, out);
	want = db->rev + (out->n > 0);
	is = out->rc < 0 ? stored_rev(db->sql) : out->rc == STORE_OK ? want : db->rev;
	if (out->rc < 0 && is < 0)
		out->rc = STORE_UNKNOWN;
	else if (out->rc < 0 && out->n && is == want)
		out->rc = STORE_OK;
	if (is >= 0)
		db->rev = is;
	out->rev = db->rev;
	if (out->rc)
		forget(out);
}
