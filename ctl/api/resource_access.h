#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The part of the table of resources that says who may come in: users, signing keys, tokens.

#include "ctl/api/resources.h"

extern const struct resource_field user_fields[6];
extern const struct resource_field key_fields[6];
extern const struct resource_field token_fields[10];
