#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Reject codes in words, for people (libsrt's docs/API/rejection-codes.md). code: wire value, 1000
// and above. Never NULL.
const char *srt_rej_str(int code);
