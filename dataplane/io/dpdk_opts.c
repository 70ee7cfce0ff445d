// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/dpdk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MTU_DEFAULT 1500u
#define MTU_MIN 576u
#define VLAN_MAX 4094u

struct sentence {
	char *at;
	size_t cap;
};

__attribute__((format(printf, 2, 3))) static int wrong(struct sentence s, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(s.at, s.cap, format, ap);
	va_end(ap);
	return -EINVAL;
}

static int number(
	struct sentence s, const char *key, const char *v, unsigned low, unsigned high, unsigned *n)
{
	char *end;
	unsigned long got = strtoul(v, &end, 10);

	if (*v < '0' || *v > '9' || *end || got < low || got > high)
		return wrong(
			s, "dpdk: %s= takes a number from %u to %u, not '%s'", key, low, high, v);
	*n = (unsigned)got;
	return 0;
}

static int address(struct sentence s, struct port_dpdk_opts *o, const char *v)
{
	struct endpoint e = {0};

	if (endpoint_parse_ip(v, &e) || endpoint_is_any(&e) || endpoint_is_multicast(&e))
		return wrong(s, "dpdk: addr= takes an address of this port, not '%s'", v);
	if (o->n_addr == PORT_DPDK_ADDRS)
		return wrong(s, "dpdk: a port has at most %u addresses", PORT_DPDK_ADDRS);
	o->addr[o->n_addr++] = e;
	return 0;
}

static int peer(struct sentence s, struct port_dpdk_opts *o, const char *v)
{
	uint8_t *m = o->peer;
	int used = 0;

	if (sscanf(v, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &m[0], &m[1], &m[2], &m[3], &m[4],
		    &m[5], &used) != 6 ||
		v[used])
		return wrong(
			s, "dpdk: peer= takes a MAC address as 02:00:00:00:00:01, not '%s'", v);
	return 0;
}

static int name(struct sentence s, struct port_dpdk_opts *o, const char *v)
{
	if (!*v || strlen(v) >= sizeof(o->name))
		return wrong(s, "dpdk: name= takes 1 to %zu bytes", sizeof(o->name) - 1);
	strcpy(o->name, v);
	return 0;
}

static int device_word(struct sentence s, struct port_dpdk_opts *o, const char *word)
{
	size_t have = strlen(o->device);
	int n = snprintf(o->device + have, sizeof(o->device) - have, ",%s", word);

	return n < (int)(sizeof(o->device) - have) ? 0 : wrong(s, "dpdk: too many arguments");
}

// `word` is "key=value"; value points behind the '='.
static int option(struct sentence s, struct port_dpdk_opts *o, const char *word, const char *value)
{
	size_t len = value ? (size_t)(value - word) : 0;
	unsigned n = 0;
	int rc;

#define IS(key) (len == sizeof(key) && !memcmp(word, key "=", len))
	if (IS("addr"))
		return address(s, o, value);
	if (IS("peer"))
		return peer(s, o, value);
	if (IS("name"))
		return name(s, o, value);
	if (IS("queues"))
		return number(s, "queues", value, 1, PORT_DPDK_QUEUES, &o->queues);
	if (IS("mtu")) {
		rc = number(s, "mtu", value, MTU_MIN, MTU_DEFAULT, &n);
		o->mtu = (uint16_t)n;
		return rc;
	}
	if (IS("vlan")) {
		rc = number(s, "vlan", value, 1, VLAN_MAX, &n);
		o->vlan = (uint16_t)n;
		return rc;
	}
	if (IS("layout")) {
		o->copied = !strcmp(value, "copied");
		return o->copied ? 0 : wrong(s, "dpdk: layout= takes copied, not '%s'", value);
	}
	if (IS("cores") || IS("egress"))
		return wrong(s, "dpdk: %.*s is not served yet", (int)len, word);
#undef IS
	return device_word(s, o, word);
}

static int device(struct sentence s, struct port_dpdk_opts *o, const char *word)
{
	if (!word || strncmp(word, "net_", 4) || strlen(word) >= sizeof(o->name))
		return wrong(s,
			"dpdk: '%s' is no device that this version serves: it has net_null, "
			"net_ring, net_memif and net_tap, numbered as in net_memif0",
			word ? word : "");
	strcpy(o->device, word);
	strcpy(o->name, word);
	return 0;
}

int port_dpdk_parse(const char *spec, struct port_dpdk_opts *o, char *err, size_t err_cap)
{
	struct sentence s = {err, err_cap};
	char *copy = strdup(spec), *save = NULL, *word;
	int rc;

	if (!copy)
		return wrong(s, "no memory");
	*o = (struct port_dpdk_opts){
		.mtu = MTU_DEFAULT, .peer = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	rc = device(s, o, strtok_r(copy, ",", &save));
	while (!rc && (word = strtok_r(NULL, ",", &save))) {
		char *is = strchr(word, '=');

		rc = option(s, o, word, is ? is + 1 : NULL);
	}
	if (!rc && !o->n_addr)
		rc = wrong(s, "dpdk: %s has no address: give it one by addr=", o->name);
	free(copy);
	return rc;
}
