#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A secret out of a file, so that it is no argument of a process and stands in no shell's history.

#include <stddef.h>

#define SECRET_FILE_MAX 256 // bytes of the line

// Read the first line of the file, "-": of the standard input; the rest has to be empty. Returns 0,
// or -errno or -EINVAL with one sentence in err that names the file and nothing of what it holds.
int secret_file_read(const char *path, char out[SECRET_FILE_MAX + 1], char *err, size_t cap);
