// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/control_priv.h"

uint16_t tag_take(struct control *c, struct object *o)
{
	for (uint16_t tag = 1; tag < TAGS_MAX; tag++)
		if (!c->tags[tag]) {
			c->tags[tag] = o;
			return tag;
		}
	return 0;
}

void tag_give(struct control *c, uint16_t tag)
{
	c->tags[tag] = NULL;
}
