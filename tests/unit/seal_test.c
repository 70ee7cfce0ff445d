// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/seal.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSPHRASE "correct horse battery"

struct place {
	char dir[64], path[128], err[512];
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	snprintf(p->dir, sizeof(p->dir), "/tmp/seal-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/master.key", p->dir);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	unlink(p->path);
	assert_int_equal(rmdir(p->dir), 0); // nothing else was left behind
	free(p);
	return 0;
}

static void put(const struct place *p, const char *text, mode_t mode)
{
	int fd = open(p->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void makes_a_key_once(void **state)
{
	struct place *p = *state;
	struct seal_key made, read, again;
	struct stat st;

	assert_int_equal(seal_key_read(&read, p->path, p->err, sizeof(p->err)), -ENOENT);
	assert_int_equal(seal_key_make(&made, p->path, p->err, sizeof(p->err)), 0);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(seal_key_read(&read, p->path, p->err, sizeof(p->err)), 0);
	assert_memory_equal(&made, &read, sizeof(read));
	assert_int_equal(seal_key_make(&again, p->path, p->err, sizeof(p->err)), -EEXIST);
	assert_int_equal(seal_key_read(&again, p->path, p->err, sizeof(p->err)), 0);
	assert_memory_equal(&again, &read, sizeof(read));
}

static void refuses_bad_files(void **state)
{
	static const char good[] =
		"00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF\n";
	struct place *p = *state;
	struct seal_key k;

	put(p, good, 0640);
	assert_int_equal(seal_key_read(&k, p->path, p->err, sizeof(p->err)), 0);
	put(p, good, 0604);
	assert_int_equal(seal_key_read(&k, p->path, p->err, sizeof(p->err)), -EPERM);
	assert_non_null(strstr(p->err, "chmod 0600"));
	put(p, "short", 0600);
	assert_int_equal(seal_key_read(&k, p->path, p->err, sizeof(p->err)), -EINVAL);
	assert_null(strstr(p->err, "short"));
	put(p, "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF0", 0600);
	assert_int_equal(seal_key_read(&k, p->path, p->err, sizeof(p->err)), -EINVAL);
	put(p, "", 0600);
	assert_int_equal(seal_key_read(&k, p->path, p->err, sizeof(p->err)), -EINVAL);
}

static struct seal_key key_of(uint8_t byte)
{
	struct seal_key k = {.id = "00000000"};

	memset(k.bytes, byte, sizeof(k.bytes));
	k.id[0] = (char)('0' + byte % 10);
	return k;
}

static void opens_what_it_sealed(void **state)
{
	struct seal_key k = key_of(1);
	char plain[256];

	for (size_t len = 1; len <= 80; len++) {
		char *text, in[80];

		memset(in, (int)len, len);
		text = seal(&k, "/sluice/1/intent/secret/x", in, len);
		assert_non_null(text);
		assert_int_equal(seal_open(&k, "/sluice/1/intent/secret/x", text, plain, 80), len);
		assert_memory_equal(plain, in, len);
		free(text);
	}
}

static void seals_differently_each_time(void **state)
{
	struct seal_key k = key_of(1);
	char *a = seal(&k, "a", PASSPHRASE, strlen(PASSPHRASE));
	char *b = seal(&k, "a", PASSPHRASE, strlen(PASSPHRASE));

	assert_string_not_equal(a, b);
	assert_null(strstr(a, "correct"));
	free(a);
	free(b);
}

static void opens_nothing_else(void **state)
{
	struct seal_key k = key_of(1), other = key_of(2), forged = key_of(2);
	char *text = seal(&k, "a", PASSPHRASE, strlen(PASSPHRASE)), plain[80];

	assert_int_equal(seal_open(&k, "b", text, plain, sizeof(plain)), -EBADMSG);
	assert_int_equal(seal_open(&other, "a", text, plain, sizeof(plain)), -EKEYREJECTED);
	memcpy(forged.id, k.id, sizeof(k.id));
	assert_int_equal(seal_open(&forged, "a", text, plain, sizeof(plain)), -EBADMSG);
	assert_int_equal(seal_open(&k, "a", text, plain, 8), -EBADMSG);
	for (size_t i = 0; i < strlen(text); i++) {
		char *changed = strdup(text);

		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		assert_true(seal_open(&k, "a", changed, plain, sizeof(plain)) < 0);
		changed[i] = '\0';
		assert_true(seal_open(&k, "a", changed, plain, sizeof(plain)) < 0);
		free(changed);
	}
	free(text);
}

static void versions_follow_content_and_key(void **state)
{
	struct seal_key a = key_of(1), b = key_of(2);

	assert_true(seal_version(&a, "one", 3) == seal_version(&a, "one", 3));
	assert_true(seal_version(&a, "one", 3) != seal_version(&a, "two", 3));
	assert_true(seal_version(&a, "one", 3) != seal_version(&b, "one", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(makes_a_key_once, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_bad_files, setup, teardown),
		cmocka_unit_test(opens_what_it_sealed),
		cmocka_unit_test(seals_differently_each_time),
		cmocka_unit_test(opens_nothing_else),
		cmocka_unit_test(versions_follow_content_and_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
