#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A bad flag is answered by one sentence on stderr. argp adds a hint to --help to each; this takes
// it away again.

struct argp_state;

// To be called by a parser on ARGP_KEY_INIT.
void usage_one_sentence(struct argp_state *st);
