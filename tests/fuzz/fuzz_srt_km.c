// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "fuzz/fuzz.h"
#include "proto/srt_km.h"

#include <string.h>

// Whatever parses has the length that it says; whatever unwraps is what we would have wrapped.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t kek[SRT_KM_SEK_MAX] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
		14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
	uint8_t again[SRT_KM_MAX];
	struct srt_km_keys k;
	struct srt_km km, other;

	if (srt_km_parse(data, len, &km))
		return 0;
	FUZZ_CHECK(len == SRT_KM_HDR + (size_t)km.wrapped_len && len <= SRT_KM_MAX);
	FUZZ_CHECK(km.has >= SRT_KM_EVEN && km.has <= 3);
	if (srt_km_unwrap(&km, kek, &k)) {
		FUZZ_CHECK(!k.has && !k.key_len);
		return 0;
	}
	FUZZ_CHECK(srt_km_write(&k, kek, again) == len);
	FUZZ_CHECK(!srt_km_parse(again, len, &other) && !memcmp(&km, &other, sizeof(km)));
	return 0;
}
