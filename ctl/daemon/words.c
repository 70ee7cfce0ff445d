// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// How the API calls what the dataplane tells by number.

#include "ctl/daemon/daemon_priv.h"

static const char *word(const char *const *words, size_t n, uint32_t i)
{
	return i < n ? words[i] : "unknown";
}

#define WORD(words, i) word(words, sizeof(words) / sizeof(*(words)), i)

const char *proto_word(uint32_t proto)
{
	static const char *const words[] = {"unknown", "srt", "rtp", "udp"};

	return WORD(words, proto);
}

const char *mode_word(uint32_t mode)
{
	static const char *const words[] = {"play", "publish"};

	return WORD(words, mode);
}

const char *stream_state_word(uint32_t state)
{
	static const char *const words[] = {"idle", "live", "stalled"};

	return WORD(words, state);
}

const char *object_state_word(uint32_t state)
{
	static const char *const words[] = {"pending", "active", "unresolved", "error", "held"};

	return WORD(words, state);
}
