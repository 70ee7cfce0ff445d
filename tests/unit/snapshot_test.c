// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The picture against a segment laid out by the dataplane's own code, its counters moved by hand.

#include "control/stats.h"
#include "ctl/daemon/snapshot.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STREAMS 8u
#define WORKERS 2u

struct rig {
	struct dp_stats_header *h; // as sluice-dp sees it
	int fd;
	struct snapshot s;
};

static struct dp_stats_stream *stream_at(struct rig *g, unsigned slot)
{
	return (struct dp_stats_stream *)((char *)g->h + g->h->off_streams) + slot;
}

static struct dp_stats_worker *worker_at(struct rig *g, unsigned w)
{
	return (struct dp_stats_worker *)((char *)g->h + g->h->off_workers) + w;
}

static struct dp_stats_stream_tx *tx_at(struct rig *g, unsigned w, unsigned slot)
{
	return (struct dp_stats_stream_tx *)((char *)g->h + g->h->off_stream_tx) + w * STREAMS +
	       slot;
}

static void use_slot(struct rig *g, unsigned slot, const char *name)
{
	struct dp_stats_stream *t = stream_at(g, slot);

	t->generation += t->generation & 1 ? 2 : 1;
	strcpy(t->name, name);
}

static int open_rig(void **state)
{
	const struct stats_port port = {"sock", "sock", "epoll"};
	struct rig *g = calloc(1, sizeof(*g));

	g->h = stats_new(WORKERS, STREAMS, 5, &port, 1, &g->fd);
	*state = g;
	return g->h && !snapshot_map(&g->s, dup(g->fd)) ? 0 : -1;
}

static int close_rig(void **state)
{
	struct rig *g = *state;

	snapshot_unmap(&g->s);
	munmap(g->h, g->h->size);
	close(g->fd);
	free(g);
	return 0;
}

static void slots_in_use_are_shown_in_name_order(void **state)
{
	struct rig *g = *state;
	const struct live_stream *s;

	use_slot(g, 0, "live/b");
	use_slot(g, 5, "live/a");
	use_slot(g, 6, "gone");
	stream_at(g, 6)->generation++;
	stream_at(g, 5)->declared = 1;
	stream_at(g, 5)->state = DP_STREAM_LIVE;
	stream_at(g, 5)->publisher = 77;
	snapshot_read(&g->s, 1000, 0);
	assert_int_equal(g->s.n_streams, 2);
	s = snapshot_next(&g->s, NULL);
	assert_string_equal(s->name, "live/a");
	assert_true(s->declared);
	assert_int_equal(s->state, DP_STREAM_LIVE);
	assert_int_equal(s->publisher, 77);
	s = snapshot_next(&g->s, "live/a");
	assert_string_equal(s->name, "live/b");
	assert_null(snapshot_next(&g->s, "live/b"));
	assert_string_equal(snapshot_next(&g->s, "live/aa")->name, "live/b");
	assert_null(snapshot_stream(&g->s, "gone"));
	assert_non_null(snapshot_stream(&g->s, "live/b"));
}

static void deliveries_of_all_workers_are_summed(void **state)
{
	struct rig *g = *state;
	const struct live_stream *s;

	use_slot(g, 3, "a");
	*tx_at(g, 0, 3) = (struct dp_stats_stream_tx){2, 100, 131600, 5, 1};
	*tx_at(g, 1, 3) = (struct dp_stats_stream_tx){1, 50, 65800, 0, 2};
	*tx_at(g, 1, 4) = (struct dp_stats_stream_tx){9, 9, 9, 9, 9}; // of nobody
	snapshot_read(&g->s, 1000, 0);
	s = snapshot_stream(&g->s, "a");
	assert_int_equal(s->subscribers, 3);
	assert_int_equal(s->tx_packets, 150);
	assert_int_equal(s->tx_bytes, 197400);
	assert_int_equal(s->retransmitted_packets, 5);
	assert_int_equal(s->dropped_packets, 3);
	assert_int_equal(g->s.subscribers, 3);
}

static void bitrate_is_of_the_last_second(void **state)
{
	struct rig *g = *state;

	use_slot(g, 0, "a");
	stream_at(g, 0)->rx_bytes = 1000000;
	snapshot_tick(&g->s, TS_S);
	assert_int_equal(snapshot_stream(&g->s, "a")->rx_bitrate, 0);
	stream_at(g, 0)->rx_bytes += 500000;
	snapshot_tick(&g->s, 3 * TS_S);
	assert_int_equal(snapshot_stream(&g->s, "a")->rx_bitrate, 2000000);
	snapshot_tick(&g->s, 4 * TS_S);
	assert_int_equal(snapshot_stream(&g->s, "a")->rx_bitrate, 0);
}

static void a_slot_given_to_another_stream_has_no_rate_yet(void **state)
{
	struct rig *g = *state;

	use_slot(g, 0, "a");
	snapshot_tick(&g->s, TS_S);
	use_slot(g, 0, "b");
	stream_at(g, 0)->rx_bytes = 123456789;
	snapshot_tick(&g->s, 2 * TS_S);
	assert_null(snapshot_stream(&g->s, "a"));
	assert_int_equal(snapshot_stream(&g->s, "b")->rx_bitrate, 0);
}

static void load_of_workers_is_a_quotient(void **state)
{
	struct rig *g = *state;

	snapshot_tick(&g->s, TS_S);
	worker_at(g, 0)->busy_ns = 250000000;
	worker_at(g, 0)->wall_ns = 1000000000;
	worker_at(g, 0)->rx_packets = 300;
	snapshot_tick(&g->s, 2 * TS_S);
	assert_true(g->s.workers[0].busy_ratio > 0.249 && g->s.workers[0].busy_ratio < 0.251);
	assert_int_equal(g->s.workers[0].rx_pps, 300);
	assert_true(g->s.workers[1].busy_ratio == 0);
	snapshot_tick(&g->s, 3 * TS_S);
	assert_true(g->s.workers[0].busy_ratio == 0);
}

static void drops_have_names_and_sums(void **state)
{
	struct rig *g = *state;

	worker_at(g, 0)->drops[DP_DROP_LATE] = 3;
	worker_at(g, 1)->drops[DP_DROP_LATE] = 4;
	snapshot_read(&g->s, 1000, 0);
	assert_int_equal(snapshot_n_drops(&g->s), DP_DROP_COUNT);
	assert_string_equal(snapshot_drop_name(&g->s, DP_DROP_LATE), "late");
	assert_int_equal(snapshot_drops(&g->s, DP_DROP_LATE), 7);
	assert_int_equal(snapshot_drops(&g->s, DP_DROP_AHEAD), 0);
}

static void a_young_picture_is_not_taken_again(void **state)
{
	struct rig *g = *state;

	snapshot_read(&g->s, TS_S, 0);
	use_slot(g, 0, "a");
	snapshot_read(&g->s, TS_S + 50 * TS_MS, 100 * TS_MS);
	assert_null(snapshot_stream(&g->s, "a"));
	snapshot_read(&g->s, TS_S + 100 * TS_MS, 100 * TS_MS);
	assert_non_null(snapshot_stream(&g->s, "a"));
	use_slot(g, 1, "b");
	snapshot_expire(&g->s);
	snapshot_read(&g->s, TS_S + 101 * TS_MS, 100 * TS_MS);
	assert_non_null(snapshot_stream(&g->s, "b"));
}

static void without_a_dataplane_nothing_is_known(void **state)
{
	struct rig *g = *state;

	use_slot(g, 0, "a");
	snapshot_tick(&g->s, TS_S);
	snapshot_unmap(&g->s);
	snapshot_tick(&g->s, 2 * TS_S);
	assert_null(snapshot_stream(&g->s, "a"));
	assert_null(snapshot_next(&g->s, NULL));
	assert_int_equal(snapshot_n_drops(&g->s), 0);
}

// What may come in place of the segment; it must be refused, not read beyond its end.
static void other_segments_are_refused(void **state)
{
	struct rig *g = *state;
	struct dp_stats_header h = *g->h;
	struct snapshot s = {0};
	int fd;

	for (unsigned spoilt = 0; spoilt < 6; spoilt++) {
		struct dp_stats_header bad = h;

		bad.magic += spoilt == 1;
		bad.abi += spoilt == 2;
		bad.n_streams += spoilt == 3 ? 1000000 : 0;
		bad.off_workers = spoilt == 4 ? UINT64_MAX - 8 : bad.off_workers;
		bad.n_workers = spoilt == 5 ? UINT32_MAX : bad.n_workers;
		fd = memfd_create("spoilt", MFD_CLOEXEC);
		assert_int_equal(ftruncate(fd, spoilt ? (off_t)h.size : 16), 0);
		if (spoilt)
			assert_int_equal(pwrite(fd, &bad, sizeof(bad), 0), sizeof(bad));
		assert_int_equal(snapshot_map(&s, fd), -EBADMSG);
		assert_null(s.map);
		assert_int_equal(fcntl(fd, F_GETFD), -1); // closed all the same
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

static void a_duration_falls_into_the_bucket_of_its_bound(void **state)
{
	(void)state;
	assert_int_equal(dp_hist_bucket(0), 0);
	for (unsigned i = 0; i < DP_HIST_BUCKETS - 1; i++) {
		assert_int_equal(dp_hist_bucket(dp_hist_bound_us(i)), i);
		assert_int_equal(dp_hist_bucket(dp_hist_bound_us(i) + 1), i + 1);
		assert_true(dp_hist_bound_us(i) < dp_hist_bound_us(i + 1));
	}
	assert_int_equal(dp_hist_bound_us(30), 8192000);
	assert_int_equal(dp_hist_bucket(UINT64_MAX), DP_HIST_BUCKETS - 1);
}

static void histograms_are_summed_over_workers(void **state)
{
	struct rig *g = *state;
	struct dp_stats_hists *all = (void *)((char *)g->h + g->h->off_hists);
	struct dp_hist h;

	use_slot(g, 3, "b");
	use_slot(g, 1, "a");
	all[3].of[DP_HIST_RECOVERY] = (struct dp_hist){.sum_us = 700, .buckets = {[2] = 1}};
	all[STREAMS + 3].of[DP_HIST_RECOVERY] =
		(struct dp_hist){.sum_us = 900, .buckets = {[2] = 1, [3] = 4}};
	all[STREAMS + 1].of[DP_HIST_RECOVERY].buckets[5] = 9;
	snapshot_read(&g->s, TS_S, 0);
	assert_true(snapshot_hist(&g->s, snapshot_stream(&g->s, "b"), DP_HIST_RECOVERY, &h));
	assert_true(h.sum_us == 1600 && h.buckets[2] == 2 && h.buckets[3] == 4 && !h.buckets[5]);
	assert_true(snapshot_hist(&g->s, snapshot_stream(&g->s, "b"), DP_HIST_PUBLISHER_RTT, &h));
	assert_int_equal(h.sum_us, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(slots_in_use_are_shown_in_name_order),
		TEST(deliveries_of_all_workers_are_summed),
		TEST(bitrate_is_of_the_last_second),
		TEST(a_slot_given_to_another_stream_has_no_rate_yet),
		TEST(load_of_workers_is_a_quotient),
		TEST(drops_have_names_and_sums),
		TEST(a_young_picture_is_not_taken_again),
		TEST(without_a_dataplane_nothing_is_known),
		TEST(other_segments_are_refused),
		TEST(a_duration_falls_into_the_bucket_of_its_bound),
		TEST(histograms_are_summed_over_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
