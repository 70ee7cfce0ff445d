// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Vectors: tests/data/ffmpeg_*.ts, written by ffmpeg 5.1's multiplexer. Where its key pictures
// start is what ffprobe says: packets at byte 564, 7896 and 15416.

#include "proto/mpegts.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAYLOAD = 7 * MPEGTS_PACKET };

static uint8_t file[32768];
static size_t len;

static void load(const char *name)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", getenv("SLUICE_TEST_DATA"), name);
	f = fopen(path, "rb");
	assert_non_null(f);
	len = fread(file, 1, sizeof(file), f);
	fclose(f);
	assert_true(mpegts_looks_like(file, len));
}

static void check_key_pictures(void)
{
	static const size_t key[] = {564, 7896, 15416};
	struct mpegts_scan s = {0};
	unsigned next = 0;

	for (size_t at = 0; at < len; at += PAYLOAD) {
		size_t n = len - at < PAYLOAD ? len - at : PAYLOAD;
		bool is_key = next < 3 && key[next] >= at && key[next] < at + n;

		assert_int_equal(!!(mpegts_scan(&s, file + at, n) & MPEGTS_HAS_RANDOM), is_key);
		next += is_key;
	}
	assert_int_equal(next, 3);
	assert_int_equal(s.video.stream_type, 0x1b);
	assert_int_equal(s.video.pid, 0x100);
}

static void key_pictures_are_found_by_their_flag(void **state)
{
	load("ffmpeg_h264.ts");
	check_key_pictures();
}

static void key_pictures_are_found_without_the_flag(void **state)
{
	load("ffmpeg_h264.ts");
	for (size_t at = 0; at < len; at += MPEGTS_PACKET)
		if (file[at + 3] & 0x20 && file[at + 4])
			file[at + 5] &= (uint8_t)~0x40;
	check_key_pictures();
}

static void audio_alone_may_begin_anywhere(void **state)
{
	struct mpegts_scan s = {0};

	load("ffmpeg_aac.ts");
	assert_int_equal(mpegts_scan(&s, file, len), MPEGTS_HAS_PAT | MPEGTS_HAS_RANDOM);
	assert_int_equal(s.video.pid, MPEGTS_PID_NONE);
}

// A program map that names the video's coding as one whose units we do not read (VVC, 0x33).
static void any_picture_will_do_of_unknown_coding(void **state)
{
	struct mpegts_scan s = {
		.pmt_pid = 0x1000, .known = true, .video = {.pid = 0x100, .stream_type = 0x33}};
	uint8_t p[MPEGTS_PACKET] = {0x47, 0x41, 0x00, 0x10, 0, 0, 1, 0xe0};

	assert_int_equal(mpegts_scan(&s, p, sizeof(p)), MPEGTS_HAS_RANDOM);
	p[1] = 0x01; // goes on
	assert_int_equal(mpegts_scan(&s, p, sizeof(p)), 0);
}

static void nothing_is_random_before_the_tables(void **state)
{
	struct mpegts_scan s = {0};

	load("ffmpeg_h264.ts");
	assert_int_equal(mpegts_scan(&s, file + 3 * MPEGTS_PACKET, MPEGTS_PACKET), 0);
}

static void what_is_not_ts_does_not_look_like_it(void **state)
{
	load("ffmpeg_h264.ts");
	assert_false(mpegts_looks_like(file, 0));
	assert_false(mpegts_looks_like(file, MPEGTS_PACKET - 1));
	assert_false(mpegts_looks_like(file, MPEGTS_PACKET + 1));
	file[MPEGTS_PACKET] = 0x46;
	assert_true(mpegts_looks_like(file, MPEGTS_PACKET));
	assert_false(mpegts_looks_like(file, 2 * MPEGTS_PACKET));
}

static void lengths_that_lie_are_refused(void **state)
{
	uint8_t p[MPEGTS_PACKET] = {0x47, 0x40, 0x00, 0x30, 184};
	struct mpegts_pkt out;
	uint16_t pid;

	assert_false(mpegts_parse(p, &out));
	p[4] = 183;
	assert_true(mpegts_parse(p, &out));
	assert_null(out.payload);
	assert_false(mpegts_pat(&out, &pid));
	p[4] = 182; // one byte of payload: a pointer field and nothing behind it
	p[187] = 200;
	assert_true(mpegts_parse(p, &out));
	assert_false(mpegts_pat(&out, &pid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_pictures_are_found_by_their_flag),
		cmocka_unit_test(key_pictures_are_found_without_the_flag),
		cmocka_unit_test(audio_alone_may_begin_anywhere),
		cmocka_unit_test(any_picture_will_do_of_unknown_coding),
		cmocka_unit_test(nothing_is_random_before_the_tables),
		cmocka_unit_test(what_is_not_ts_does_not_look_like_it),
		cmocka_unit_test(lengths_that_lie_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
