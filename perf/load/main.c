// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/load.h"

int main(int argc, char **argv)
{
	struct opts o;

	opts_parse(argc, argv, &o);
	return load_run(&o);
}
