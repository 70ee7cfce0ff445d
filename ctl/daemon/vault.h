#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The master key of this daemon, and secrets under it (decisions B8). The key lies where the
// configuration says (master_key_file), else in systemd's credentials (sluice-master-key), else in
// the state directory, where it is made when the first secret needs it.

#include "ctl/daemon/intent.h"
#include "ctl/dp/dp_proto.h"

struct vault;
struct desired;

// path: of the master key's file; NULL: as said above. NULL when out of memory. A key that cannot
// be read is no failure here: vault_said() says it, and what needs no secret works.
struct vault *vault_new(const char *path);
void vault_free(struct vault *v);

// Look at the file again if it could not be used before, and at every secret of the intent.
void vault_check(struct vault *v, struct intent *in);

// What the last check found: why secrets cannot be stored or opened, one sentence, else NULL.
const char *vault_said(const struct vault *v);

// Is this what the secret holds? False when it cannot be opened.
bool vault_holds(struct vault *v, const struct intent_item *secret, const void *plain, size_t len);

// The document of a secret for the store. Makes the master key if there is none and no secret was
// ever stored. Returns NULL with one sentence in err.
json_t *vault_seal(struct vault *v, struct intent *in, const char *id, const void *plain,
	size_t len, char *err, size_t cap);

// Open one, at most DP_SECRET_MAX bytes. Returns the length, or -ENOKEY, -EKEYREJECTED, -EBADMSG.
int vault_open(struct vault *v, const struct intent_item *secret, uint8_t plain[DP_SECRET_MAX]);

// The same as the dataplane's object. Returns 0 or as vault_open.
int vault_object(struct vault *v, const struct intent_item *secret, struct desired *out);
