// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/core/desired.h"
#include "ctl/dp/dp_id.h"
#include "proto/streamid.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

// Knows one name.
static int lookup(void *ctx, const char *host, struct endpoint *out)
{
	(*(unsigned *)ctx)++;
	if (strcmp(host, "known.example") != 0)
		return -EAGAIN;
	return endpoint_parse_ip("192.0.2.7", out);
}

static int make(uint32_t kind, const char *text, struct desired *out)
{
	json_t *doc = json_loads(text, 0, NULL);
	unsigned asked = 0;
	char err[256];
	int rc;

	assert_non_null(doc);
	assert_int_equal(desired_spell(kind, doc, err, sizeof(err)), 0);
	rc = desired_make(kind, doc, "n1", lookup, &asked, out);
	json_decref(doc);
	return rc;
}

static void makes_streams(void **state)
{
	struct desired a, b;

	(void)state;
	assert_int_equal(
		make(DP_STREAM,
			"{\"name\": \"live/cam1\", \"latency_ms\": 200, \"takeover\": "
			"\"replace-stalled\", \"leg\": \"shared\", \"max_subscribers\": null}",
			&a),
		0);
	assert_int_equal(a.id, dp_id("live/cam1"));
	assert_string_equal(a.body.stream.name, "live/cam1");
	assert_int_equal(a.body.stream.size, sizeof(struct dp_stream));
	assert_int_equal(a.body.stream.latency_ms, 200);
	assert_int_equal(a.body.stream.max_subscribers, 0);
	assert_int_equal(a.body.stream.takeover, DP_TAKEOVER_REPLACE_STALLED);
	assert_int_equal(a.body.stream.leg, DP_LEG_SHARED);
	assert_int_equal(make(DP_STREAM, "{\"name\": \"live/cam1\", \"latency_ms\": 201}", &b), 0);
	assert_int_equal(a.id, b.id);
	assert_int_not_equal(a.version, b.version);
}

static void makes_listeners(void **state)
{
	struct desired a, b;

	(void)state;
	assert_int_equal(make(DP_LISTENER,
				 "{\"url\": \"srt://[::1]:9000\", \"open\": true, "
				 "\"default_mode\": \"publish\", \"default_stream\": \"x\"}",
				 &a),
		0);
	assert_int_equal(a.id, dp_id("[::1]:9000"));
	assert_int_equal(a.body.listener.port, 9000);
	assert_int_equal(a.body.listener.ip[15], 1);
	assert_int_equal(a.body.listener.open, 1);
	assert_int_equal(a.body.listener.default_mode, DP_MODE_PUBLISH);
	assert_string_equal(a.body.listener.default_stream, "x");
	// An address left out is any address, IPv6 and IPv4: the same listener.
	make(DP_LISTENER, "{\"url\": \"srt://:9000\"}", &a);
	make(DP_LISTENER, "{\"url\": \"srt://[::]:9000?mode=listener\"}", &b);
	assert_int_equal(a.id, b.id);
	assert_int_equal(a.version, b.version);
	make(DP_LISTENER, "{\"url\": \"srt://0.0.0.0:9000\"}", &b);
	assert_int_not_equal(a.id, b.id);
}

static void makes_routes_and_sources(void **state)
{
	struct endpoint known;
	struct desired d;

	(void)state;
	endpoint_parse_ip("192.0.2.7", &known);
	assert_int_equal(make(DP_ROUTE,
				 "{\"stream\": \"a\", \"url\": "
				 "\"rtp://239.1.2.3:5004?ttl=9&dscp=34&iface=lo\"}",
				 &d),
		0);
	assert_int_equal(d.body.route.proto, DP_PROTO_RTP);
	assert_int_equal(d.body.route.ttl, 9);
	assert_int_equal(d.body.route.dscp, 34);
	assert_int_equal(d.body.route.port, 5004);
	assert_int_equal(d.body.route.ip[12], 239);
	assert_string_equal(d.body.route.iface, "lo");
	assert_string_equal(d.body.route.stream, "a");
	assert_int_equal(
		make(DP_ROUTE, "{\"stream\": \"a\", \"url\": \"udp://known.example:7\"}", &d), 0);
	assert_memory_equal(d.body.route.ip, known.ip, 16);
	assert_int_equal(make(DP_SOURCE,
				 "{\"stream\": \"b\", \"url\": "
				 "\"rtp://@239.1.2.3:5004?source=192.0.2.7&reorder=80\"}",
				 &d),
		0);
	assert_memory_equal(d.body.source.from, known.ip, 16);
	assert_int_equal(d.body.source.reorder_ms, 80);
	assert_int_equal(d.body.source.ip[12], 239);
}

static void makes_rules_of_addresses(void **state)
{
	const struct dp_acl *acl;
	struct desired d;

	(void)state;
	assert_int_equal(make(DP_LISTENER,
				 "{\"url\": \"srt://:9000\", \"acl\": [\"deny 10.1.0.0/16\", "
				 "\"allow 10.0.0.0/8\", \"allow 2001:DB8::/32\"]}",
				 &d),
		0);
	assert_int_equal(d.body.listener.dialects, 0);
	acl = &d.body.listener.acl;
	assert_int_equal(acl->n, 3);
	assert_int_equal(acl->rules[0].deny, 1);
	assert_int_equal(acl->rules[0].bits, 112);
	assert_int_equal(acl->rules[0].ip[13], 1);
	assert_int_equal(acl->rules[1].deny, 0);
	assert_int_equal(acl->rules[1].bits, 104);
	assert_int_equal(acl->rules[2].bits, 32);
}

static void makes_a_set_of_dialects(void **state)
{
	struct desired d;

	(void)state;
	assert_int_equal(
		make(DP_LISTENER, "{\"url\": \"srt://:9000\", \"dialects\": [\"ome\", \"srs\"]}",
			&d),
		0);
	assert_int_equal(d.body.listener.dialects,
		1u << STREAMID_OME | 1u << STREAMID_SRS | 1u << STREAMID_SLUICE);
}

static void names_secrets_by_their_ids(void **state)
{
	char doc[256], ref[DESIRED_ID_LEN];
	uint64_t id = desired_secret_id(DP_STREAM, "a", "play_passphrase");
	struct desired d;

	(void)state;
	assert_int_not_equal(id, desired_secret_id(DP_STREAM, "a", "publish_passphrase"));
	assert_int_not_equal(id, desired_secret_id(DP_STREAM, "b", "play_passphrase"));
	desired_id_text(DP_SECRET, id, ref);
	assert_int_equal(ref[0], 'x');
	assert_int_equal(desired_id_parse(DP_SECRET, ref), id);
	snprintf(doc, sizeof(doc),
		"{\"name\": \"a\", \"play_passphrase\": {\"ref\": \"%s\"}, \"play_auth\": "
		"\"token\", \"publish_auth\": \"hook\", \"hook_failure\": \"open\", "
		"\"cryptomode\": \"gcm\", \"km_refresh_packets\": 4096, "
		"\"slow_after_s\": 25}",
		ref);
	assert_int_equal(make(DP_STREAM, doc, &d), 0);
	assert_int_equal(d.body.stream.play_secret, id);
	assert_int_equal(d.body.stream.publish_secret, 0);
	assert_int_equal(d.body.stream.play_auth, DP_AUTH_TOKEN);
	assert_int_equal(d.body.stream.publish_auth, DP_AUTH_HOOK);
	assert_int_equal(d.body.stream.hook_failure, DP_HOOK_OPEN);
	assert_int_equal(d.body.stream.cipher, DP_CIPHER_GCM);
	assert_int_equal(d.body.stream.km_refresh, 4096);
	assert_int_equal(d.body.stream.slow_ms, 25000);
	desired_make_secret(id, "0123456789", 10, 77, &d);
	assert_int_equal(d.kind, DP_SECRET);
	assert_int_equal(d.id, id);
	assert_int_equal(d.version, 77);
	assert_int_equal(d.body.secret.len, 10);
	assert_memory_equal(d.body.secret.bytes, "0123456789", 11);
}

static const char *spelled(uint32_t kind, const char *text, json_t **doc)
{
	static char err[256];
	int rc;

	json_decref(*doc);
	*doc = json_loads(text, 0, NULL);
	assert_non_null(*doc);
	*err = '\0';
	rc = desired_spell(kind, *doc, err, sizeof(err));
	assert_int_equal(rc, *err ? -EINVAL : 0);
	return err;
}

// A passphrase in a URL is not part of what names a route, and leaves it.
static void takes_passphrases_out_of_urls(void **state)
{
	static const char url[] = "srt://10.0.0.1:9000?latency=200";
	json_t *doc = NULL;

	(void)state;
	assert_string_equal(spelled(DP_ROUTE,
				    "{\"stream\": \"a\", \"url\": "
				    "\"srt://10.0.0.1:9000?passphrase=0123456789&latency=200\"}",
				    &doc),
		"");
	assert_string_equal(json_string_value(json_object_get(doc, "url")), url);
	assert_string_equal(json_string_value(json_object_get(doc, "passphrase")), "0123456789");
	assert_string_equal(spelled(DP_ROUTE,
				    "{\"stream\": \"a\", \"passphrase\": null, \"url\": "
				    "\"srt://10.0.0.1:9000?passphrase=***&latency=200\"}",
				    &doc),
		"");
	assert_string_equal(json_string_value(json_object_get(doc, "url")), url);
	assert_true(json_is_string(json_object_get(json_object_get(doc, "passphrase"), "ref")));
	assert_string_equal(spelled(DP_SOURCE,
				    "{\"stream\": \"a\", \"passphrase\": \"0123456789\", \"url\": "
				    "\"srt://10.0.0.1:9000?passphrase=9876543210\"}",
				    &doc),
		"the passphrase is given twice, in the URL and beside it");
	assert_string_equal(spelled(DP_SOURCE,
				    "{\"stream\": \"a\", \"passphrase\": \"0123456789\", \"url\": "
				    "\"udp://:5000\"}",
				    &doc),
		"a passphrase means something to srt:// URLs only");
	json_decref(doc);
}

static void makes_policies(void **state)
{
	struct desired u, k, r;

	(void)state;
	assert_int_equal(make(DOC_USER,
				 "{\"name\": \"joe\", \"prefix\": \"live\", \"mode\": "
				 "\"publish\", \"passphrase\": {\"ref\": \"x0000000001\"}}",
				 &u),
		0);
	assert_int_equal(u.kind, DP_POLICY);
	assert_int_equal(u.id, dp_id("user joe"));
	assert_int_equal(u.body.policy.type, DP_POLICY_USER);
	assert_int_equal(u.body.policy.secret, 1);
	assert_true(u.body.policy.publish && !u.body.policy.play);
	assert_string_equal(u.body.policy.name, "joe");
	assert_string_equal(u.body.policy.prefix, "live");
	assert_int_equal(
		make(DOC_KEY, "{\"kid\": \"k1\", \"secret\": {\"ref\": \"x0000000002\"}}", &k), 0);
	assert_int_equal(k.id, dp_id("key k1"));
	assert_int_equal(k.body.policy.type, DP_POLICY_KEY);
	assert_int_equal(k.body.policy.secret, 2);
	assert_string_equal(k.body.policy.prefix, "");
	assert_int_equal(make(DOC_REVOKED, "{\"id\": \"t1\", \"until_s\": 4102444800}", &r), 0);
	assert_int_equal(r.id, dp_id("token t1"));
	assert_int_equal(r.body.policy.type, DP_POLICY_REVOKED);
	assert_int_equal(r.body.policy.until_s, 4102444800);
	assert_string_equal(r.body.policy.name, "t1");
	assert_int_equal(make(DP_SECRET, "{}", &r), -EINVAL);
}

static void waits_for_names(void **state)
{
	struct desired d;

	(void)state;
	assert_int_equal(
		make(DP_ROUTE, "{\"stream\": \"a\", \"url\": \"udp://other.example:7\"}", &d),
		-EAGAIN);
	assert_int_equal(d.kind, DP_ROUTE);
	assert_true(d.id);
}

// One identity has one spelling; stream, URL and node make the id of a route.
static void identity_is_natural(void **state)
{
	json_t *a = json_pack("{s:s, s:s}", "stream", "s", "url", "udp://10.0.0.1:5?ttl=4&dscp=0");
	json_t *b = json_pack("{s:s, s:s}", "stream", "s", "url", "UDP://10.0.0.1:5?dscp=0&ttl=4");
	uint64_t id;
	char err[256], text[DESIRED_ID_LEN];

	(void)state;
	assert_int_equal(desired_spell(DP_ROUTE, a, err, sizeof(err)), 0);
	assert_int_equal(desired_spell(DP_ROUTE, b, err, sizeof(err)), 0);
	assert_true(json_equal(a, b));
	id = desired_id(DP_ROUTE, a, "n1");
	assert_int_equal(id, desired_id(DP_ROUTE, b, "n1"));
	assert_int_not_equal(id, desired_id(DP_ROUTE, a, "n2"));
	desired_id_text(DP_ROUTE, id, text);
	assert_int_equal(text[0], 'r');
	assert_int_equal(strlen(text), 11);
	assert_int_equal(desired_id_parse(DP_ROUTE, text), id);
	assert_int_equal(desired_id_parse(DP_SOURCE, text), 0);
	assert_int_equal(desired_id_parse(DP_ROUTE, "r12"), 0);
	assert_int_equal(desired_id_parse(DP_ROUTE, "r123456789G"), 0);
	assert_int_equal(desired_id_parse(DP_ROUTE, ""), 0);
	json_decref(a);
	json_decref(b);
}

static void set_finds_what_was_put(void **state)
{
	struct desired_set s = {0};
	uint64_t digest[8];
	uint32_t count[8];

	(void)state;
	for (uint32_t i = 0; i < 500; i++) {
		struct desired d = {.kind = 1 + i % 4, .id = 1 + i * 7919 % 997, .version = i};

		assert_int_equal(desired_set_put(&s, &d), 0);
	}
	desired_set_sort(&s);
	for (uint32_t i = 0; i < 500; i++)
		assert_int_equal(desired_set_find(&s, 1 + i % 4, 1 + i * 7919 % 997)->version, i);
	assert_null(desired_set_find(&s, 1, 1000));
	assert_null(desired_set_find(&s, 5, 1));
	for (uint32_t i = 0; i < 500; i += 2) {
		struct desired d = {.kind = 1 + i % 4, .id = 1 + i * 7919 % 997, .version = i};

		assert_true(desired_set_remove(&s, d.kind, d.id));
		assert_false(desired_set_remove(&s, d.kind, d.id));
		assert_null(desired_set_find(&s, d.kind, d.id));
		for (d.version = 7; d.version < 9; d.version++)
			assert_int_equal(desired_set_replace(&s, &d), 0);
		assert_int_equal(desired_set_find(&s, d.kind, d.id)->version, 8);
	}
	desired_set_digest(&s, digest, count);
	assert_int_equal(count[1] + count[2] + count[3] + count[4], 500);
	desired_set_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_streams),
		cmocka_unit_test(makes_listeners),
		cmocka_unit_test(makes_routes_and_sources),
		cmocka_unit_test(makes_rules_of_addresses),
		cmocka_unit_test(makes_a_set_of_dialects),
		cmocka_unit_test(names_secrets_by_their_ids),
		cmocka_unit_test(takes_passphrases_out_of_urls),
		cmocka_unit_test(makes_policies),
		cmocka_unit_test(waits_for_names),
		cmocka_unit_test(identity_is_natural),
		cmocka_unit_test(set_finds_what_was_put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
