// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/options.h"

#include "base/usage.h"
#include "version.h"

#include <argp.h>
#include <stddef.h>

enum { KEY_STORE = 256, KEY_DP, KEY_API, KEY_LISTEN, KEY_NODE, KEY_REGION, KEY_CHECK, KEY_CONFIG };

static const struct argp_option table[] = {
	{"config", KEY_CONFIG, "FILE", 0,
		"Settings and the intent of the first start, YAML or JSON", 0},
	{"store", KEY_STORE, "URL", 0,
		"Where the intent lives (default: sqlite:///PATH of sluice.db in the state "
		"directory)",
		0},
	{"dp-socket", KEY_DP, "PATH", 0,
		"Where sluice-dp is found (default: dp.sock in the run directory)", 0},
	{"api-socket", KEY_API, "PATH", 0,
		"Where sluicectl finds this program (default: api.sock in the run directory)", 0},
	{"listen", KEY_LISTEN, "ADDR:PORT", 0,
		"Serve HTTP here too, loopback only; may be given several times (default: "
		"127.0.0.1:8680; 'none': only the unix socket)",
		0},
	{"node", KEY_NODE, "NAME", 0, "Name of this node (default: the name of the host)", 0},
	{"region", KEY_REGION, "NAME", 0, "Region of this node (default: 'default')", 0},
	{"check-config", KEY_CHECK, NULL, 0, "Say whether the settings are good, and end", 0},
	{0},
};

static const char doc[] =
	"The control daemon of Sluice: keeps the intent in its store, tells sluice-dp what to do, "
	"and serves the API.";

static void add_listen(struct argp_state *st, struct options *o, const char *arg)
{
	size_t n = 0;

	while (o->listen[n])
		n++;
	if (n == OPTIONS_LISTEN_MAX)
		argp_error(st, "--listen is given more than %u times", OPTIONS_LISTEN_MAX);
	else
		o->listen[n] = arg;
}

static const char *name_of(int key)
{
	const struct argp_option *o = table;

	while (o->key != key)
		o++;
	return o->name;
}

static error_t take(int key, char *arg, struct argp_state *st)
{
	static const size_t places[] = {[KEY_STORE] = offsetof(struct options, store),
		[KEY_DP] = offsetof(struct options, dp_socket),
		[KEY_API] = offsetof(struct options, api_socket),
		[KEY_NODE] = offsetof(struct options, node),
		[KEY_REGION] = offsetof(struct options, region),
		[KEY_CONFIG] = offsetof(struct options, config)};
	struct options *o = st->input;

	switch (key) {
	case ARGP_KEY_INIT:
		usage_one_sentence(st);
		return 0;
	case KEY_CHECK:
		o->check_config = true;
		return 0;
	case KEY_LISTEN:
		add_listen(st, o, arg);
		return 0;
	case KEY_STORE:
	case KEY_DP:
	case KEY_API:
	case KEY_NODE:
	case KEY_REGION:
	case KEY_CONFIG:
		if (!*arg)
			argp_error(st, "--%s is empty", name_of(key));
		*(const char **)((char *)o + places[key]) = arg;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(st, "no arguments are taken, but there is '%s'", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void options_parse(struct options *o, int argc, char **argv)
{
	const struct argp argp = {.options = table, .parser = take, .doc = doc};

	argp_program_version = "sluiced " SLUICE_VERSION;
	argp_err_exit_status = 2;
	*o = (struct options){0};
	argp_parse(&argp, argc, argv, 0, NULL, o);
}
