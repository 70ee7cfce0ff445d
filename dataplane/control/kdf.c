// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/kdf.h"

#include "base/log.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

LOG_SUBSYSTEM(kdf)

#define KDF_NICE 10 // whoever needs the core more has it

enum slot_state { SLOT_FREE, SLOT_WAITS, SLOT_RUNS, SLOT_DONE };

struct slot {
	enum slot_state state;
	struct slot *next; // of the free, the waiting or the done ones
	struct kdf_job job;
	struct kdf_result result;
};

struct queue {
	struct slot *head, **tail;
};

struct kdf {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct slot slots[KDF_QUEUE];
	struct queue free, waiting, done;
	bool quit;
	int event_fd;
	unsigned n_threads; // control thread's own
	pthread_t threads[KDF_THREADS_MAX];
};

static void push(struct queue *q, struct slot *s)
{
	s->next = NULL;
	*q->tail = s;
	q->tail = &s->next;
}

static struct slot *pop(struct queue *q)
{
	struct slot *s = q->head;

	if (!s)
		return NULL;
	q->head = s->next;
	if (!q->head)
		q->tail = &q->head;
	return s;
}

struct kdf *kdf_new(int event_fd)
{
	struct kdf *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->more, NULL);
	k->free.tail = &k->free.head;
	k->waiting.tail = &k->waiting.head;
	k->done.tail = &k->done.head;
	k->event_fd = event_fd;
	for (unsigned i = 0; i < KDF_QUEUE; i++)
		push(&k->free, &k->slots[i]);
	return k;
}

void kdf_free(struct kdf *k)
{
	if (!k)
		return;
	pthread_mutex_lock(&k->lock);
	k->quit = true;
	pthread_cond_broadcast(&k->more);
	pthread_mutex_unlock(&k->lock);
	for (unsigned i = 0; i < k->n_threads; i++)
		pthread_join(k->threads[i], NULL);
	pthread_cond_destroy(&k->more);
	pthread_mutex_destroy(&k->lock);
	OPENSSL_cleanse(k->slots, sizeof(k->slots));
	free(k);
}

// --- on the helper threads ------------------------------------------------------------------

static int derive(const struct kdf_job *j, struct key_material *out)
{
	struct srt_km km;
	int rc = srt_km_parse(j->km, j->km_len, &km);

	if (rc)
		return -EBADMSG;
	rc = srt_km_kek(km.salt, km.key_len, j->passphrase, j->passphrase_len, out->kek);
	if (!rc)
		rc = srt_km_unwrap(&km, out->kek, &out->km);
	memcpy(out->msg, j->km, j->km_len);
	out->msg_len = j->km_len;
	return rc ? -EACCES : 0;
}

// What a target needs to take the publisher's key (path/pass.c), where its passphrase is ours. The
// key itself is the worker's to give: by then it may be another.
static void try_pass(const struct kdf_job *j, struct key_material *out)
{
	struct key_material k = {0};

	if (j->km_len && !derive(j, &k)) {
		out->km = (struct srt_km_keys){.cipher = k.km.cipher, .key_len = k.km.key_len};
		memcpy(out->km.salt, k.km.salt, sizeof(out->km.salt));
		memcpy(out->kek, k.kek, sizeof(out->kek));
	}
	OPENSSL_cleanse(&k, sizeof(k));
}

// A key of our own, new each time: what is encrypted under it has one numbering (srt-wire 11.6).
static int make(const struct kdf_job *j, struct key_material *out)
{
	struct srt_km_keys *k = &out->km;
	int rc;

	*k = (struct srt_km_keys){.has = SRT_KM_EVEN, .cipher = j->cipher, .key_len = j->key_len};
	memcpy(k->salt, j->salt, sizeof(k->salt));
	if (!j->has_salt && RAND_bytes(k->salt, sizeof(k->salt)) != 1)
		return -EIO;
	rc = srt_km_kek(k->salt, k->key_len, j->passphrase, j->passphrase_len, out->kek);
	if (rc)
		return rc;
	if (RAND_bytes(k->sek[0], k->key_len) != 1)
		return -EIO;
	out->msg_len = (uint16_t)srt_km_write(k, out->kek, out->msg);
	return out->msg_len ? 0 : -EINVAL;
}

static int make_both(const struct kdf_job *j, struct kdf_result *out)
{
	try_pass(j, &out->pass);
	return make(j, &out->keys);
}

static struct slot *wait_for_job(struct kdf *k)
{
	struct slot *s = NULL;

	pthread_mutex_lock(&k->lock);
	while (!k->quit && !(s = pop(&k->waiting)))
		pthread_cond_wait(&k->more, &k->lock);
	if (s)
		s->state = SLOT_RUNS;
	pthread_mutex_unlock(&k->lock);
	return s;
}

static void job_done(struct kdf *k, struct slot *s)
{
	uint64_t one = 1;

	pthread_mutex_lock(&k->lock);
	s->state = SLOT_DONE;
	push(&k->done, s);
	pthread_mutex_unlock(&k->lock);
	if (write(k->event_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_error("the event descriptor: %s", strerror(errno));
}

static void *helper(void *kdf)
{
	struct kdf *k = kdf;
	struct slot *s;

	setpriority(PRIO_PROCESS, (id_t)gettid(), KDF_NICE);
	while ((s = wait_for_job(k))) {
		s->result = (struct kdf_result){.id = s->job.id, .what = s->job.what};
		s->result.status = s->job.what == KDF_CALL ? make_both(&s->job, &s->result)
							   : derive(&s->job, &s->result.keys);
		OPENSSL_cleanse(&s->job, sizeof(s->job));
		job_done(k, s);
	}
	return NULL;
}

// --- on the control thread ------------------------------------------------------------------

static unsigned cores(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);

	return n < 1 ? 1 : n > (int)KDF_THREADS_MAX ? KDF_THREADS_MAX : (unsigned)n;
}

// As many as there are cores for them. False: not one.
static bool threads_start(struct kdf *k)
{
	unsigned wanted = cores();

	while (!k->n_threads || k->n_threads < wanted) {
		int rc = pthread_create(&k->threads[k->n_threads], NULL, helper, k);

		if (rc) {
			log_error("no thread for key derivation: %s", strerror(rc));
			break;
		}
		k->n_threads++;
	}
	return k->n_threads;
}

static bool same_source(const uint8_t *a, const uint8_t *b)
{
	static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(a, b, memcmp(a, v4_mapped, sizeof(v4_mapped)) ? 8 : 16);
}

static unsigned of_source(const struct kdf *k, const uint8_t *source)
{
	unsigned n = 0;

	for (unsigned i = 0; i < KDF_QUEUE; i++)
		n += k->slots[i].state == SLOT_WAITS && same_source(source, k->slots[i].job.source);
	return n;
}

int kdf_submit(struct kdf *k, const struct kdf_job *j)
{
	struct slot *s = NULL;

	if (!k->n_threads && !threads_start(k))
		return -EAGAIN;
	pthread_mutex_lock(&k->lock);
	if (of_source(k, j->source) < KDF_PER_SOURCE)
		s = pop(&k->free);
	if (s) {
		s->job = *j;
		s->state = SLOT_WAITS;
		push(&k->waiting, s);
		pthread_cond_signal(&k->more);
	}
	pthread_mutex_unlock(&k->lock);
	return s ? 0 : -EAGAIN;
}

unsigned kdf_results(struct kdf *k, struct kdf_result *out, unsigned n)
{
	unsigned got = 0;

	if (!k->n_threads)
		return 0;
	pthread_mutex_lock(&k->lock);
	for (struct slot *s; got < n && (s = pop(&k->done)); got++) {
		out[got] = s->result;
		OPENSSL_cleanse(&s->result, sizeof(s->result));
		s->state = SLOT_FREE;
		push(&k->free, s);
	}
	pthread_mutex_unlock(&k->lock);
	return got;
}
