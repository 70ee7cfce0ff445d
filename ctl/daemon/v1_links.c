// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Links of bonded publishers: each is a session, and says what it is in its group.

#include "ctl/daemon/daemon_priv.h"

#include <string.h>

// A peer says at least a keepalive a second by each of its links.
#define LINK_SILENT_US (2 * TS_S)

enum { GROUP_BACKUP = 2 };

static const char *type_of(const struct dp_session *s)
{
	return s->group_type == GROUP_BACKUP ? "backup" : "broadcast";
}

static const char *state_of(const struct dp_session *s)
{
	ts_us now = ts_now();

	if (now > s->heard_us + LINK_SILENT_US)
		return "silent";
	return s->group_resting ? "standby" : "active";
}

static json_t *link_json(struct daemon *d, const struct dp_session *s)
{
	char id[SESSION_ID_MAX];

	return json_pack("{s:s, s:o, s:s, s:i, s:f, s:I, s:I, s:I, s:I}", "id",
		session_id(d, s->key, id, sizeof(id)), "peer", session_peer_json(s), "state",
		state_of(s), "weight", (int)s->group_weight, "rtt_ms", (double)s->rtt_us / 1000,
		"rx_packets", (json_int_t)s->all_packets, "unique_packets", (json_int_t)s->unique,
		"redundant_packets", (json_int_t)s->redundant, "missed_packets",
		(json_int_t)s->missed);
}

static bool is_of(const struct dp_session *a, const struct dp_session *b)
{
	return a->group == b->group && !strcmp(a->stream, b->stream);
}

static json_t *links_json(
	struct daemon *d, const struct dp_session *s, const struct dp_session *all, size_t n)
{
	json_t *out = json_array();

	for (size_t i = 0; i < n; i++)
		if (is_of(&all[i], s))
			json_array_append_new(out, link_json(d, &all[i]));
	return out;
}

void session_add_links(struct daemon *d, json_t *out, const struct dp_session *s,
	const struct dp_session *all, size_t n)
{
	bool link = s->group;

	json_object_set_new(out, "group", link ? json_string(type_of(s)) : json_null());
	json_object_set_new(out, "link_state", link ? json_string(state_of(s)) : json_null());
	json_object_set_new(out, "link_weight", link ? json_integer(s->group_weight) : json_null());
	json_object_set_new(out, "redundant_packets", json_integer((json_int_t)s->redundant));
	json_object_set_new(out, "links", link ? links_json(d, s, all, n) : json_null());
}
