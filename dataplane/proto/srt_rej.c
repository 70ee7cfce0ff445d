// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_rej.h"

#include <stddef.h>

static const struct {
	int code;
	const char *text;
} words[] = {
	{1001, "system error"},
	{1002, "refused by the application"},
	{1003, "no resources"},
	{1004, "malformed handshake"},
	{1005, "backlog exceeded"},
	{1006, "internal error"},
	{1007, "closing"},
	{1008, "version not supported"},
	{1009, "rendezvous cookie collision"},
	{1010, "wrong passphrase"},
	{1011, "passphrase required or unexpected"},
	{1012, "message API mismatch"},
	{1013, "congestion control mismatch"},
	{1014, "packet filter mismatch"},
	{1015, "group mismatch"},
	{1016, "time-out"},
	{1017, "cipher mismatch"},
	{2000, "fallback"},
	{2001, "key not supported"},
	{2002, "file path"},
	{2003, "host not found"},
	{2400, "bad request"},
	{2401, "unauthorized"},
	{2402, "overload"},
	{2403, "forbidden"},
	{2404, "not found"},
	{2405, "bad mode"},
	{2406, "unacceptable"},
	{2409, "conflict"},
	{2415, "media not supported"},
	{2423, "locked"},
	{2424, "failed dependency"},
	{2500, "internal server error"},
	{2501, "unimplemented"},
	{2502, "bad gateway"},
	{2503, "down"},
	{2505, "version not supported"},
	{2507, "no room"},
};

const char *srt_rej_str(int code)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].code == code)
			return words[i].text;
	return code >= 3000 ? "a code of the listener's own" : "no reason given";
}
