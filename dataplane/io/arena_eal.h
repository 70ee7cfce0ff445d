#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What arenas share with the start of EAL: the budget of memory that is left for frames.

#include <stdbool.h>
#include <stddef.h>

bool arena_eal_take(size_t bytes);
void arena_eal_give(size_t bytes);
