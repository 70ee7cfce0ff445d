#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Secrets in documents on their way in: the text leaves the document, a reference stays, and the
// sealed secret is written in the transaction of the document.

#include "ctl/api/resources.h"
#include "ctl/core/desired.h"
#include "ctl/daemon/vault.h"

#define SECRETS_MAX 2u // of a document

enum secret_action { SECRET_KEEP, SECRET_SET, SECRET_REMOVE };

struct secrets {
	struct {
		enum secret_action action;
		char id[DESIRED_ID_LEN];
		store_rev rev; // of the one in the store
		char plain[DP_SECRET_MAX + 1];
	} all[SECRETS_MAX];
	size_t n;
};

// Take the secrets of a valid document of this kind and name. A text is replaced by its reference;
// a reference has to be the one that the field has already ("***" stands for it too). Returns 0, or
// -EINVAL and one sentence that names the field.
int secrets_take(struct secrets *s, struct vault *v, struct intent *in, const struct resource *res,
	uint32_t kind, const char *name, json_t *doc, char *err, size_t cap);

// All those of a document that goes.
void secrets_drop(struct secrets *s, struct intent *in, const struct resource *res, uint32_t kind,
	const char *name);

bool secrets_differ(const struct secrets *s); // from what the store has

// The operations on the store that they need, at most SECRETS_MAX, with documents that
// secrets_ops_free() frees. Returns how many, or -EIO with one sentence.
int secrets_ops(const struct secrets *s, struct vault *v, struct intent *in, struct intent_op *ops,
	char *err, size_t cap);
void secrets_ops_free(struct intent_op *ops, int n);

void secrets_wipe(struct secrets *s);
