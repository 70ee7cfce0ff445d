// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/dp/dp_wire.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

int dp_wire_read(struct dp_reader *r, const uint8_t *msg, size_t len)
{
	if (len < sizeof(r->hdr))
		return -EBADMSG;
	memcpy(&r->hdr, msg, sizeof(r->hdr));
	if (r->hdr.magic != DP_MAGIC || r->hdr.len != len)
		return -EBADMSG;
	r->at = msg + sizeof(r->hdr);
	r->left = len - sizeof(r->hdr);
	return r->hdr.abi == DP_ABI ? 0 : -EPROTO;
}

static int take(struct dp_reader *r, size_t theirs, void *out, size_t ours)
{
	if (theirs > r->left)
		return -EBADMSG;
	memset(out, 0, ours);
	memcpy(out, r->at, theirs < ours ? theirs : ours);
	r->at += theirs;
	r->left -= theirs;
	return 0;
}

int dp_wire_body(struct dp_reader *r, void *out, size_t size)
{
	uint32_t theirs;

	if (r->left < sizeof(theirs))
		return -EBADMSG;
	memcpy(&theirs, r->at, sizeof(theirs));
	return theirs < sizeof(theirs) ? -EBADMSG : take(r, theirs, out, size);
}

int dp_wire_records(struct dp_reader *r, uint32_t n, uint32_t record_size, void *out, size_t size)
{
	if (!record_size || n > r->left / record_size)
		return -EBADMSG;
	for (uint32_t i = 0; i < n; i++)
		take(r, record_size, (uint8_t *)out + i * size, size);
	return 0;
}

void dp_wire_begin(struct dp_writer *w, uint8_t *buf, enum dp_type type, uint32_t seq)
{
	struct dp_hdr h = {.magic = DP_MAGIC, .abi = DP_ABI, .type = (uint16_t)type, .seq = seq};

	w->buf = buf;
	w->len = sizeof(h);
	memcpy(buf, &h, sizeof(h));
}

void dp_wire_put_raw(struct dp_writer *w, const void *data, size_t len)
{
	assert(w->len + len <= DP_MSG_MAX);
	memcpy(w->buf + w->len, data, len);
	w->len += len;
}

void dp_wire_put(struct dp_writer *w, const void *body, size_t size)
{
	uint32_t own = (uint32_t)size;
	uint8_t *at = w->buf + w->len;

	dp_wire_put_raw(w, body, size);
	memcpy(at, &own, sizeof(own));
}

size_t dp_wire_end(struct dp_writer *w)
{
	uint32_t len = (uint32_t)w->len;

	memcpy(w->buf + offsetof(struct dp_hdr, len), &len, sizeof(len));
	return w->len;
}
