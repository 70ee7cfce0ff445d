// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/cmd.h"
#include "ctl/cli/cmd_help.h"
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct cmd_flag root_flags[] = {{"socket", "PATH", "where"}, {"json", NULL, "as JSON"},
	{"help", NULL, "this text", 'h'}, {"version", NULL, "print it"}, {NULL}};
static const struct cmd_arg filter[] = {{"STREAM", "only of this one", true}, {NULL}};
static const struct cmd_flag kick_flags[] = {{"ban", "S", "keep it out"}, {NULL}};

static const struct cmd stream_add = {
	.name = "add", .help = "declare it", .noun = "stream", .fields = CMD_FIELDS_NEW};
static const struct cmd stream_set = {
	.name = "set", .help = "change it", .noun = "stream", .fields = CMD_FIELDS_CHANGE};
static const struct cmd stream_list = {.name = "list", .help = "all", .args = filter};
static const struct cmd *const stream_subs[] = {&stream_add, &stream_set, &stream_list, NULL};
static const struct cmd stream = {.name = "stream", .help = "a stream", .subs = stream_subs};
static const struct cmd kick = {.name = "kick",
	.help = "end it",
	.noun = "sub",
	.fields = CMD_FIELDS_ID,
	.flags = kick_flags};
static const struct cmd *const sub_subs[] = {&kick, NULL};
static const struct cmd sub = {.name = "sub", .help = "viewers", .subs = sub_subs};
static const struct cmd status = {.name = "status", .help = "one screen"};
static const struct cmd *const root_subs[] = {&status, &stream, &sub, NULL};
static const struct cmd root = {
	.name = "prog", .help = "steers it", .subs = root_subs, .flags = root_flags};

static struct cmd_call call;
static char err[256];

// Words: the line without the program's name, split at blanks.
static int parse(const char *line)
{
	static char text[512];
	char *argv[32] = {text}, *rest = NULL;
	int argc = 1;

	cmd_call_fini(&call);
	snprintf(text, sizeof(text), "%s", line);
	for (char *w = strtok_r(text, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
		argv[argc++] = strcmp(w, "''") ? w : w + 2;
	err[0] = 0;
	return cmd_parse(&root, argc, argv, &call, err, sizeof(err));
}

static void refused(const char *line, const char *sentence)
{
	assert_int_equal(parse(line), -EINVAL);
	assert_string_equal(err, sentence);
}

static void words_lead_down_the_tree(void **)
{
	char path[64];

	assert_int_equal(parse("status"), 0);
	assert_ptr_equal(cmd_of(&call), &status);
	assert_int_equal(parse("stream list"), 0);
	assert_ptr_equal(cmd_of(&call), &stream_list);
	assert_string_equal(cmd_path_str(&call, path, sizeof(path)), "stream list");
	assert_int_equal(call.n_args, 0);
	assert_int_equal(parse("stream list cam1"), 0);
	assert_string_equal(call.args[0], "cam1");
}

static void flags_stand_anywhere_behind_their_command(void **)
{
	assert_int_equal(parse("--json stream --socket /a list --socket=/b cam1"), 0);
	assert_string_equal(cmd_value(&call, "socket"), "/b");
	assert_string_equal(cmd_value(&call, "json"), "");
	assert_null(cmd_value(&call, "version"));
	assert_int_equal(parse("stream list -- --json"), 0);
	assert_string_equal(call.args[0], "--json");
	assert_int_equal(parse("sub kick s-1 --ban 5"), 0);
	assert_string_equal(cmd_value(&call, "ban"), "5");
}

static void fields_of_a_noun_become_a_document(void **)
{
	json_t *want = json_pack(
		"{s:s, s:i, s:s}", "name", "live/cam1", "latency_ms", 200, "takeover", "replace");

	assert_int_equal(parse("stream add live/cam1 --latency 200 --takeover=replace"), 0);
	assert_true(json_equal(call.doc, want));
	json_decref(want);
}

static void set_takes_the_default_back(void **)
{
	json_t *want = json_pack("{s:n, s:s}", "latency_ms", "name", "cam1");

	assert_int_equal(parse("stream set cam1 --latency default"), 0);
	assert_true(json_equal(call.doc, want));
	json_decref(want);
	refused("stream add cam1 --latency default",
		"--latency must be a whole number, not \"default\"");
}

static void slips_are_answered_with_the_word(void **)
{
	refused("strem list", "prog has no command strem, did you mean stream?");
	refused("stream lsit", "stream has no command lsit, did you mean list?");
	refused("stream create x", "stream has no command create, did you mean add?");
	refused("stream bananas", "stream has no command bananas, see: prog stream --help");
	refused("bananas", "prog has no command bananas, see: prog --help");
	refused("stream add x --latncy 5",
		"stream add has no flag --latncy, did you mean --latency?");
	refused("stream list --latency=5",
		"stream list has no flag --latency=5, see: prog stream list --help");
	refused("-json", "prog has no flag -json, did you mean --json?");
	refused("-x", "prog has no flag -x, see: prog --help");
}

static void half_lines_say_what_is_missing(void **)
{
	refused("", "prog needs a command: status, stream or sub");
	refused("stream", "stream needs a command: add, set or list");
	refused("stream add", "stream add needs NAME, see: prog stream add --help");
	refused("sub kick", "sub kick needs ID, see: prog sub kick --help");
	refused("stream add x --latency", "--latency needs a value: --latency MS");
	refused("stream add x --latency --json", "--latency needs a value: --latency MS");
	refused("status --json=yes", "--json takes no value");
	refused("status extra", "status takes no further argument, \"extra\" is too many");
	refused("stream list a b", "stream list takes no further argument, \"b\" is too many");
	refused("sub kick ''", "ID is empty");
}

static void bad_values_name_their_flag(void **)
{
	assert_int_equal(parse("stream add cam1 --latency 99999999"), -EINVAL);
	assert_non_null(strstr(err, "--latency"));
	assert_int_equal(parse("stream add cam1 --takeover maybe"), -EINVAL);
	assert_non_null(strstr(err, "--takeover must be reject, replace or replace-stalled"));
	assert_int_equal(parse("stream add ../etc"), -EINVAL);
	assert_int_equal(parse("stream set /x --latency 5"), -EINVAL);
}

static void help_wins_wherever_it_stands(void **)
{
	assert_int_equal(parse("--help"), 0);
	assert_true(call.help && call.depth == 1);
	assert_int_equal(parse("stream add --latency --help"), 0);
	assert_true(call.help && cmd_of(&call) == &stream_add);
	assert_int_equal(parse("help stream set"), 0);
	assert_true(call.help && cmd_of(&call) == &stream_set);
	assert_int_equal(parse("--socket /x stream -h"), 0);
	assert_true(call.help && cmd_of(&call) == &stream);
	refused("strem --help", "prog has no command strem, did you mean stream?");
}

static void help_shows_the_fields(void **)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	assert_int_equal(parse("stream add --help"), 0);
	cmd_help_write(&call, to);
	fclose(to);
	assert_non_null(strstr(text, "Usage: prog stream add NAME [flags]\n"));
	assert_non_null(strstr(text, "\nArguments:\n  NAME  "));
	assert_non_null(strstr(text, "  --latency MS"));
	assert_non_null(strstr(text, "(default reject)"));
	free(text);
}

static int fini(void **)
{
	cmd_call_fini(&call);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_lead_down_the_tree),
		cmocka_unit_test(flags_stand_anywhere_behind_their_command),
		cmocka_unit_test(fields_of_a_noun_become_a_document),
		cmocka_unit_test(set_takes_the_default_back),
		cmocka_unit_test(slips_are_answered_with_the_word),
		cmocka_unit_test(half_lines_say_what_is_missing),
		cmocka_unit_test(bad_values_name_their_flag),
		cmocka_unit_test(help_wins_wherever_it_stands),
		cmocka_unit_test(help_shows_the_fields),
	};

	return cmocka_run_group_tests(tests, NULL, fini);
}
