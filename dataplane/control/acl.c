// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/cidr.h"
#include "control/access.h"

#include <string.h>

static bool matches(const struct dp_acl_rule *r, const uint8_t ip[16])
{
	struct cidr c = {.bits = r->bits};

	memcpy(c.ip, r->ip, sizeof(c.ip));
	return cidr_holds(&c, ip);
}

bool acl_lets_in(const struct dp_acl *acl, const uint8_t ip[16])
{
	bool has_allow = false;

	for (uint32_t i = 0; i < acl->n; i++) {
		if (matches(&acl->rules[i], ip))
			return !acl->rules[i].deny;
		has_allow |= !acl->rules[i].deny;
	}
	return !has_allow;
}
