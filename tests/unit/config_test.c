// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/config.h"
#include "ctl/daemon/options.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char file[] = "/tmp/sluice-config-XXXXXX";

static void write_file(const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static int clear(void **)
{
	static const char *const names[] = {"SLUICE_NODE", "SLUICE_REGION", "SLUICE_STORE",
		"SLUICE_DP_SOCKET", "SLUICE_API_SOCKET", "SLUICE_LISTEN", "SLUICE_CONFIG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unsetenv(names[i]);
	setenv("SLUICE_RUN_DIR", "/x/run", 1);
	setenv("SLUICE_STATE_DIR", "/x/state", 1);
	return 0;
}

static void load(struct config *c, const struct options *o)
{
	char err[512];

	if (config_load(c, o, err, sizeof(err)))
		fail_msg("%s", err);
}

static void is_refused(const struct options *o, const char *want)
{
	char err[512];
	struct config c;

	assert_int_equal(config_load(&c, o, err, sizeof(err)), -EINVAL);
	assert_null(c.node);
	if (!strstr(err, want))
		fail_msg("\"%s\" instead of \"%s\"", err, want);
}

// As is_refused, for a file; its name before the line number is checked too.
static void file_is_refused(const char *text, const char *want)
{
	char all[512];

	write_file(text);
	snprintf(all, sizeof(all), "%s:%s", file, want);
	is_refused(&(struct options){.config = file}, all);
}

static void defaults_need_no_file(void **)
{
	struct config c;

	load(&c, &(struct options){0});
	assert_true(strlen(c.node) > 0);
	assert_string_equal(c.region, "default");
	assert_string_equal(c.store, "sqlite:///x/state/sluice.db");
	assert_string_equal(c.dp_socket, "/x/run/dp.sock");
	assert_string_equal(c.api_socket, "/x/run/api.sock");
	assert_string_equal(c.listen[0], "127.0.0.1:8680");
	assert_null(c.listen[1]);
	assert_null(c.hosts[0]);
	assert_true(c.anonymous_read);
	assert_int_equal(json_array_size(c.intent), 0);
	config_free(&c);
}

static void flag_beats_environment_beats_file(void **)
{
	struct options o = {.config = file, .node = "by-flag"};
	struct config c;

	write_file("sluice: 1\ndaemon: {node: by-file, region: by-file, dp_socket: /f/dp}\n");
	setenv("SLUICE_NODE", "by-env", 1);
	setenv("SLUICE_REGION", "by-env", 1);
	load(&c, &o);
	assert_string_equal(c.node, "by-flag");
	assert_string_equal(c.region, "by-env");
	assert_string_equal(c.dp_socket, "/f/dp");
	assert_string_equal(c.api_socket, "/x/run/api.sock");
	config_free(&c);
}

static void environment_names_the_file_too(void **)
{
	struct config c;

	write_file("sluice: 1\ndaemon: {node: by-file}\n");
	setenv("SLUICE_CONFIG", file, 1);
	load(&c, &(struct options){0});
	assert_string_equal(c.node, "by-file");
	config_free(&c);
}

static void listen_takes_lists_and_none(void **)
{
	struct options o = {.listen = {"127.0.0.1:1", "[::1]:2"}};
	struct config c;

	load(&c, &o);
	assert_string_equal(c.listen[0], "127.0.0.1:1");
	assert_string_equal(c.listen[1], "[::1]:2");
	assert_null(c.listen[2]);
	config_free(&c);

	setenv("SLUICE_LISTEN", "127.0.0.1:3, [::1]:4", 1);
	load(&c, &(struct options){0});
	assert_string_equal(c.listen[1], "[::1]:4");
	config_free(&c);
	unsetenv("SLUICE_LISTEN");

	write_file(
		"sluice: 1\ndaemon:\n  listen: [127.0.0.1:5, 127.0.0.2:6]\n  hosts: box.example\n");
	load(&c, &(struct options){.config = file});
	assert_string_equal(c.listen[1], "127.0.0.2:6");
	assert_string_equal(c.hosts[0], "box.example");
	assert_null(c.hosts[1]);
	config_free(&c);

	load(&c, &(struct options){.config = file, .listen = {"none"}});
	assert_null(c.listen[0]);
	config_free(&c);
}

static void a_wrong_setting_names_its_place(void **)
{
	is_refused(&(struct options){.node = "a b"}, "--node a b: a name is made of");
	is_refused(
		&(struct options){.store = "etcd://x"}, "--store etcd://x: a store is sqlite:///");
	is_refused(&(struct options){.listen = {"0.0.0.0:80"}},
		"--listen 0.0.0.0:80: only loopback is served without TLS");
	is_refused(&(struct options){.listen = {"localhost"}}, "--listen localhost: an address is");
	setenv("SLUICE_REGION", "-x", 1);
	is_refused(&(struct options){0}, "SLUICE_REGION=-x: a name is made of");
	unsetenv("SLUICE_REGION");
	file_is_refused("sluice: 1\ndaemon:\n  listen: [\"[::]:1\"]\n", "3: [::]:1: only loopback");
	setenv("SLUICE_RUN_DIR",
		"/0123456789012345678901234567890123456789012345678901234567890123"
		"456789012345678901234567890123456789012345678901234567",
		1);
	is_refused(&(struct options){0}, "the path is too long for a socket");
}

static void a_wrong_file_names_line_and_key(void **)
{
	file_is_refused("daemon: {}\n", "1: the document must say \"sluice: 1\"");
	file_is_refused("sluice: 2\n", "1: this version reads documents with \"sluice: 1\"");
	file_is_refused("sluice: 1\nstreem: {}\n", "2: unknown key \"streem\"");
	file_is_refused("sluice: 1\nsubscribers: {}\n", "2: unknown key \"subscribers\"");
	file_is_refused("sluice: 1\ndaemon:\n  nod: x\n", "3: unknown key \"nod\" in daemon:");
	file_is_refused("sluice: 1\ndaemon:\n  node: 7\n", "3: node must be a text");
	file_is_refused("sluice: 1\ndaemon: [x]\n", "2: daemon: must be a map");
	file_is_refused("sluice: 1\ndaemon:\n  anonymous_read: no\n",
		"3: anonymous_read must be true or false");
	file_is_refused(
		"sluice: 1\ndaemon:\n  listen: [1]\n", "3: listen must be a text or a list");
	file_is_refused("sluice: 1\ndaemon:\n  limits:\n    conections: 1\n",
		"4: unknown key \"conections\" in daemon: limits:");
	file_is_refused("sluice: 1\ndaemon:\n  limits: {connections: 0}\n",
		"3: connections must be a whole number");
	file_is_refused("sluice: 1\nstreams:\n  a b: {}\n", "3: stream \"a b\": name: ");
	file_is_refused("sluice: 1\nstreams:\n  a:\n    latency_ms: 1\n    latency: 2\n",
		"5: stream \"a\": a stream has no field \"latency\"");
	file_is_refused("sluice: 1\nstreams:\n  a: {latency_ms: 0}\n",
		"3: stream \"a\": latency_ms must be between");
	file_is_refused("sluice: 1\nroutes:\n  x: {stream: a}\n",
		"3: route \"x\": a route needs the field url");
	file_is_refused("sluice: 1\nroutes:\n"
			"  x: {stream: a, url: \"udp://127.0.0.1:5000\"}\n"
			"  y: {stream: a, url: \"udp://127.0.0.1:05000\"}\n",
		"4: route \"y\": stands in this file twice");
}

static void a_missing_file_is_no_usage_error(void **)
{
	char err[512];
	struct config c;

	assert_int_equal(
		config_load(&c, &(struct options){.config = "/nowhere/x"}, err, sizeof(err)),
		-ENOENT);
	assert_string_equal(err, "/nowhere/x: No such file or directory");
}

static const json_t *doc_of(const struct config *c, size_t i, const char *noun)
{
	const json_t *item = json_array_get(c->intent, i);

	assert_string_equal(json_string_value(json_object_get(item, "noun")), noun);
	return json_object_get(item, "doc");
}

static void intent_is_checked_and_completed(void **)
{
	struct config c;
	const json_t *doc;

	write_file("sluice: 1\n"
		   "listeners:\n  main: {url: \"srt://:9000\", open: true}\n"
		   "streams:\n  live/a: {latency_ms: 200}\n  live/b:\n"
		   "routes:\n  out: {stream: live/a, url: \"udp://239.1.1.1:5000?ttl=4\"}\n");
	load(&c, &(struct options){.config = file});
	assert_int_equal(json_array_size(c.intent), 4);
	doc = doc_of(&c, 0, "listener");
	assert_string_equal(json_string_value(json_object_get(doc, "url")), "srt://[::]:9000");
	assert_true(json_is_true(json_object_get(doc, "open")));
	doc = doc_of(&c, 1, "stream");
	assert_string_equal(json_string_value(json_object_get(doc, "name")), "live/a");
	assert_int_equal(json_integer_value(json_object_get(doc, "latency_ms")), 200);
	assert_string_equal(json_string_value(json_object_get(doc, "takeover")), "reject");
	doc = doc_of(&c, 2, "stream");
	assert_string_equal(json_string_value(json_object_get(doc, "name")), "live/b");
	doc = doc_of(&c, 3, "route");
	assert_string_equal(
		json_string_value(json_object_get(doc, "url")), "udp://239.1.1.1:5000?ttl=4");
	config_free(&c);
}

static int make_file(void **)
{
	int fd = mkstemp(file);

	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **)
{
	return unlink(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(defaults_need_no_file, clear),
		cmocka_unit_test_setup(flag_beats_environment_beats_file, clear),
		cmocka_unit_test_setup(environment_names_the_file_too, clear),
		cmocka_unit_test_setup(listen_takes_lists_and_none, clear),
		cmocka_unit_test_setup(a_wrong_setting_names_its_place, clear),
		cmocka_unit_test_setup(a_wrong_file_names_line_and_key, clear),
		cmocka_unit_test_setup(a_missing_file_is_no_usage_error, clear),
		cmocka_unit_test_setup(intent_is_checked_and_completed, clear),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
