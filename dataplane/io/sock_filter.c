// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/thin.h"
#include "ctl/dp/dp_stats.h"
#include "io/sock.h"

#include <linux/filter.h>

#include <errno.h>

// Offsets in an SRT packet (srt-wire 2, 7.1). A reuseport program sees the UDP payload.
enum {
	SRT_WORD0 = 0,
	SRT_INFO = 4, // word 1: number of an ACK
	SRT_DST = 12,
	SRT_MIN = 16,
	SRT_HS_CALLER = 40, // socket id of the caller, in induction and conclusion alike
	SRT_HS_MIN = 44,
};

#define LD_LEN BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0)
#define LD(off) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, off)
#define ALU(op, k) BPF_STMT(BPF_ALU | (op) | BPF_K, k)
#define IF(op, k, yes, no) BPF_JUMP(BPF_JMP | (op) | BPF_K, k, yes, no)
#define RET_A BPF_STMT(BPF_RET | BPF_A, 0)
#define RET(k) BPF_STMT(BPF_RET | BPF_K, k)

// Socket ids are 30 bits, of which the top six are the worker (A13). A handshake has no
// destination yet: its repeats are kept together by the caller's id. Whatever is too short for
// either goes to worker 0, which counts it as malformed.
//
// ACKs are thinned (thin_ack): they are steered to a socket that lets nothing in, rather than
// stopped by a filter on the worker's own. The kernel adds what a socket's filter drops to the very
// counter that SO_RXQ_OVFL reports, and overflows could not be told from thinning any more.
int sock_filter_steer(int fd, unsigned n_workers)
{
	struct sock_filter code[] = {
		/*  0 */ LD_LEN,
		/*  1 */ IF(BPF_JGE, SRT_MIN, 0, 25),
		/*  2 */ LD(SRT_DST),
		/*  3 */ IF(BPF_JEQ, 0, 17, 0),
		/*  4 */ LD_LEN,
		/*  5 */ IF(BPF_JGE, THIN_SMALL_ACK, 0, 10),
		/*  6 */ LD(SRT_WORD0),
		/*  7 */ IF(BPF_JEQ, THIN_WORD0_ACK, 0, 8),
		/*  8 */ LD(SRT_INFO),
		/*  9 */ IF(BPF_JGT, THIN_PASS_FIRST, 0, 6),
		/* 10 */ IF(BPF_JSET, THIN_EACH - 1, 0, 5),
		/* 11 */ LD_LEN,
		/* 12 */ IF(BPF_JGE, THIN_RATE_AT + 4, 0, 15),
		/* 13 */ LD(THIN_RATE_AT),
		/* 14 */ IF(BPF_JEQ, 0, 13, 0),
		/* 15 */ IF(BPF_JGT, THIN_SLOW_PPS, 12, 0),
		/* 16 */ LD(SRT_DST),
		/* 17 */ ALU(BPF_RSH, DP_SESSION_WORKER_SHIFT),
		/* 18 */ ALU(BPF_AND, DP_SESSION_WORKER_MASK),
		/* 19 */ ALU(BPF_MOD, n_workers),
		/* 20 */ RET_A,
		/* 21 */ LD_LEN,
		/* 22 */ IF(BPF_JGE, SRT_HS_MIN, 0, 4),
		/* 23 */ LD(SRT_HS_CALLER),
		/* 24 */ ALU(BPF_MUL, 0x9e3779b1u),
		/* 25 */ ALU(BPF_RSH, 16),
		/* 26 */ IF(BPF_JA, 2, 0, 0),
		/* 27 */ RET(0),
		/* 28 */ RET(n_workers),
		/* 29 */ ALU(BPF_MOD, n_workers),
		/* 30 */ RET_A,
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(*code), code};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog, sizeof(prog)))
		return -errno;
	return 0;
}

int sock_filter_drop_all(int fd)
{
	struct sock_filter code[] = {RET(0)};
	struct sock_fprog prog = {1, code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) ? -errno : 0;
}
