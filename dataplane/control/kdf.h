#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Keys out of passphrases: PBKDF2 takes half a millisecond by design, so it runs on threads of its
// own, off the workers' cores where there are others and behind everything else where there are
// not (decisions A16, A20). The control thread submits and collects; the queue is bounded, in all
// and per source, so that one caller keeps the others out no longer than its share takes.

#include "ctl/dp/dp_proto.h"
#include "state/keys.h"

#include <stdbool.h>
#include <stdint.h>

#define KDF_QUEUE 1024u	   // jobs submitted and not yet collected
#define KDF_PER_SOURCE 64u // of one address; of IPv6 one /64
#define KDF_THREADS_MAX 4u

struct kdf;

enum kdf_for { KDF_ADMISSION, KDF_IN_BAND, KDF_CALL };

struct kdf_job {
	uint64_t id;	    // the submitter's own: comes back ...
	enum kdf_for what;  // ... and this: of an admission, a session, a call of ours
	uint8_t source[16]; // address that asks, v4-mapped
	uint16_t passphrase_len, km_len;
	uint8_t passphrase[DP_SECRET_MAX];
	uint8_t km[SRT_KM_MAX];	 // the KMREQ's content. CALL: one to be tried, if any
	uint8_t cipher, key_len; // CALL: make a key of these, and its KMREQ ...
	bool has_salt;		 // ... with this salt, else with a new one
	uint8_t salt[SRT_KM_SALT];
};

struct kdf_result {
	uint64_t id;
	enum kdf_for what;
	int status; // 0, -EACCES: another passphrase, -EBADMSG: no KM message that we know
	struct key_material keys;
	struct key_material pass; // CALL: the KEK of `km`, which the passphrase opens, and what it
				  // is of; key_len 0: it does not
};

// event_fd (an eventfd, borrowed) is written when results wait. Threads start with the first job
// and inherit the submitter's cores. NULL when memory is short.
struct kdf *kdf_new(int event_fd);
void kdf_free(struct kdf *k); // what is under way is finished first, the rest is forgotten

// The job is copied. 0, or -EAGAIN: the queue is full, or has its share of this source's.
int kdf_submit(struct kdf *k, const struct kdf_job *j);
// Up to n results, oldest first; returns how many. The caller cleanses what it has used.
unsigned kdf_results(struct kdf *k, struct kdf_result *out, unsigned n);
