#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What must hold whatever the path did. The first fault is left in s->fault.

#include "sim/run.h"

void check_all(struct sim *s);
