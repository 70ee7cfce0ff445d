#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Large zeroed arrays on huge pages where the kernel has them: a swarm walks through hundreds of
// megabytes at random, and a page walk costs as much as the miss behind it.

#include <stddef.h>

// NULL when memory is short. Aligned to a cache line.
void *bulk_new(size_t n, size_t size);
void bulk_free(void *array, size_t n, size_t size);
