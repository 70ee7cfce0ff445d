#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Where sockets and state live: the same rules for every program.
//
// Run directory: $SLUICE_RUN_DIR, else /run/sluice as root, else $XDG_RUNTIME_DIR/sluice, else
// sluice-UID in the temporary directory. State directory: $SLUICE_STATE_DIR, else /var/lib/sluice
// as root, else $XDG_STATE_HOME/sluice, else ~/.local/state/sluice.

#include <stddef.h>

// Write the path of `file` below the directory (the directory itself when file is NULL) into buf.
// Nothing is created. Returns 0 or -ENAMETOOLONG.
int rundir_path(const char *file, char *buf, size_t cap);
int statedir_path(const char *file, char *buf, size_t cap);

// Make the run directory, mode 0770, unless it is there. It must be ours or root's, and others must
// not be able to replace what we put there: in the temporary directory somebody may have been
// first. Returns 0, or -errno with one sentence in err.
int rundir_make(char *err, size_t cap);
