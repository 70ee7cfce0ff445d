#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/cmd.h"

#include <stdio.h>

// Write the help of the command that was named: what it is, its usage line, arguments, flags, and
// the words below it.
void cmd_help_write(const struct cmd_call *call, FILE *to);

// "sluicectl stream add NAME [flags]"
void cmd_help_usage(const struct cmd_call *call, FILE *to);
