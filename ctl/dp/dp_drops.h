#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Why packets die, and callers are refused. Names are what CLI, JSON and metrics print; the words
// behind them tell people.

#define DP_DROPS(X)                                                                               \
	X(NONE, "none", "")                                                                       \
	X(MALFORMED, "malformed", "shorter or other than its protocol says")                      \
	X(UNKNOWN_SESSION, "unknown_session", "no session has this SRT socket id")                \
	X(WRONG_ADDRESS, "wrong_address", "right socket id, other source address")                \
	X(BAD_COOKIE, "bad_cookie", "handshake whose cookie is none of ours")                     \
	X(NOT_MEDIA, "not_media", "neither RTP nor TS on a source")                               \
	X(WRONG_SOURCE, "wrong_source", "RTP of another SSRC than the pinned one")                \
	X(OVERSIZE, "oversize", "payload larger than an SRT packet may carry")                    \
	X(UNEXPECTED, "unexpected", "data from a subscriber, ACKs from a publisher")              \
	X(UNDECRYPTABLE, "undecryptable", "under no key of the session")                          \
	X(DUPLICATE, "duplicate", "here already")                                                 \
	X(LATE, "late", "came after it had been given up")                                        \
	X(AHEAD, "ahead", "beyond the receive window")                                            \
	X(LATE_INORDER, "late_inorder", "missed its turn in an in-order egress")                  \
	X(ARENA_FULL, "arena_full", "no frame, or a follower still reads the oldest")             \
	X(FORWARD_FULL, "forward_full", "the ring to another worker was full")                    \
	X(PARK_FULL, "park_full", "callers that waited for admission were too many (1005)")       \
	X(TX_FULL, "tx_full", "socket buffer or ring full")                                       \
	X(TX_ERROR, "tx_error", "refused by the kernel")                                          \
	X(SOCKET_OVERFLOW, "socket_overflow", "lost by the kernel before we read it")             \
	X(TRUNCATED, "truncated", "larger than a receive buffer")                                 \
	X(NO_STREAM, "no_stream", "media for a stream that is going away")                        \
	X(NAK_PENDING, "nak_pending", "asked for what is missing here too: comes when it comes")  \
	X(NAK_REPEATED, "nak_repeated", "asked for again while the repair was under way")         \
	X(NAK_BUDGET, "nak_budget", "asked for beyond the repair budget")                         \
	X(NAK_LATE, "nak_late", "asked for too late, or gone")                                    \
	X(OVERLOAD, "overload", "callers refused, a limit is reached (2402)")                     \
	X(REFUSED_REQUEST, "refused_request",                                                     \
		"callers refused for what they ask (2400, 2405, 2001, 1004-1015)")                \
	X(REFUSED_NAME, "refused_name", "callers refused, no such stream (2404)")                 \
	X(REFUSED_AUTH, "refused_auth", "callers refused for token or user (2401)")               \
	X(REFUSED_ACCESS, "refused_access", "callers refused for address, prefix or mode (2403)") \
	X(REFUSED_SECRET, "refused_secret",                                                       \
		"callers refused for passphrase or cipher (1010, 1011, 1017)")                    \
	X(REFUSED_CONFLICT, "refused_conflict", "publishers refused, the stream has one (2409)")  \
	X(REFUSED_HOOK, "refused_hook", "callers refused, the hook does not answer (2424)")       \
	X(REFUSED_OTHER, "refused_other",                                                         \
		"callers refused otherwise: draining, closing, media, path")                      \
	X(BAD_HEADER, "bad_header", "Ethernet, IP or UDP header cut short, or a fragment")        \
	X(BAD_CSUM, "bad_csum", "IP or UDP checksum wrong")                                       \
	X(NOT_OURS, "not_ours", "to an address or UDP port that nothing serves")                  \
	X(ACK_THINNED, "ack_thinned", "full ACKs that the next one says as well")                 \
	X(CLOSED_SILENT, "closed_silent", "sessions that said nothing for 5 s")                   \
	X(CLOSED_STUCK, "closed_stuck", "subscribers that acknowledged nothing")                  \
	X(CLOSED_GREEDY, "closed_greedy", "subscribers over their repair budget for too long")

enum dp_drop {
#define X(id, name, words) DP_DROP_##id,
	DP_DROPS(X)
#undef X
		DP_DROP_COUNT
};
