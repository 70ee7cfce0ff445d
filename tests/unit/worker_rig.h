#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Workers on port mem under a virtual clock, with SRT peers of our own protocol code around them
// and the smallest control there can be: everybody is admitted.

#include "io/port_mem.h"
#include "proto/srt_caller.h"
#include "proto/srt_conn.h"
#include "proto/srt_hs.h"
#include "state/stream.h"
#include "worker/worker_priv.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	RIG_WORKERS_MAX = 2,
	RIG_STREAMS = 8,
	RIG_SUBSCRIBERS = 320,
	RIG_OBJECTS = 8,
	RIG_GOT_MAX = 8192,
	RIG_LATENCY_MS = 120,
	RIG_PORT = 9000,
	RIG_COOKIE_KEY = 1,
};

struct rig_got {
	uint32_t seq, ts; // as on the wire; seq counted from the peer's ISN
	uint16_t len;
	uint32_t stamp; // first four payload bytes, big-endian
	uint32_t msgno;
	bool again; // R was set
};

struct rig_peer {
	bool publishes, listens;
	struct endpoint at;
	struct srt_caller caller;
	struct srt_conn conn;
	struct srt_rcv rcv;
	ts_us t0;
	bool up, closed;
	unsigned worker; // where its packets land
	struct rig_got got[RIG_GOT_MAX];
	unsigned n_got;
	uint32_t next_seq;				     // of a publisher
	uint8_t history[4096][SRT_HDR + 1316 + SRT_GCM_TAG]; // what it has sent, for repairs
	uint16_t history_len[4096];
	uint64_t rejected;		   // by code, 0: not
	struct srt_hs_group group, mirror; // a link of it; what the answer said
	bool gone;			   // neither sends nor hears

	// Of an encrypted one.
	enum srt_suite suite;
	struct srt_km_keys keys;
	uint8_t km[SRT_KM_MAX];
	uint16_t km_len;
	struct srt_gcm_key key[2];			     // even, odd; the larger kind
	unsigned odd;					     // slot that a publisher sends under
	int sek_n;					     // keys it has made
	unsigned n_clear, n_undecryptable, n_kmreq, n_kmrsp; // what came
	bool mute;					     // answers no KMREQ
	uint8_t words;					     // its passphrase; 0: everybody's
	uint8_t kmrsp[SRT_KM_MAX];
	uint16_t kmrsp_len;
};

struct rig {
	struct worker_group *group;
	struct port *ports[RIG_WORKERS_MAX];
	unsigned n_workers;
	ts_us now;
	struct dp_stats_header *stats;
	struct stream streams[RIG_STREAMS];
	struct rig_peer *peers[RIG_SUBSCRIBERS];
	unsigned n_peers;
	struct rand rand;
	unsigned loss_in, loss_out; // per mille, per datagram to and from the workers
	session_key publisher[RIG_STREAMS];
	uint32_t groups[RIG_STREAMS]; // that publishers are
	bool keeps[RIG_STREAMS];      // nobody takes the stream over
	unsigned n_done, n_up, n_down, down_reason;
	int refusal[RIG_OBJECTS]; // of the pushes of these objects: errno
	void (*on_push)(
		struct rig *, const struct port_mem_desc *); // datagrams to nobody's address
	void *push_note;
	void (*on_media)(
		struct rig *, struct rig_peer *, const uint8_t *, size_t); // to a peer, as sent
	bool hold;		 // nothing sent is completed
	bool overrun;		 // what finds a queue full is lost; else a fault of the test
	struct srt_crypt *crypt; // the peers'
	unsigned n_kdf;		 // KEKs that control was asked for
};

struct rig *rig_new(unsigned n_workers);
void rig_free(struct rig *r);

// Stream i, owned by a worker.
struct stream *rig_stream(struct rig *r, unsigned i, unsigned owner);

// A peer that calls; its stream id names stream i.
struct rig_peer *rig_call(struct rig *r, unsigned stream, bool publishes, unsigned worker);

// A publisher's link of a group: number 1 and up.
struct rig_peer *rig_call_link(struct rig *r, unsigned stream, unsigned worker, uint32_t group);

// The same under a key of its own; the passphrase is everybody's: rig_kek. An in-band KMREQ of a
// publisher: with these keys (salt, slots) from now on.
struct rig_peer *rig_call_secure(
	struct rig *r, unsigned stream, bool publishes, unsigned worker, enum srt_suite suite);
// A peer that we call, to send it stream i under a key of this suite.
struct rig_peer *rig_listen(struct rig *r, unsigned stream, enum srt_suite suite);
// The same with a passphrase of its own, or everybody's (0). publisher_salt: it opens the message
// of a publisher whose salt that is; NULL: it does not.
struct rig_peer *rig_listen_as(struct rig *r, unsigned stream, enum srt_suite suite, uint8_t words,
	const uint8_t *publisher_salt);
void rig_kek(const uint8_t salt[SRT_KM_SALT], uint8_t kek[SRT_KM_SEK_MAX]);
void rig_announce(struct rig *r, struct rig_peer *p, const struct srt_km_keys *keys);

// A datagram from the peer, whatever is in it.
void rig_inject(struct rig *r, struct rig_peer *p, const uint8_t *data, size_t len);

// Let virtual time pass, in steps of a millisecond.
void rig_run(struct rig *r, unsigned ms);

// Send one payload; its first four bytes are the stamp.
void rig_publish(struct rig *r, struct rig_peer *p, uint32_t stamp, uint16_t len);

// Send again what was published as seq, as it was.
void rig_send_again(struct rig *r, struct rig_peer *p, uint32_t seq);

// Post a command and run until it is done; returns its status.
int rig_command(struct rig *r, unsigned worker, struct cmd *c);

uint64_t rig_drops(const struct rig *r, enum dp_drop why);
unsigned rig_frames_used(const struct rig *r);

// Between the rig's own files (worker_peer.c).
bool rig_lost(struct rig *r, unsigned per_mille);
void rig_to_peer(struct rig *r, struct rig_peer *p, uint8_t *data, size_t len);
void rig_peer_turn(struct rig *r, struct rig_peer *p);
