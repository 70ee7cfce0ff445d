#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The dataplane protocol (decisions B1), between sluiced and sluice-dp: SOCK_SEQPACKET, one message
// a packet, fixed structs in host order (both ends share a box). The daemon holds the intent; the
// dataplane holds typed objects, each with an id and a version, and says by digest what it has.
//
// Every body starts with its own size. Structs only grow at the end: a receiver zero-fills the tail
// that an older sender left out, and ignores the tail of a newer one. ABI N and N-1 are spoken.
//
// Owner: HELLO -> HELLO_R (+ the stats memfd). Digests differ: SYNC_BEGIN, OBJ_SET.., SYNC_COMMIT;
// what the sync did not mention is swept. Single changes: OBJ_SET, OBJ_DEL outside a sync. Each
// request but DUMP is answered by ACK with the request's seq. The connection gone: nothing changes.

#include "ctl/dp/dp_stats.h"

#include <stdint.h>

#define DP_MAGIC 0x5344u
#define DP_ABI 1u
#define DP_MSG_MAX 65536u
#define DP_URL_MAX 512u
#define DP_ERROR_MAX 128u
#define DP_SWEEP_GUARD_MIN 20u	   // removal guard (B2): more objects than this ...
#define DP_SWEEP_GUARD_PERCENT 20u // ... and more than this share: held

enum dp_type {
	DP_HELLO = 1,
	DP_HELLO_R,
	DP_ACK,
	DP_SYNC_BEGIN, // no body
	DP_SYNC_COMMIT,
	DP_OBJ_SET,
	DP_OBJ_DEL,
	DP_KICK,
	DP_DRAIN,
	DP_LOG,
	DP_DUMP,
	DP_DUMP_R,
	DP_NOTICE,
	DP_ADMIT,   // dataplane to daemon: ask the stream's hook
	DP_ADMIT_R, // and what it said
};

enum dp_kind {
	DP_KIND_NONE,
	DP_LISTENER,
	DP_STREAM,
	DP_ROUTE,
	DP_SOURCE,
	DP_SECRET,
	DP_POLICY,
	DP_KINDS
};

struct dp_hdr {
	uint16_t magic, abi;
	uint16_t type, flags;
	uint32_t len;	// whole message
	uint32_t seq;	// echoed by the answer
	int32_t status; // ACK: 0 or -errno
	uint32_t rsv;
	uint64_t gen;
};

#define DP_ROLE_OWNER 1u
#define DP_ROLE_READER 2u

struct dp_hello {
	uint32_t size;
	uint32_t abi_min, abi_max;
	uint32_t role;
	uint64_t owner_epoch; // a newer owner fences an older one
};

struct dp_hello_r {
	uint32_t size;
	uint32_t abi;
	int32_t pid;
	uint32_t n_workers;
	uint64_t instance;   // of this process, random
	uint64_t generation; // of the last committed sync
	uint64_t digest[8];  // by dp_kind: sum of dp_mix(id, version)
	uint32_t count[8];
	uint32_t max_streams, max_subscribers;
	uint64_t started_us; // CLOCK_MONOTONIC
	char version[32];
};

struct dp_ack {
	uint32_t size;
	uint32_t held; // SYNC_COMMIT: this many objects would have gone; nothing was swept
	char error[DP_ERROR_MAX]; // one sentence when hdr.status != 0
};

struct dp_sync_commit {
	uint32_t size;
	uint32_t force; // overrule the removal guard
	uint64_t digest[8];
	uint32_t count[8];
};

// OBJ_SET and OBJ_DEL: this, then for SET the kind's struct.
struct dp_obj {
	uint32_t size;
	uint32_t kind;
	uint64_t id;	  // 40 bits of the SHA-256 of the object's identity (B12)
	uint64_t version; // 64-bit hash of the content
};

enum dp_mode { DP_MODE_PLAY, DP_MODE_PUBLISH };
enum dp_proto { DP_PROTO_SRT = 1, DP_PROTO_RTP, DP_PROTO_UDP };
enum dp_takeover { DP_TAKEOVER_REJECT, DP_TAKEOVER_REPLACE, DP_TAKEOVER_REPLACE_STALLED };
enum dp_leg { DP_LEG_OWN, DP_LEG_SHARED };
enum dp_auth { DP_AUTH_NONE, DP_AUTH_TOKEN, DP_AUTH_HOOK };
enum dp_hook_failure { DP_HOOK_CLOSED, DP_HOOK_OPEN };
enum dp_cipher { DP_CIPHER_AUTO, DP_CIPHER_CTR, DP_CIPHER_GCM }; // as cryptomode= says

#define DP_SECRET_MAX 80u // bytes (A26)
#define DP_STREAMID_MAX 512u
#define DP_ACL_MAX 32u // rules of one listener or stream
#define DP_USER_MAX 64u
#define DP_KID_MAX 16u
#define DP_TOKEN_MAX 33u  // a token's id
#define DP_SHOWN_MAX 160u // a stream id as it may be told, without secrets, cut

// The first rule that matches decides; without a match a list with an allow refuses.
struct dp_acl_rule {
	uint8_t ip[16]; // v4-mapped
	uint8_t bits;	// of 128: a /24 of IPv4 is 120
	uint8_t deny;
	uint8_t rsv[2];
};

struct dp_acl {
	uint32_t n;
	struct dp_acl_rule rules[DP_ACL_MAX];
};

// Something secret: a passphrase, a signing key. Others name it by its id; it is never dumped.
struct dp_secret {
	uint32_t size;
	uint32_t len;
	uint8_t bytes[DP_SECRET_MAX];
};

#define DP_REVOKED_MAX 10240u // tokens that have not ended by themselves, and keys

enum dp_policy_type { DP_POLICY_USER = 1, DP_POLICY_KEY, DP_POLICY_REVOKED };

// Who may come in (B9, B10).
struct dp_policy {
	uint32_t size;
	uint32_t type; // enum dp_policy_type
	// USER: passphrase of callers that say u=NAME. KEY: what tokens are signed with.
	uint64_t secret;
	uint8_t publish, play; // USER: what it may
	uint8_t rsv[6];
	uint64_t until_s;	     // REVOKED: Unix time when the token ends by itself. KEY: 0
	char name[DP_USER_MAX];	     // USER: its name. KEY: key id. REVOKED: token id
	char prefix[DP_STREAM_NAME]; // USER, KEY: of stream names it is good for; empty: all
};

struct dp_listener {
	uint32_t size;
	uint8_t ip[16]; // v4-mapped
	uint16_t port;
	uint8_t open;			     // any stream id publishes and plays, streams are made
	uint8_t default_mode;		     // enum dp_mode, for ids that do not say
	uint32_t latency_ms;		     // 0: 120
	char default_stream[DP_STREAM_NAME]; // for callers without stream id; empty: rejected
	uint32_t dialects;		     // bit per enum streamid_dialect; 0: all
	struct dp_acl acl;
};

struct dp_stream {
	uint32_t size;
	uint32_t latency_ms;	  // 0: the listener's
	uint32_t history_ms;	  // 0: max(1 s, 2 x latency)
	uint32_t max_subscribers; // 0: no limit of its own
	uint32_t repair_percent;  // 0: 50
	uint8_t takeover, leg, rsv[2];
	char name[DP_STREAM_NAME];
	uint64_t publish_secret, play_secret; // ids of SECRET objects; 0: clear
	uint8_t publish_auth, play_auth;      // enum dp_auth
	uint8_t hook_failure;		      // enum dp_hook_failure
	uint8_t cipher;			      // enum dp_cipher: AUTO takes what the caller brings
	uint32_t km_refresh;		      // packets under one key towards subscribers; 0: 2^24
	struct dp_acl acl;
	uint32_t slow_ms; // a subscriber that is stuck for so long is closed; 0: 10 s
	uint32_t rsv2;
};

// How an outgoing SRT call is made (srt-wire 5.6); 0 is libsrt's default everywhere.
struct dp_call {
	uint64_t secret; // id of a SECRET object; 0: clear
	uint32_t latency_ms, peer_latency_ms;
	uint32_t connect_ms, idle_ms;	     // conntimeo, peeridletimeo
	uint32_t km_refresh, km_preannounce; // packets
	uint16_t mss, payload_size;
	uint16_t local_port;
	uint8_t key_len;  // bytes: 16, 24, 32
	uint8_t cipher;	  // enum dp_cipher
	uint8_t enforced; // 1: refuse a peer without our secret (libsrt's default), else 0
	uint8_t rsv[7];
	char streamid[DP_STREAMID_MAX + 8];
};

// A push. Addresses are resolved by the daemon.
struct dp_route {
	uint32_t size;
	uint8_t proto; // enum dp_proto
	uint8_t ttl;   // 0: 64, multicast 1
	uint8_t dscp;
	uint8_t rsv;
	uint8_t ip[16];
	uint16_t port;
	uint16_t rsv2;
	char iface[16];
	char stream[DP_STREAM_NAME];
	struct dp_call call; // SRT: we call the listener there and send
};

struct dp_source {
	uint32_t size;
	uint8_t proto; // enum dp_proto
	uint8_t rsv[3];
	uint8_t ip[16]; // to bind: unspecified, own address or group. SRT: whom to call
	uint16_t port;
	uint16_t rsv2;
	uint8_t from[16];    // only from this address (source-specific multicast); all zero: any
	uint32_t reorder_ms; // RTP; 0: 50
	char iface[16];
	char stream[DP_STREAM_NAME];
	struct dp_call call; // SRT: we call the listener there and receive
};

// The dataplane asks, for the stream's publish_auth or play_auth is `hook` (A17). Answered within a
// second or not at all; the daemon knows the hook's URL.
struct dp_admit {
	uint32_t size;
	uint32_t rsv;
	uint64_t id; // comes back in the answer
	uint64_t listener;
	uint8_t mode, proto; // enum dp_mode, dp_proto
	uint16_t peer_port;
	uint8_t peer_ip[16];
	char stream[DP_STREAM_NAME];
	char user[DP_USER_MAX];
	char session[256], token[256];
	char query[DP_STREAMID_MAX + 8]; // the stream id as it came
};

enum dp_verdict { DP_VERDICT_ALLOW = 1, DP_VERDICT_REFUSE, DP_VERDICT_FAILED };

struct dp_admit_r {
	uint32_t size;
	uint32_t verdict; // enum dp_verdict; FAILED: no usable answer, the stream's hook_failure
			  // decides
	uint64_t id;
	uint32_t code;	 // REFUSE: wire value, 0: 2403
	uint32_t ttl_ms; // how long it may be kept; 0: 30 s
};

struct dp_kick {
	uint32_t size;
	uint32_t ban_s;	  // keep its address from its stream for so long: an SRT caller's; 0: not
	uint64_t session; // key as in dp_session
};

// While on, new callers are refused with 2503; who is there stays.
struct dp_drain {
	uint32_t size;
	uint32_t on;
};

struct dp_log {
	uint32_t size;
	uint32_t level;	    // 0 error .. 3 debug
	char subsystem[32]; // empty: all
};

enum dp_dump_what { DP_DUMP_SUBSCRIBERS = 1, DP_DUMP_PUBLISHERS, DP_DUMP_OBJECTS };

struct dp_dump {
	uint32_t size;
	uint32_t what;
	uint32_t limit; // records per answer, at most DP_DUMP_MAX
	uint32_t rsv;
	uint64_t cursor;	     // 0: from the start; else what the last answer gave as next
	char stream[DP_STREAM_NAME]; // only this stream; empty: all
};

#define DP_DUMP_MAX 200u // of a page; fewer where their bytes would not fit into a message

// DUMP_R: this, then n records of record_size bytes.
struct dp_dump_r {
	uint32_t size;
	uint32_t n;
	uint32_t record_size;
	uint32_t rsv;
	uint64_t next; // 0: that was all
};

// A live session: a subscriber (a push too) or a publisher (a source too).
struct dp_session {
	uint64_t key;	 // session_key of dp_id.h
	uint64_t object; // id of the route or source; 0: it called us
	uint8_t proto;	 // enum dp_proto
	uint8_t mode;	 // enum dp_mode
	uint8_t encrypted, worker;
	uint16_t peer_port;
	uint8_t key_len; // bytes of the key that encrypts; 0: clear
	uint8_t gcm;	 // it is of AES-GCM, else of AES-CTR
	uint8_t peer_ip[16];
	uint32_t rtt_us, latency_ms;
	uint64_t since_us;		       // CLOCK_MONOTONIC
	uint64_t packets, bytes;	       // tx of a subscriber, rx of a publisher
	uint64_t retransmitted, dropped, naks; // subscriber
	uint64_t lost, recovered;	       // publisher
	char stream[DP_STREAM_NAME];
	uint32_t rsv2;
	// SRT publisher: of all packets received these were new, were sent again by the publisher,
	// came after they had been given up, could not be decrypted; so many were found missing.
	uint64_t all_packets, unique, again, late, undecryptable, missed;
	uint64_t all_bytes; // payloads
	uint64_t acks_sent, naks_sent;
	uint64_t waiting; // packets from the first hole to the newest one
	uint64_t acks;	  // SRT subscriber: acknowledgements of all kinds that reached the worker
	uint64_t flight;  // and packets sent that its last one had not confirmed
	// SRT publisher that is a link of a group (srt-wire 15); group 0: it is none.
	uint32_t group;	       // our id of it
	uint8_t group_type;    // 1 broadcast, 2 backup
	uint8_t group_resting; // nothing has come by it, or keepalives since
	uint16_t group_weight; // as its caller says
	uint64_t redundant;    // packets that another link had brought before
	uint64_t heard_us;     // CLOCK_MONOTONIC of the last packet of any kind
	// What it was let in by, where it was asked; empty: by none.
	char user[DP_USER_MAX], token[DP_TOKEN_MAX], kid[DP_KID_MAX];
	char streamid[DP_SHOWN_MAX]; // that it called with; empty: none, or we called
};

enum dp_obj_state { DP_OBJ_PENDING, DP_OBJ_ACTIVE, DP_OBJ_UNRESOLVED, DP_OBJ_ERROR, DP_OBJ_HELD };

struct dp_object_state {
	uint32_t kind;
	uint32_t state; // enum dp_obj_state
	uint64_t id, version;
	uint64_t packets, bytes; // tx of a route, rx of a source
	char error[DP_ERROR_MAX];
};

enum dp_event {
	DP_EV_STREAM = 1, // state changed, appeared or went
	DP_EV_PUBLISHER,  // came, went
	DP_EV_SUBSCRIBER,
	DP_EV_REJECT,
	DP_EV_OBJECT, // state of a listener, route or source changed
};

// Why a session has ended. Each has its words in control/notice.c and ctl/daemon/notices.c.
enum dp_close {
	DP_CLOSE_PEER,	   // it left
	DP_CLOSE_TIMEOUT,  // it has fallen silent
	DP_CLOSE_KICKED,   // by an operator
	DP_CLOSE_REPLACED, // by another publisher
	DP_CLOSE_SHUTDOWN, // its stream, socket or program ends
	DP_CLOSE_NARROW,   // it, or the path to it, takes no packet of the stream's size
	DP_CLOSE_REVOKED,  // its user, its token or that one's key was
	DP_CLOSE_REKEY,	   // it did not take a new key
	DP_CLOSE_STUCK,	   // it has acknowledged nothing for too long
	DP_CLOSE_GREEDY,   // it has been over its repair budget for too long
	DP_CLOSE_REASONS
};

// Lossy: `lost` counts notices that did not fit since the last one.
struct dp_notice {
	uint32_t size;
	uint32_t event;
	uint32_t lost;
	uint32_t up;	  // PUBLISHER, SUBSCRIBER: 1 came, 0 went. STREAM, OBJECT: the new state
	uint32_t code;	  // REJECT: wire value. Went: enum dp_close
	uint32_t kind;	  // OBJECT
	uint64_t session; // or object id
	uint8_t peer_ip[16];
	uint16_t peer_port;
	uint8_t proto, mode;
	char stream[DP_STREAM_NAME];
	char text[DP_ERROR_MAX];     // why, one sentence
	char streamid[DP_SHOWN_MAX]; // REJECT: that it called with
};

// Order-independent digest: sum these over the objects of a kind.
static inline uint64_t dp_mix(uint64_t id, uint64_t version)
{
	uint64_t z = id * 0x9e3779b97f4a7c15u ^ version;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}
