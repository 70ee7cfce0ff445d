// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "options.h"

#include "base/log.h"
#include "base/rundir.h"
#include "base/usage.h"
#include "version.h"

#include <argp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	KEY_PORT = 256,
	KEY_WORKERS,
	KEY_CORES,
	KEY_IDLE,
	KEY_SOCKET,
	KEY_MEMORY,
	KEY_STREAMS,
	KEY_SUBSCRIBERS,
	KEY_LOG
};

static const struct argp_option options[] = {
	{"port", KEY_PORT, "KIND[,k=v]..", 0,
		"Where packets come from and go to. 'sock': kernel UDP sockets, for which no "
		"privileges are needed; with rx=epoll it does without io_uring, sockbuf=BYTES asks "
		"for other socket buffers than 8 MiB, name=NAME is how 'status' calls it. "
		"'dpdk:DEVICE,addr=IP': a virtual device of DPDK (net_memif, net_ring, net_tap, "
		"net_null) with this address of ours, also several times; peer=MAC of who is at "
		"its other end (broadcast), mtu=, vlan=, what else stands there is the device's",
		0},
	{"workers", KEY_WORKERS, "N", 0, "Threads that carry packets (default: 1)", 0},
	{"cores", KEY_CORES, "LIST", 0,
		"Pin one worker to each of these cores, as in 2,4-7; sets their number too", 0},
	{"idle", KEY_IDLE, "adaptive|spin", 0,
		"Sleep when there is nothing to do (default), or never", 0},
	{"socket", KEY_SOCKET, "PATH", 0,
		"Where sluiced finds this program (default: dp.sock in the run directory)", 0},
	{"memory", KEY_MEMORY, "MB", 0,
		"Memory for packets and their history (default: 256; port dpdk: 2048)", 0},
	{"max-streams", KEY_STREAMS, "N", 0, "Streams at a time (default: 1024)", 0},
	{"max-subscribers", KEY_SUBSCRIBERS, "N", 0,
		"Subscribers at a time that call us (default: 10000; port dpdk: 100000)", 0},
	{"log", KEY_LOG, "LEVEL", 0, "error, warn, info (default) or debug", 0},
	{0},
};

static const char doc[] =
	"The dataplane of Sluice: takes streams in by SRT, RTP and UDP and hands them to their "
	"subscribers. It relays nothing until sluiced has told it what, and goes on when sluiced "
	"goes away."
	"\v"
	"The run directory is $SLUICE_RUN_DIR, else /run/sluice for root, else "
	"$XDG_RUNTIME_DIR/sluice, else sluice-UID in the temporary directory.\n\n"
	"Exit status: 0 after SIGTERM or SIGINT, 1 when it cannot start or go on, 2 for a wrong "
	"command line.\n\n"
	"Example: sluice-dp --port sock --workers 2";

static unsigned number(
	struct argp_state *st, const char *name, const char *arg, unsigned low, unsigned high)
{
	char *end;
	long n = strtol(arg, &end, 10);

	if (!*arg || *end || n < (long)low || n > (long)high)
		argp_error(st, "--%s takes a number from %u to %u, not '%s'", name, low, high, arg);
	return (unsigned)n;
}

static void port_name(struct argp_state *st, struct options *o, const char *name)
{
	if (!*name || strlen(name) >= sizeof(o->port_name))
		argp_error(st, "--port sock,name takes 1 to %zu bytes", sizeof(o->port_name) - 1);
	strcpy(o->port_name, name);
}

static void port_option(struct argp_state *st, struct options *o, char *word)
{
	if (!strcmp(word, "rx=epoll"))
		o->no_uring = true;
	else if (!strcmp(word, "rx=io_uring"))
		o->no_uring = false;
	else if (!strncmp(word, "sockbuf=", 8))
		o->sockbuf = number(st, "port sock,sockbuf", word + 8, 4096, 1u << 30);
	else if (!strncmp(word, "name=", 5))
		port_name(st, o, word + 5);
	else
		argp_error(st, "--port sock does not know '%s'", word);
}

static void port_dpdk(struct argp_state *st, struct options *o, const char *spec)
{
	char err[256];

	if (port_dpdk_parse(spec, &o->dpdk, err, sizeof(err)))
		argp_error(st, "--port %s", err);
	strcpy(o->port_name, o->dpdk.name);
}

static void port(struct argp_state *st, struct options *o, char *arg)
{
	char *save, *kind;

	if (o->port_name[0] && (o->dpdk.device[0] || !strncmp(arg, "dpdk:", 5)))
		argp_error(st, "--port: this version serves one port of dpdk, or sock");
	if (!strncmp(arg, "dpdk:", 5)) {
		port_dpdk(st, o, arg + 5);
		return;
	}
	kind = strtok_r(arg, ",", &save);
	if (!kind || strcmp(kind, "sock"))
		argp_error(st,
			"--port '%s' is not served yet: this version has 'sock' and 'dpdk:DEVICE'",
			kind ? kind : "");
	// There is one port sock, for it serves all addresses: said again, the last word counts.
	o->no_uring = false;
	o->sockbuf = 0;
	strcpy(o->port_name, "sock");
	for (char *word; (word = strtok_r(NULL, ",", &save));)
		port_option(st, o, word);
}

static void core(struct argp_state *st, struct options *o, unsigned c)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	if (sched_getaffinity(0, sizeof(here), &here) || !CPU_ISSET(c, &here))
		argp_error(st, "--cores: this process may not use core %u", c);
	for (unsigned i = 0; i < o->n_workers; i++)
		if (o->cores[i] == (int)c)
			argp_error(st, "--cores names core %u twice", c);
	if (o->n_workers == DP_WORKERS_MAX)
		argp_error(st, "--cores names more than %u cores", DP_WORKERS_MAX);
	o->cores[o->n_workers++] = (int)c;
}

static void core_range(struct argp_state *st, struct options *o, const char *word)
{
	unsigned first, last;
	int used = 0, n = sscanf(word, "%u%n-%u%n", &first, &used, &last, &used);

	if (n == 1)
		last = first;
	if (n < 1 || word[used] || last < first || last >= CPU_SETSIZE)
		argp_error(st, "--cores takes a list as 2,4-7, not '%s'", word);
	for (unsigned c = first; c <= last; c++)
		core(st, o, c);
}

static void cores(struct argp_state *st, struct options *o, char *arg)
{
	char *save;

	if (o->n_workers)
		argp_error(st, "--cores gives the number of workers: leave --workers out");
	for (char *w = strtok_r(arg, ",", &save); w; w = strtok_r(NULL, ",", &save))
		core_range(st, o, w);
	if (!o->n_workers)
		argp_error(st, "--cores is empty");
}

static void idle(struct argp_state *st, struct options *o, const char *arg)
{
	if (strcmp(arg, "spin") && strcmp(arg, "adaptive"))
		argp_error(st, "--idle takes adaptive or spin, not '%s'", arg);
	o->idle = strcmp(arg, "spin") ? WORKER_ADAPTIVE : WORKER_SPIN;
}

static void level(struct argp_state *st, const char *arg)
{
	enum log_level l;

	if (log_level_parse(arg, &l))
		argp_error(st, "--log takes error, warn, info or debug, not '%s'", arg);
	log_set(NULL, l);
}

static void workers(struct argp_state *st, struct options *o, const char *arg)
{
	if (o->cores[0] >= 0)
		argp_error(st, "--cores gives the number of workers: leave --workers out");
	o->n_workers = number(st, "workers", arg, 1, DP_WORKERS_MAX);
}

static void socket_path(struct argp_state *st, struct options *o, const char *arg)
{
	if (!*arg || strlen(arg) >= sizeof(o->socket))
		argp_error(st, "--socket takes a path of 1 to %zu bytes", sizeof(o->socket) - 1);
	strcpy(o->socket, arg);
	o->socket_given = true;
}

static error_t option(int key, char *arg, struct argp_state *st)
{
	struct options *o = st->input;

	if (key == ARGP_KEY_INIT)
		usage_one_sentence(st);
	if (!arg) // argp's own keys: every option of ours takes a value
		return ARGP_ERR_UNKNOWN;
	switch (key) {
	case KEY_PORT:
		port(st, o, arg);
		break;
	case KEY_WORKERS:
		workers(st, o, arg);
		break;
	case KEY_CORES:
		cores(st, o, arg);
		break;
	case KEY_IDLE:
		idle(st, o, arg);
		break;
	case KEY_SOCKET:
		socket_path(st, o, arg);
		break;
	case KEY_MEMORY:
		o->memory_mb = number(st, "memory", arg, 64, 1u << 20);
		break;
	case KEY_STREAMS:
		o->max_streams = number(st, "max-streams", arg, 1, 65536);
		break;
	case KEY_SUBSCRIBERS:
		o->max_subscribers = number(st, "max-subscribers", arg, 1, 100000);
		break;
	case KEY_LOG:
		level(st, arg);
		break;
	case ARGP_KEY_ARG:
		argp_error(st, "'%s' is not understood", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void complete(struct options *o)
{
	const char *wrong = NULL;

	if (!o->port_name[0])
		wrong = "no port is given: --port sock serves kernel UDP sockets";
	else if (!o->socket_given && rundir_path("dp.sock", o->socket, sizeof(o->socket)))
		wrong = "the path of the run directory is too long for a socket";
	if (!o->n_workers)
		o->n_workers = 1;
	if (!o->memory_mb)
		o->memory_mb = o->dpdk.device[0] ? 2048 : 256; // decisions A20
	if (!o->max_subscribers)
		o->max_subscribers = o->dpdk.device[0] ? 100000 : 10000; // of all workers
	if (!wrong)
		return;
	fprintf(stderr, "sluice-dp: %s\n", wrong);
	exit(2);
}

void options_parse(struct options *o, int argc, char **argv)
{
	static const struct argp argp = {options, option, NULL, doc, NULL, NULL, NULL};
	static char self[] = "sluice-dp"; // as messages call it

	*o = (struct options){.max_streams = 1024};
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++)
		o->cores[i] = -1;
	argp_program_version = "sluice-dp " SLUICE_VERSION;
	argp_err_exit_status = 2;
	argv[0] = self;
	argp_parse(&argp, argc, argv, 0, NULL, o);
	complete(o);
}
