#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Admission (decisions A17): who may publish or play which stream. Everything but the hook's answer
// lies in the dataplane's tables, so joining works while the daemon is away.
//
// An admission is a parked conclusion on its way through the stages of admit.c. A stage lets it
// pass, refuses it, or keeps it waiting for something slow. What has waited begins again at the
// first stage, for meanwhile a stream may have gone or a token been revoked: no stage keeps a
// pointer over a wait, and a stage that was slow once keeps its result in the admission.

#include "control/hook_cache.h"
#include "control/kdf.h"
#include "proto/srt_hs.h"
#include "proto/streamid.h"
#include "state/event.h"
#include "state/share.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define ADMITS_MAX 4096u
#define ADMIT_FULL "too many wait for admission, in all or of its network"

struct control;
struct ctl_stream;
struct object;

enum { ADMIT_NEXT = 0, ADMIT_WAITS = -1 }; // what a stage says; else a wire value to refuse with

enum admit_wait {
	ADMIT_FOR_NOTHING,
	ADMIT_FOR_STREAM, // to open
	ADMIT_FOR_HOOK,	  // to answer
	ADMIT_FOR_KEY,	  // out of its passphrase
	ADMIT_PLACED,	  // for its worker
};

struct admission {
	bool used;
	uint8_t waits;	     // enum admit_wait
	uint8_t from[16];    // whose share it is of
	uint32_t generation; // of this place in the pool
	unsigned worker;     // where it is parked
	uint32_t park, park_generation;
	const struct ctl_stream *stream; // FOR_STREAM: only to be compared
	// That it came by: name, token id, id of the key that signed it.
	char user[DP_USER_MAX], token[DP_TOKEN_MAX], kid[DP_KID_MAX];
	char shown[DP_SHOWN_MAX]; // its stream id as it may be told
	uint8_t hook;		  // what has come of asking it
	bool hook_open;		  // without an answer: let in
	int hook_code;
	uint8_t hook_key[HOOK_CACHE_KEY];
	ts_us due;     // FOR_HOOK: not to wait for longer
	bool has_keys; // key_status and keys, out of the object `secret`
	int key_status;
	uint64_t secret, secret_version;
	struct key_material keys;
	TAILQ_ENTRY(admission) link; // of those that wait, oldest first; or of the free
};

TAILQ_HEAD(admission_list, admission);

struct admits {
	struct admission all[ADMITS_MAX];
	struct admission_list free, waiting;
	uint32_t n, n_for_stream;
	struct share share;
	ts_us due; // of the first that waits for the hook
};

// What the stages of one run find out.
struct wish {
	struct admission *a;
	const struct parked *q; // its worker leaves it alone until it is answered
	const struct dp_listener *listener;
	struct streamid id;
	bool publishes;
	struct ctl_stream *stream;
	const struct dp_policy *user; // NULL: it names none that is known
	const struct object *secret;  // NULL: clear
	const char *why;	      // of a refusal
};

// admit.c
void admits_init(struct admits *t, uint64_t key); // random
void admit_join(struct control *c, unsigned worker, uint32_t park);
void admit_waiting(struct control *c, const struct ctl_stream *s); // it is open now
void admit_done(struct control *c, struct cmd *cmd);
// For stages: what they return.
int admit_say(struct wish *w, int code, const char *why);
int admit_wait(struct control *c, struct wish *w, enum admit_wait what);
// An admission by the number that something slow was given; NULL when it has ended.
uint64_t admit_id(const struct control *c, const struct admission *a);
struct admission *admit_find(struct control *c, uint64_t id);
// What it waited for is there: through the stages again.
void admit_again(struct control *c, struct admission *a);

// The stages, in their order.
int admit_listener(struct control *c, struct wish *w);	   // admit_wish.c
int admit_listener_acl(struct control *c, struct wish *w); // admit_acl.c
int admit_handshake(struct control *c, struct wish *w);
int admit_streamid(struct control *c, struct wish *w);
int admit_stream(struct control *c, struct wish *w); // admit_stream.c
int admit_stream_acl(struct control *c, struct wish *w);
int admit_user(struct control *c, struct wish *w); // admit_auth.c
int admit_token(struct control *c, struct wish *w);
int admit_limits(struct control *c, struct wish *w); // admit_place.c
int admit_hook(struct control *c, struct wish *w);   // admit_hook.c
int admit_secret(struct control *c, struct wish *w); // admit_secret.c
int admit_key(struct control *c, struct wish *w);    // admit_key.c
int admit_size(struct control *c, struct wish *w);   // admit_place.c
int admit_place(struct control *c, struct wish *w);  // admit_place.c

// admit_key.c: the helper has answered.
void admit_key_derived(struct control *c, const struct kdf_result *r);

// admit_auth.c: what the stream asks for, of one who wishes this.
enum dp_auth admit_auth(const struct wish *w);

// admit_hook.c
void admit_hook_answered(struct control *c, const struct dp_admit_r *r);
void admit_hook_owner(struct control *c); // a daemon has come that can ask
void admit_hook_turn(struct control *c);  // whose time is over?

// admit_place.c: its worker has answered. False: it could not; *w says why, and the code.
bool admit_placed(struct control *c, struct cmd *done, struct wish *w, int *code);
