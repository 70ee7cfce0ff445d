// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/url.h"
#include "test.h"

#include <string.h>

static void equal_urls_have_one_spelling(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"udp://:5000", "udp://:5000"},
		{"UDP://@239.1.1.1:5000/", "udp://239.1.1.1:5000"},
		{"udp://10.0.0.2:5000?ttl=4&dscp=046&iface=eth0",
			"udp://10.0.0.2:5000?dscp=46&iface=eth0&ttl=4"},
		{"rtp://@[FF3E:0:0::1]:5004?reorder=20&source=2001:DB8:0::9",
			"rtp://[ff3e::1]:5004?reorder=20&source=2001:db8::9"},
		{"rtp://Media.Example.com:5004", "rtp://media.example.com:5004"},
		{"srt://[::ffff:10.0.0.1]:9000", "srt://10.0.0.1:9000"},
		// As libsrt's tools take it, and as FFmpeg wants it.
		{"srt://h:9000?streamid=#!::r=live/cam1,m=publish&latency=200",
			"srt://h:9000?latency=200&streamid=#!::r=live/cam1,m=publish"},
		{"srt://h:9000?streamid=%23!%3A%3Ar%3Dlive%2Fcam1&&tlpktdrop=Yes",
			"srt://h:9000?streamid=#!::r=live/cam1&tlpktdrop=1"},
		{"srt://h:9000?passphrase=0123456789&pkt_size=1316",
			"srt://h:9000?payloadsize=1316"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char err[128] = "", buf[600];
		struct url u;

		assert_int_equal(url_parse(rows[i].in, &u, err, sizeof(err)), 0);
		assert_int_equal(url_canonical(&u, buf, sizeof(buf)), 0);
		assert_string_equal(buf, rows[i].out);
		assert_int_equal(url_parse(buf, &u, err, sizeof(err)), 0); // a fixed point
		assert_int_equal(url_canonical(&u, buf, sizeof(buf)), 0);
		assert_string_equal(buf, rows[i].out);
	}
}

static void parts_are_found(void **state)
{
	char err[128], buf[ENDPOINT_STRLEN];
	struct url u;

	(void)state;
	assert_int_equal(
		url_parse("rtp://@239.1.1.1:5004?source=10.0.0.9&reorder=70", &u, err, sizeof(err)),
		0);
	assert_int_equal(u.scheme, URL_RTP);
	assert_true(u.literal);
	assert_string_equal(endpoint_str(&u.at, buf, sizeof(buf)), "239.1.1.1:5004");
	assert_string_equal(url_param(&u, URL_SOURCE), "10.0.0.9");
	assert_int_equal(url_number(&u, URL_REORDER, 50), 70);
	assert_int_equal(url_number(&u, URL_TTL, 64), 64);
	assert_null(url_param(&u, URL_TTL));
	assert_int_equal(url_parse("udp://cam.lan:1", &u, err, sizeof(err)), 0);
	assert_false(u.literal);
	assert_string_equal(u.host, "cam.lan");
	assert_int_equal(u.at.port, 1);
}

static void each_fault_is_one_sentence(void **state)
{
	static const struct {
		const char *in, *says;
	} rows[] = {
		{"http://h:1", "a URL starts with srt://, rtp:// or udp://"},
		{"", "a URL starts with srt://, rtp:// or udp://"},
		{"udp://h", "the URL has no port"},
		{"udp://", "the URL has no port"},
		{"udp://[::1]", "the URL has no port"},
		{"udp://h:0", "the URL's port is a number from 1 to 65535"},
		{"udp://h:65536", "the URL's port is a number from 1 to 65535"},
		{"udp://h:50x", "the URL's port is a number from 1 to 65535"},
		{"udp://h:", "the URL's port is a number from 1 to 65535"},
		{"udp://300.1.1.1:5",
			"the URL's host is neither an address nor a name (IPv6 goes in brackets)"},
		{"udp://::1:5",
			"the URL's host is neither an address nor a name (IPv6 goes in brackets)"},
		{"udp://[h]:5",
			"the URL's host is neither an address nor a name (IPv6 goes in brackets)"},
		{"udp://-x:5",
			"the URL's host is neither an address nor a name (IPv6 goes in brackets)"},
		{"udp://[::1]x:5", "the URL has no valid host"},
		{"udp://joe@h:5", "the URL carries a user, which means nothing here"},
		{"udp://h:5/path", "the URL has a path, which means nothing here"},
		{"udp://h:5?ttl=0", "ttl is a number from 1 to 255"},
		{"udp://h:5?ttl=4&ttl=5", "ttl is given twice"},
		{"udp://h:5?ttl", "ttl has no value"},
		{"udp://h:5?dscp=64", "dscp is a number from 0 to 63"},
		{"udp://h:5?reorder=5", "reorder is no parameter of udp:// URLs"},
		{"udp://h:5?latency=5", "latency is no parameter of udp:// URLs"},
		{"udp://h:5?a\x01=5", "the URL has a parameter that udp:// URLs do not know"},
		{"udp://h:5?iface=01234567890123456", "iface has 1 to 15 bytes"},
		{"udp://h:5?source=x", "source is an IP address"},
		{"srt://h:5?latency=120000", "latency is a number from 0 to 65535"},
		{"srt://h:5?passphrase=short", "passphrase has 10 to 80 bytes"},
		{"srt://h:5?mode=call", "mode is caller|listener|rendezvous"},
		{"srt://h:5?tlpktdrop=maybe", "tlpktdrop is yes or no"},
		{"srt://h:5?minversion=1.3", "minversion is a version such as 1.3.0"},
		{"srt://h:5?streamid=%00", "streamid holds a control character"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char err[128] = "";
		struct url u = {.used = 77};

		assert_int_not_equal(url_parse(rows[i].in, &u, err, sizeof(err)), 0);
		assert_string_equal(err, rows[i].says);
		assert_int_equal(u.used, 77);
	}
}

static int fits(const char *text, int (*check)(const struct url *, char *, size_t))
{
	char err[128] = "";
	struct url u;
	int rc;

	assert_int_equal(url_parse(text, &u, err, sizeof(err)), 0);
	rc = check(&u, err, sizeof(err));
	assert_true(!rc == !*err);
	return !rc;
}

static void a_url_fits_its_use(void **state)
{
	(void)state;
	assert_true(fits("srt://:9000", url_check_listener));
	assert_true(fits("srt://[::]:9000?mode=listener", url_check_listener));
	assert_false(fits("srt://name:9000", url_check_listener));
	assert_false(fits("srt://239.1.1.1:9000", url_check_listener));
	assert_false(fits("srt://:9000?mode=caller", url_check_listener));
	assert_false(fits("srt://:9000?passphrase=0123456789", url_check_listener));
	assert_false(fits("udp://:9000", url_check_listener));

	assert_true(fits("udp://:5000", url_check_source));
	assert_true(fits("rtp://@239.1.1.1:5004?source=10.0.0.9&reorder=0", url_check_source));
	assert_false(fits("rtp://@239.1.1.1:5004?source=::1", url_check_source));
	assert_false(fits("udp://:5000?ttl=3", url_check_source));
	assert_true(fits("srt://h:5000", url_check_source));
	assert_true(fits("srt://h:5000?mode=caller&streamid=live/a", url_check_source));
	assert_false(fits("srt://:5000", url_check_source));
	assert_false(fits("srt://h:5000?mode=rendezvous", url_check_source));
	assert_false(fits("srt://h:5000?packetfilter=fec", url_check_source));

	assert_true(fits("udp://h:5000?ttl=3&dscp=46&iface=lo", url_check_route));
	assert_true(fits("rtp://239.1.1.1:5004", url_check_route));
	assert_false(fits("udp://:5000", url_check_route));
	assert_false(fits("udp://0.0.0.0:5000", url_check_route));
	assert_false(fits("rtp://h:5000?reorder=5", url_check_route));
	assert_true(fits("srt://h:5000?latency=200&pbkeylen=32", url_check_route));
	assert_false(fits("srt://h:5000?mode=listener", url_check_route));
	assert_false(fits("srt://h:5000?tlpktdrop=0", url_check_route));
}

static void a_passphrase_is_never_shown(void **state)
{
	char err[128], buf[128];
	struct url u;

	(void)state;
	assert_int_equal(
		url_parse("srt://h:1?pbkeylen=16&passphrase=correct horse", &u, err, sizeof(err)),
		0);
	assert_string_equal(url_param(&u, URL_PASSPHRASE), "correct horse");
	assert_int_equal(url_show(&u, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "srt://h:1?passphrase=***&pbkeylen=16");
	assert_int_equal(url_canonical(&u, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "srt://h:1?pbkeylen=16");
	assert_int_not_equal(url_canonical(&u, buf, 20), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_urls_have_one_spelling),
		cmocka_unit_test(parts_are_found),
		cmocka_unit_test(each_fault_is_one_sentence),
		cmocka_unit_test(a_url_fits_its_use),
		cmocka_unit_test(a_passphrase_is_never_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
