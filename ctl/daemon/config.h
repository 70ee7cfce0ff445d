#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// How this daemon runs: flag > environment > file > default, for each setting by itself.
//
//   setting       flag          environment        file, below `daemon:`
//   node          --node        SLUICE_NODE        node             default: the host's name
//   region        --region      SLUICE_REGION      region           "default"
//   store         --store       SLUICE_STORE       store            sqlite://STATE/sluice.db
//   dp_socket     --dp-socket   SLUICE_DP_SOCKET   dp_socket        RUN/dp.sock
//   api_socket    --api-socket  SLUICE_API_SOCKET  api_socket       RUN/api.sock
//   listen        --listen ..   SLUICE_LISTEN      listen (a list)  127.0.0.1:8680; "none": no TCP
//   hosts                                          hosts: other names of this node in URLs
//   anonymous_read                                 anonymous_read   true: loopback may read
//   connections_max                                limits: {connections: N}
//   master_key_file                                master_key_file  see vault.h
//   hook                                           hook             of streams without their own
//
// The file is the document of decisions B7: `sluice: 1`, `daemon:`, then the first intent.

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>

struct options;

struct config {
	char *node, *region, *store, *dp_socket, *api_socket;
	char **listen, **hosts; // NULL-terminated
	char *master_key_file;	// NULL: not given
	char *hook;		// NULL: none
	bool anonymous_read;
	unsigned connections_max; // 0: the server's default

	// The intent of the file: [{"noun": "stream", "doc": {..}}, ..], valid and with defaults
	// filled in, in the order of the table of resources. Empty: there was none.
	json_t *intent;
};

// Put the settings together. Reads the environment, the host's name and the file; changes nothing.
// Returns 0, or -EINVAL (a setting is wrong), -errno of the file, -ENOMEM, with one sentence in
// err, and *c empty.
int config_load(struct config *c, const struct options *o, char *err, size_t cap);
void config_free(struct config *c);
