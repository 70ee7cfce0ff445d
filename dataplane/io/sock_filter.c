// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

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
	SRT_SMALL_ACK = 32, // a full one has 44 bytes, a light one 20
};

#define SRT_WORD0_ACK 0x80020000u
#define ACK_PASS_FIRST 31u // until the first ACKACK a receiver's NAK period is 150 ms
#define ACK_PASS_MASK 15u

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
// ACKs that want an answer, full or small, are thinned (A14): they are steered to a socket that
// lets nothing in, rather than stopped by a filter on the worker's own. The kernel adds what a
// socket's filter drops to the very counter that SO_RXQ_OVFL reports, and overflows could not be
// told from thinning any more.
int sock_filter_steer(int fd, unsigned n_workers)
{
	struct sock_filter code[] = {
		/*  0 */ LD_LEN,
		/*  1 */ IF(BPF_JGE, SRT_MIN, 0, 20),
		/*  2 */ LD(SRT_DST),
		/*  3 */ IF(BPF_JEQ, 0, 12, 0),
		/*  4 */ LD_LEN,
		/*  5 */ IF(BPF_JGE, SRT_SMALL_ACK, 0, 5),
		/*  6 */ LD(SRT_WORD0),
		/*  7 */ IF(BPF_JEQ, SRT_WORD0_ACK, 0, 3),
		/*  8 */ LD(SRT_INFO),
		/*  9 */ IF(BPF_JGT, ACK_PASS_FIRST, 0, 1),
		/* 10 */ IF(BPF_JSET, ACK_PASS_MASK, 12, 0),
		/* 11 */ LD(SRT_DST),
		/* 12 */ ALU(BPF_RSH, DP_SESSION_WORKER_SHIFT),
		/* 13 */ ALU(BPF_AND, DP_SESSION_WORKER_MASK),
		/* 14 */ ALU(BPF_MOD, n_workers),
		/* 15 */ RET_A,
		/* 16 */ LD_LEN,
		/* 17 */ IF(BPF_JGE, SRT_HS_MIN, 0, 4),
		/* 18 */ LD(SRT_HS_CALLER),
		/* 19 */ ALU(BPF_MUL, 0x9e3779b1u),
		/* 20 */ ALU(BPF_RSH, 16),
		/* 21 */ IF(BPF_JA, 2, 0, 0),
		/* 22 */ RET(0),
		/* 23 */ RET(n_workers),
		/* 24 */ ALU(BPF_MOD, n_workers),
		/* 25 */ RET_A,
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
