#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The top of the tree; each noun stands in its own cmd_NOUN.c.

#include "ctl/cli/cmd.h"

#define NOUN_COUNT(a) (sizeof(a) / sizeof((a)[0]))

extern const struct cmd cmd_root;

extern const struct cmd cmd_status;
extern const struct cmd cmd_listener;
extern const struct cmd cmd_stream;
extern const struct cmd cmd_source;
extern const struct cmd cmd_route;
extern const struct cmd cmd_user;
extern const struct cmd cmd_token;
extern const struct cmd cmd_key;
extern const struct cmd cmd_sub;
extern const struct cmd cmd_pub;
extern const struct cmd cmd_node;
extern const struct cmd cmd_watch;
extern const struct cmd cmd_doctor;
