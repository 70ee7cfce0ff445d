// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/secret.h"

#include "proto/srt_clock.h"
#include "proto/srt_pkt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { PASSPHRASE_MIN = 10, PASSPHRASE_MAX = 80 };

// The file's first line. Returns its length, or -errno.
static int passphrase_read(const char *path, char out[PASSPHRASE_MAX + 2])
{
	FILE *f = fopen(path, "r");
	bool ok = f && fgets(out, PASSPHRASE_MAX + 2, f);

	if (f)
		fclose(f);
	if (!ok)
		return f ? -EINVAL : -errno;
	out[strcspn(out, "\n")] = '\0';
	return (int)strlen(out);
}

static int keys_make(const struct opts *o, struct secret *s, const char *passphrase, size_t len)
{
	s->keys.has = SRT_KM_EVEN;
	s->keys.cipher = SRT_KM_CTR;
	s->keys.key_len = (uint8_t)o->key_len;
	s->suite = srt_suite_of(SRT_KM_CTR, s->keys.key_len);
	s->crypt = srt_crypt_new(SRT_CRYPT_BEST);
	if (!s->crypt || getrandom(s->keys.salt, SRT_KM_SALT, 0) != SRT_KM_SALT ||
		getrandom(s->keys.sek[0], SRT_KM_SEK_MAX, 0) != SRT_KM_SEK_MAX ||
		srt_km_kek(s->keys.salt, s->keys.key_len, (const uint8_t *)passphrase, len, s->kek))
		return -EIO;
	s->km_len = (uint16_t)srt_km_write(&s->keys, s->kek, s->km);
	return 0;
}

int secret_start(struct load *l, struct calls *cs, char *err, size_t cap)
{
	char passphrase[PASSPHRASE_MAX + 2];
	int len;

	if (!l->opts.passphrase_file)
		return 0;
	len = passphrase_read(l->opts.passphrase_file, passphrase);
	if (len < 0) {
		snprintf(
			err, cap, "%s cannot be read: %s", l->opts.passphrase_file, strerror(-len));
		return len;
	}
	if (len < PASSPHRASE_MIN || len > PASSPHRASE_MAX) {
		snprintf(err, cap, "a passphrase has %d to %d bytes, this one has %d",
			PASSPHRASE_MIN, PASSPHRASE_MAX, len);
		return -EINVAL;
	}
	cs->secret = calloc(1, sizeof(*cs->secret));
	if (cs->secret && !keys_make(&l->opts, cs->secret, passphrase, (size_t)len))
		return 0;
	snprintf(err, cap, "no key can be made");
	return -EIO;
}

void secret_fini(struct calls *cs)
{
	if (cs->secret)
		srt_crypt_free(cs->secret->crypt);
	free(cs->secret);
}

static void install(const struct secret *s, struct call *c, const struct srt_km_keys *k)
{
	for (unsigned odd = 0; odd < 2; odd++)
		if (k->has & (odd ? SRT_KM_ODD : SRT_KM_EVEN))
			srt_crypt_key(s->crypt, s->suite, k->salt, k->sek[odd], &c->keys->key[odd]);
	c->keys->has |= k->has;
}

void secret_begin(struct calls *cs, struct call *c)
{
	const struct secret *s = cs->secret;

	if (!c->keys)
		return;
	srt_caller_set_km(&c->caller, s->km, s->km_len);
	c->keys->has = 0;
	install(s, c, &s->keys);
}

static void crypt_payload(
	const struct secret *s, const struct call *c, uint8_t *pkt, size_t len, unsigned odd)
{
	struct srt_crypt_job j = {
		.key = &c->keys->key[odd],
		.src = pkt + SRT_HDR,
		.dst = pkt + SRT_HDR,
		.seq = be32_get(pkt),
		.len = (uint32_t)(len - SRT_HDR),
	};

	srt_crypt_ctr(s->crypt, s->suite, &j, 1);
}

void secret_seal(const struct calls *cs, const struct call *c, uint8_t *pkt, size_t len)
{
	if (!c->keys)
		return;
	crypt_payload(cs->secret, c, pkt, len, 0);
	be32_put(pkt + 4, be32_get(pkt + 4) | SRT_WORD1_EVEN);
}

// A new key from the relay: take it, echo it.
static bool about_keys(struct load *l, ts_us now, struct call *c, const uint8_t *data, size_t len)
{
	const struct secret *s = ((struct calls *)l->peers)->secret;
	uint8_t answer[SRT_HDR + SRT_KM_MAX];
	struct srt_km_keys k;
	struct srt_ctrl ctrl;
	struct srt_km km;

	if (srt_pkt_parse_ctrl(data, len, &ctrl) || ctrl.type != SRT_USER)
		return false;
	if (ctrl.subtype != SRT_KMREQ || srt_km_parse(ctrl.cif, ctrl.cif_len, &km) ||
		srt_km_unwrap(&km, s->kek, &k) || srt_suite_of(k.cipher, k.key_len) != s->suite)
		return true;
	install(s, c, &k);
	c->n_keys++;
	call_send(l, now, c, answer,
		srt_km_packet(answer, SRT_KMRSP, ctrl.cif, ctrl.cif_len, srt_clock_at(c->t0, now),
			c->caller.peer_id));
	return true;
}

bool secret_open(
	struct load *l, ts_us now, struct call *c, const uint8_t *data, size_t len, uint8_t *out)
{
	const struct secret *s = ((struct calls *)l->peers)->secret;
	uint32_t kk = be32_get(data + 4) & SRT_WORD1_KK;
	unsigned odd = kk == SRT_WORD1_ODD;

	memcpy(out, data, len);
	if (srt_pkt_is_ctrl(data))
		return !about_keys(l, now, c, data, len);
	if (!kk || len <= SRT_HDR || !(c->keys->has & (odd ? SRT_KM_ODD : SRT_KM_EVEN))) {
		c->undecryptable++;
		return false;
	}
	crypt_payload(s, c, out, len, odd);
	be32_put(out + 4, be32_get(out + 4) & ~SRT_WORD1_KK);
	return true;
}
