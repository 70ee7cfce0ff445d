// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"

void path_tx(struct path *p)
{
	p->port->ops->flush(p->port);
	retire_done(p);
}
