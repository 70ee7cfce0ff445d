// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/vault.h"

#include "base/log.h"
#include "base/rundir.h"
#include "ctl/core/desired.h"
#include "ctl/daemon/seal.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

LOG_SUBSYSTEM(vault)

#define CREDENTIAL "sluice-master-key"
#define OWN_FILE "master.key"

struct vault {
	struct seal_key key;
	bool loaded;
	bool own; // the file in the state directory, which may be made
	int rc;	  // of the last look at the file
	char path[PATH_MAX];
	char error[PATH_MAX + 256];
	char said[PATH_MAX + 256]; // of the last check; empty: all is well
};

static int find_path(struct vault *v, const char *given)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");

	if (given) {
		snprintf(v->path, sizeof(v->path), "%s", given);
		return 0;
	}
	if (credentials && *credentials) {
		snprintf(v->path, sizeof(v->path), "%s/" CREDENTIAL, credentials);
		if (!access(v->path, F_OK))
			return 0;
	}
	v->own = true;
	return statedir_path(OWN_FILE, v->path, sizeof(v->path));
}

static void load(struct vault *v)
{
	v->rc = seal_key_read(&v->key, v->path, v->error, sizeof(v->error));
	v->loaded = !v->rc;
	if (v->loaded)
		log_info("master key %s from %s", v->key.id, v->path);
}

struct vault *vault_new(const char *path)
{
	struct vault *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	if (find_path(v, path)) {
		snprintf(v->error, sizeof(v->error), "the path of the master key is too long");
		v->rc = -ENAMETOOLONG;
		return v;
	}
	load(v);
	if (v->rc && (v->rc != -ENOENT || !v->own))
		log_warn("%s: no secret can be used", v->error);
	return v;
}

void vault_free(struct vault *v)
{
	if (!v)
		return;
	seal_key_wipe(&v->key);
	free(v);
}

static bool has_secrets(struct intent *in)
{
	struct intent_item item;

	return intent_next(in, DP_SECRET, NULL, &item);
}

// What is wrong with one of them; false: nothing.
static bool is_shut(struct vault *v, const struct intent_item *item)
{
	uint8_t plain[DP_SECRET_MAX];
	int rc = vault_open(v, item, plain);

	OPENSSL_cleanse(plain, sizeof(plain));
	if (rc == -EKEYREJECTED)
		snprintf(v->said, sizeof(v->said),
			"secrets of the store were sealed under another master key than %s",
			v->path);
	else if (rc < 0)
		snprintf(v->said, sizeof(v->said), "secret %s of the store is damaged", item->name);
	return rc < 0;
}

void vault_check(struct vault *v, struct intent *in)
{
	struct intent_item item = {0};
	const char *after = NULL;

	v->said[0] = '\0';
	if (!v->loaded && v->rc != -ENAMETOOLONG)
		load(v);
	// Without any secret there is nothing to miss: the key is made when it is needed.
	if (!v->loaded && (v->rc != -ENOENT || !v->own || has_secrets(in)))
		snprintf(v->said, sizeof(v->said), "%s", v->error);
	for (; v->loaded && intent_next(in, DP_SECRET, after, &item); after = item.name)
		if (is_shut(v, &item))
			break;
}

const char *vault_said(const struct vault *v)
{
	return *v->said ? v->said : NULL;
}

int vault_open(struct vault *v, const struct intent_item *secret, uint8_t plain[DP_SECRET_MAX])
{
	const char *text = json_string_value(json_object_get(secret->doc, "sealed"));

	if (!v->loaded)
		return -ENOKEY;
	return text ? seal_open(&v->key, secret->name, text, plain, DP_SECRET_MAX) : -EBADMSG;
}

bool vault_holds(struct vault *v, const struct intent_item *secret, const void *plain, size_t len)
{
	uint8_t have[DP_SECRET_MAX];
	int n = vault_open(v, secret, have);
	bool same = n >= 0 && (size_t)n == len && !CRYPTO_memcmp(have, plain, len);

	OPENSSL_cleanse(have, sizeof(have));
	return same;
}

static int need_key(struct vault *v, struct intent *in)
{
	if (!v->loaded && v->rc != -ENAMETOOLONG)
		load(v);
	if (v->loaded)
		return 0;
	if (v->rc != -ENOENT || !v->own || has_secrets(in))
		return v->rc;
	v->rc = seal_key_make(&v->key, v->path, v->error, sizeof(v->error));
	v->loaded = !v->rc;
	if (v->loaded)
		log_info("master key %s made in %s: keep a copy of that file, without it no "
			 "secret of the store can be read",
			v->key.id, v->path);
	return v->rc;
}

json_t *vault_seal(struct vault *v, struct intent *in, const char *id, const void *plain,
	size_t len, char *err, size_t cap)
{
	char *text;
	json_t *doc;

	if (need_key(v, in)) {
		snprintf(err, cap, "%s", v->error);
		return NULL;
	}
	text = seal(&v->key, id, plain, len);
	doc = text ? json_pack("{s:s}", "sealed", text) : NULL;
	free(text);
	if (!doc)
		snprintf(err, cap, "a secret could not be sealed");
	return doc;
}

int vault_object(struct vault *v, const struct intent_item *secret, struct desired *out)
{
	uint64_t id = desired_id_parse(DP_SECRET, secret->name);
	uint8_t plain[DP_SECRET_MAX];
	int n = id ? vault_open(v, secret, plain) : -EBADMSG;

	if (n < 0)
		return n;
	desired_make_secret(id, plain, (size_t)n, seal_version(&v->key, plain, (size_t)n), out);
	OPENSSL_cleanse(plain, sizeof(plain));
	return 0;
}
