#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Read the UDP datagrams of a capture in tests/data: classic pcap, little-endian, microseconds,
// Ethernet and IPv4 without options, as tcpdump writes them on lo.

#include "base/bytes.h"
#include "base/ts.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pcap {
	FILE *f;
};

struct pcap_pkt {
	ts_us at;
	uint16_t from, to; // ports
	size_t len;
	uint8_t data[2048];
};

enum { PCAP_HEAD = 14 + 20 + 8 };

static inline void pcap_open(struct pcap *p, const char *name)
{
	uint8_t head[24];
	char path[512];

	assert_non_null(getenv("SLUICE_TEST_DATA"));
	snprintf(path, sizeof(path), "%s/%s", getenv("SLUICE_TEST_DATA"), name);
	p->f = fopen(path, "rb");
	assert_non_null(p->f);
	assert_int_equal(fread(head, 1, sizeof(head), p->f), sizeof(head));
	assert_memory_equal(head, "\xd4\xc3\xb2\xa1", 4);
	assert_int_equal(head[20], 1); // Ethernet
}

static inline bool pcap_next(struct pcap *p, struct pcap_pkt *out)
{
	uint32_t rec[4];
	uint8_t head[PCAP_HEAD];

	if (fread(rec, 1, sizeof(rec), p->f) != sizeof(rec)) {
		fclose(p->f);
		return false;
	}
	assert_in_range(rec[2], PCAP_HEAD, PCAP_HEAD + sizeof(out->data));
	assert_int_equal(fread(head, 1, sizeof(head), p->f), sizeof(head));
	out->at = (ts_us)rec[0] * TS_S + rec[1];
	out->from = be16_get(head + 34);
	out->to = be16_get(head + 36);
	out->len = rec[2] - PCAP_HEAD;
	assert_int_equal(be16_get(head + 38), out->len + 8);
	assert_int_equal(fread(out->data, 1, out->len, p->f), out->len);
	return true;
}
