#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The state directory belongs to one sluiced at a time (decisions B1): a lock on the file "lock"
// in it, which the kernel lets go with the process, and a counter that each start raises, so that
// the dataplane tells a later owner from an earlier one.

#include <stddef.h>
#include <stdint.h>

// Make the directory (mode 0750, parents too) and lock it. Returns a descriptor to keep open, or
// -errno with one sentence in err; -EWOULDBLOCK: another one has it, the sentence names its pid.
int state_lock(const char *dir, char *err, size_t cap);

// Raise the counter in the file "epoch" of a locked directory, durably, and at least to the time of
// day in milliseconds: a daemon whose directory is new or was restored from a copy is a later owner
// too, and not shut out of a dataplane that knew the earlier one. Returns 0, or -errno with one
// sentence in err (-EBADMSG: the file holds something else).
int state_epoch_raise(const char *dir, uint64_t *epoch, char *err, size_t cap);
