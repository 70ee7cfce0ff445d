#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What admission has found out about an encrypted caller, for the worker that serves it. Whoever
// has used one overwrites it.

#include "proto/srt_km.h"

struct key_material {
	struct srt_km_keys km;	     // key_len 0: clear
	uint8_t kek[SRT_KM_SEK_MAX]; // good for later messages with the same salt
	uint8_t msg[SRT_KM_MAX];     // the KMREQ: its answer is the same bytes
	uint16_t msg_len;
};
