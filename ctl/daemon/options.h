#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The command line of sluiced, as given. What was not given is NULL.

#include <stdbool.h>
#include <stddef.h>

#define OPTIONS_LISTEN_MAX 16u

struct options {
	const char *config, *store, *dp_socket, *api_socket, *node, *region;
	const char *listen[OPTIONS_LISTEN_MAX + 1]; // NULL-terminated
	bool check_config;
};

// Fills o with pointers into argv. Bad usage prints one sentence and exits 2; --help and --version
// print and exit 0.
void options_parse(struct options *o, int argc, char **argv);
