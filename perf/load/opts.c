// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/opts.h"

#include "version.h"

#include <argp.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	KEY_COUNT = 'n',
	KEY_RATE = 'r',
	KEY_DURATION = 't',
	KEY_PACKETS = 'p',
	KEY_LATENCY = 'l',
	KEY_ISN = 256,
	KEY_PASSPHRASE,
	KEY_KEY_LEN,
	KEY_LOSS,
	KEY_REORDER,
	KEY_DUP,
	KEY_DELAY,
	KEY_REORDER_MS,
	KEY_SEED,
	KEY_RECONNECT,
	KEY_JOIN_RATE,
	KEY_PUBLISH,
	KEY_PUBLISHERS,
	KEY_SOCKETS,
	KEY_PORT,
	KEY_RCVBUF,
	KEY_RETRY,
	KEY_CHURN,
	KEY_EAGER_ACKS,
	KEY_SPIN,
	KEY_LAYOUT,
	KEY_WARM_UP,
	KEY_INTERVAL,
	KEY_JSON,
	KEY_HELP,
	KEY_VERSION,
};

static const struct argp_option options[] = {
	{"count", KEY_COUNT, "N", 0, "peers, streams or ports (1)", 0},
	{"duration", KEY_DURATION, "S", 0, "seconds at most (10)", 0},
	{"packets", KEY_PACKETS, "N", 0, "end a peer after so many packets", 0},
	{"rate", KEY_RATE, "BIT/S", 0, "payload per stream, as 500k or 4M (1M)", 0},
	{"latency", KEY_LATENCY, "MS", 0, "SRT latency (120, or what the URL says)", 0},
	{"isn", KEY_ISN, "N", 0, "first SRT sequence number (random)", 0},
	{"passphrase-file", KEY_PASSPHRASE, "F", 0, "encrypt by this file's first line (AES-CTR)",
		0},
	{"key-len", KEY_KEY_LEN, "BYTES", 0, "16, 24 or 32 (16)", 0},
	{"publish", KEY_PUBLISH, "URL", 0, "play: publish as well, over the same port", 0},
	{"publishers", KEY_PUBLISHERS, "N", 0, "so many of those (1)", 0},
	{"join-rate", KEY_JOIN_RATE, "N", 0, "peers that start per second (1000)", 0},
	{"reconnect-every", KEY_RECONNECT, "S", 0, "hang up and call again so often", 0},
	{"churn", KEY_CHURN, "N", 0, "sessions that end and begin anew per second, evenly", 0},
	{"retry", KEY_RETRY, NULL, 0, "call again a second after a call failed or ended", 0},
	{"eager-acks", KEY_EAGER_ACKS, NULL, 0, "acknowledge every 10 ms, as libsrt does", 0},
	{"spin", KEY_SPIN, NULL, 0, "never sleep; send to the microsecond, not the millisecond", 0},
	{"layout", KEY_LAYOUT, "NAME", 0, "of payloads: own, or srt-xtransmit's (own)", 0},
	{"port", KEY_PORT, "KIND", 0,
		"sock: kernel sockets (default); dpdk:DEVICE,addr=IP..; mem: to nowhere", 0},
	{"sockets", KEY_SOCKETS, "N", 0, "UDP sockets that SRT peers share (as many, 256 at most)",
		0},
	{"rcvbuf", KEY_RCVBUF, "BYTES", 0, "receive buffer of a socket (4194304)", 0},
	{"loss", KEY_LOSS, "PERCENT", 0, "datagrams lost, each direction", 1},
	{"dup", KEY_DUP, "PERCENT", 0, "datagrams that come twice", 1},
	{"reorder", KEY_REORDER, "PERCENT", 0, "datagrams held back", 1},
	{"reorder-ms", KEY_REORDER_MS, "MS", 0, "by at most so long (10)", 1},
	{"delay", KEY_DELAY, "MS", 0, "of every datagram, each direction (0)", 1},
	{"seed", KEY_SEED, "N", 0, "of loss, reordering, ids (1)", 1},
	{"warm-up", KEY_WARM_UP, "S", 0, "measure no time before", 2},
	{"interval", KEY_INTERVAL, "S", 0, "a line of JSON on the way, so often", 2},
	{"json", KEY_JSON, NULL, 0, "one JSON object", 2},
	{"help", KEY_HELP, NULL, 0, "this text", -1},
	{"version", KEY_VERSION, NULL, 0, "the version", -1},
	{0},
};

static _Noreturn void usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static _Noreturn void usage(const char *fmt, ...)
{
	va_list ap;

	fputs("sluice-load: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(LOAD_EXIT_USAGE);
}

// The long name of an option, for messages.
static const char *name_of(int key)
{
	for (const struct argp_option *o = options; o->name; o++)
		if (o->key == key)
			return o->name;
	return "?";
}

// A number with an optional k, M or G behind it.
static double number(int key, const char *arg, double min, double max)
{
	char *end;
	double v = strtod(arg, &end);

	if (end != arg && *end && !end[1]) {
		v *= *end == 'k' ? 1e3 : *end == 'M' ? 1e6 : *end == 'G' ? 1e9 : NAN;
		end++;
	}
	if (end == arg || *end || !(v >= min && v <= max))
		usage("--%s is a number from %.10g to %.10g", name_of(key), min, max);
	return v;
}

static uint64_t whole(int key, const char *arg, double min, double max)
{
	double v = number(key, arg, min, max);

	if (v != floor(v))
		usage("--%s is a whole number", name_of(key));
	return (uint64_t)v;
}

static bool parse_path(struct opts *o, int key, const char *arg)
{
	switch (key) {
	case KEY_LOSS:
		o->loss = number(key, arg, 0, 100);
		return true;
	case KEY_REORDER:
		o->reorder = number(key, arg, 0, 100);
		return true;
	case KEY_DUP:
		o->dup = number(key, arg, 0, 100);
		return true;
	case KEY_DELAY:
		o->delay_ms = (uint32_t)whole(key, arg, 0, 10000);
		return true;
	case KEY_REORDER_MS:
		o->reorder_ms = (uint32_t)whole(key, arg, 1, 10000);
		return true;
	case KEY_SEED:
		o->seed = whole(key, arg, 0, 9007199254740992);
		return true;
	default:
		return false;
	}
}

static bool parse_load(struct opts *o, int key, const char *arg)
{
	switch (key) {
	case KEY_COUNT:
		o->count = (uint32_t)whole(key, arg, 1, LOAD_COUNT_MAX);
		return true;
	case KEY_RATE:
		o->rate_bps = whole(key, arg, 1000, 1e9);
		return true;
	case KEY_DURATION:
		o->duration = (ts_us)(number(key, arg, 0.001, 86400) * TS_S);
		return true;
	case KEY_PUBLISHERS:
		o->publishers = (uint32_t)whole(key, arg, 1, LOAD_PUBLISHERS_MAX);
		return true;
	case KEY_PACKETS:
		o->packets = whole(key, arg, 1, 1e12);
		return true;
	case KEY_JOIN_RATE:
		o->join_rate = (uint32_t)whole(key, arg, 1, 1e6);
		return true;
	case KEY_PORT:
		o->port = strcmp(arg, "sock") ? arg : NULL;
		return true;
	case KEY_SOCKETS:
		o->sockets = (uint32_t)whole(key, arg, 1, 4096);
		return true;
	case KEY_RCVBUF:
		o->rcvbuf = (uint32_t)whole(key, arg, 4096, 1 << 30);
		return true;
	default:
		return false;
	}
}

static bool parse_srt(struct opts *o, int key, const char *arg)
{
	switch (key) {
	case KEY_PUBLISH:
		o->publish = arg;
		return true;
	case KEY_LATENCY:
		o->latency_ms = (uint32_t)whole(key, arg, 0, UINT16_MAX);
		return true;
	case KEY_PASSPHRASE:
		o->passphrase_file = arg;
		return true;
	case KEY_KEY_LEN:
		o->key_len = (uint32_t)whole(key, arg, 16, 32);
		if (o->key_len % 8)
			usage("--key-len is 16, 24 or 32");
		return true;
	case KEY_ISN:
		o->isn = (int64_t)whole(key, arg, 0, INT32_MAX);
		return true;
	case KEY_RECONNECT:
		o->reconnect_every = (ts_us)(number(key, arg, 0.01, 86400) * TS_S);
		return true;
	case KEY_RETRY:
		o->retry = true;
		return true;
	case KEY_CHURN:
		o->churn = number(key, arg, 0.001, 1e6);
		return true;
	case KEY_EAGER_ACKS:
		o->eager_acks = true;
		return true;
	default:
		return false;
	}
}

static enum payload_layout layout(const char *arg)
{
	if (strcmp(arg, "own") != 0 && strcmp(arg, "srt-xtransmit") != 0)
		usage("--layout is own or srt-xtransmit");
	return arg[0] == 'o' ? PAYLOAD_OWN : PAYLOAD_XTRANSMIT;
}

static bool parse_measure(struct opts *o, int key, const char *arg)
{
	switch (key) {
	case KEY_SPIN:
		o->spin = true;
		return true;
	case KEY_LAYOUT:
		o->layout = layout(arg);
		return true;
	case KEY_WARM_UP:
		o->warm_up = (ts_us)(number(key, arg, 0, 86400) * TS_S);
		return true;
	case KEY_INTERVAL:
		o->interval = (ts_us)(number(key, arg, 0.01, 86400) * TS_S);
		return true;
	case KEY_JSON:
		o->json = true;
		return true;
	default:
		return false;
	}
}

static void parse_word(struct opts *o, unsigned n, const char *arg)
{
	static const char *const roles[] = {"play", "publish", "recv", "send"};

	if (n == 0) {
		for (unsigned i = 0; i < 4; i++)
			if (!strcmp(arg, roles[i])) {
				o->role = (enum load_role)i;
				return;
			}
		usage("%s is none of play, publish, recv, send", arg);
	}
	if (n > 1)
		usage("%s is one word too many", arg);
	o->url = arg;
}

static error_t parse(int key, char *arg, struct argp_state *state);

// Help and version are options of ours: argp's own would not let errors be one sentence.
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "play|publish|recv|send URL",
	.doc = "Swarms of SRT, RTP and UDP peers that check what travels.\v"
	       "play and publish take srt:// URLs, recv and send udp:// and rtp://. %d in the URL "
	       "is the peer's number. play with --publish does both over one --port, as the device "
	       "of a single "
	       "link needs; --rate is then that of the publishers. Ports of recv and send count up "
	       "from the URL's. Exit status: "
	       "0 when nothing is missing or corrupt, 8 otherwise.",
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct opts *o = state->input;

	if (parse_load(o, key, arg) || parse_srt(o, key, arg) || parse_path(o, key, arg) ||
		parse_measure(o, key, arg))
		return 0;
	switch (key) {
	case KEY_HELP:
		argp_help(&argp, stdout, ARGP_HELP_STD_HELP, state->name);
		exit(0);
	case KEY_VERSION:
		puts("sluice-load " SLUICE_VERSION);
		exit(0);
	case ARGP_KEY_ARG:
		parse_word(o, state->arg_num, arg);
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < 2)
			usage("say what to do and where: sluice-load play|publish|recv|send URL");
		if (o->churn > 0 && o->reconnect_every)
			usage("--churn and --reconnect-every exclude each other");
		if (o->publish && o->role != LOAD_PLAY)
			usage("--publish goes with play");
		return 0;
	case ARGP_KEY_ERROR:
		usage("%s is no option, or lacks its value", state->argv[state->next - 1]);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void opts_parse(int argc, char **argv, struct opts *out)
{
	*out = (struct opts){
		.count = 1,
		.publishers = 1,
		.rate_bps = 1000000,
		.duration = 10 * TS_S,
		.latency_ms = UINT32_MAX,
		.isn = -1,
		.key_len = 16,
		.reorder_ms = 10,
		.seed = 1,
		.join_rate = 1000,
		.rcvbuf = 4 << 20,
	};
	if (argp_parse(&argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP, NULL, out))
		usage("the command line cannot be read");
}
