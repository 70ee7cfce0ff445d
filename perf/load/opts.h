#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What sluice-load was asked to do.

#include "base/ts.h"
#include "load/payload.h"

#include <stdbool.h>
#include <stdint.h>

enum load_role { LOAD_PLAY, LOAD_PUBLISH, LOAD_RECV, LOAD_SEND };

enum {
	LOAD_COUNT_MAX = 200000,
	LOAD_PUBLISHERS_MAX = 10000,
	LOAD_EXIT_OK = 0,
	LOAD_EXIT_FAILURE = 1,
	LOAD_EXIT_USAGE = 2,
	LOAD_EXIT_DEGRADED = 8, // something is missing, corrupt or was refused
};

struct opts {
	enum load_role role;
	const char *port;    // KIND[:DEVICE][,k=v]..; NULL: kernel sockets
	const char *url;     // %d stands for the peer's number
	const char *publish; // play: publish there too; NULL: do not
	uint32_t count, publishers;
	uint32_t sockets;  // 0: one per peer, 256 at most
	uint64_t rate_bps; // of payload, per stream
	uint64_t packets;  // per peer; 0: no end but the duration
	ts_us duration;
	uint32_t latency_ms;
	const char *passphrase_file; // NULL: clear
	uint32_t key_len;	     // bytes: 16, 24, 32
	int64_t isn;		     // -1: random
	double loss, reorder, dup;   // percent
	uint32_t delay_ms, reorder_ms;
	uint64_t seed;
	ts_us reconnect_every; // 0: never
	double churn;	       // sessions ended and begun anew per second, in all; 0: none
	uint32_t join_rate;    // peers per second
	uint32_t rcvbuf;       // bytes
	bool retry;	       // call again a second after a call failed or ended
	bool eager_acks;       // as often as libsrt
	bool spin;	       // never sleep
	enum payload_layout layout;
	ts_us warm_up;	// not measured
	ts_us interval; // between lines of progress; 0: none
	bool json;
};

// Parse the command line. Does not return when it is wrong (one sentence, exit 2) or asks for help.
void opts_parse(int argc, char **argv, struct opts *out);
