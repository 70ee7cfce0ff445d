// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Which passphrase the caller has to know.

#include "control/control_priv.h"

int admit_secret(struct control *c, struct wish *w)
{
	return w->q->req.encrypted ? admit_say(w, SRT_REJ_UNSECURE,
					     "it encrypts and the stream has no passphrase")
				   : ADMIT_NEXT;
}
