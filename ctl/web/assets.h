#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The files of the web page, put into the program by embed.py at build time.

#include "ctl/http/server.h"

extern const struct http_asset web_assets[];
extern const size_t n_web_assets;
