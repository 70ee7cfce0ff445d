// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/dp/dp_client.h"

#include "ctl/dp/dp_wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static long sock_send(void *ctx, const void *msg, size_t len)
{
	struct dp_client *c = ctx;

	return send(c->fd, msg, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int fd_of(struct msghdr *m)
{
	int fd = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static long sock_recv(void *ctx, void *msg, size_t cap, int *fd)
{
	struct dp_client *c = ctx;
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec v = {msg, cap};
	struct msghdr m = {.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	long n = recvmsg(c->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n >= 0)
		*fd = fd_of(&m);
	return n;
}

int dp_client_open(struct dp_client *c, const char *path, char *err, size_t err_cap)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd, rc, size = 4 << 20;

	c->fd = -1;
	if (strlen(path) >= sizeof(a.sun_path)) {
		snprintf(err, err_cap, "%s: path too long for a socket", path);
		return -ENAMETOOLONG;
	}
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		rc = -errno;
		snprintf(err, err_cap, "%s: %s", path, strerror(-rc));
		if (fd >= 0)
			close(fd);
		return rc;
	}
	// Room for a whole sync; the kernel gives less to others than root, and EAGAIN tells.
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	dp_client_open_transport(
		c, &(struct dp_transport){.send = sock_send, .recv = sock_recv, .ctx = c});
	c->fd = fd;
	return 0;
}

void dp_client_open_transport(struct dp_client *c, const struct dp_transport *t)
{
	c->fd = -1;
	c->seq = 0;
	c->t = *t;
}

void dp_client_close(struct dp_client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static int64_t finish(struct dp_client *c, struct dp_writer *w)
{
	size_t len = dp_wire_end(w);

	if (c->t.send(c->t.ctx, w->buf, len) < 0)
		return errno == EWOULDBLOCK || errno == ENOBUFS ? -EAGAIN : -errno;
	return c->seq;
}

static void begin(struct dp_client *c, struct dp_writer *w, enum dp_type type)
{
	c->seq = c->seq % INT32_MAX + 1;
	dp_wire_begin(w, c->buf, type, c->seq);
}

static int64_t request(struct dp_client *c, enum dp_type type, const void *body, size_t size)
{
	struct dp_writer w;

	begin(c, &w, type);
	if (size)
		dp_wire_put(&w, body, size);
	return finish(c, &w);
}

int64_t dp_client_hello(struct dp_client *c, uint32_t role, uint64_t owner_epoch)
{
	struct dp_hello h = {
		.abi_min = DP_ABI, .abi_max = DP_ABI, .role = role, .owner_epoch = owner_epoch};

	return request(c, DP_HELLO, &h, sizeof(h));
}

int64_t dp_client_sync_begin(struct dp_client *c)
{
	return request(c, DP_SYNC_BEGIN, NULL, 0);
}

int64_t dp_client_obj_set(struct dp_client *c, uint32_t kind, uint64_t id, uint64_t version,
	const void *body, size_t size)
{
	struct dp_obj o = {.kind = kind, .id = id, .version = version};
	struct dp_writer w;

	begin(c, &w, DP_OBJ_SET);
	dp_wire_put(&w, &o, sizeof(o));
	dp_wire_put(&w, body, size);
	return finish(c, &w);
}

int64_t dp_client_obj_del(struct dp_client *c, uint32_t kind, uint64_t id)
{
	struct dp_obj o = {.kind = kind, .id = id};

	return request(c, DP_OBJ_DEL, &o, sizeof(o));
}

int64_t dp_client_sync_commit(struct dp_client *c, const struct dp_sync_commit *commit)
{
	return request(c, DP_SYNC_COMMIT, commit, sizeof(*commit));
}

int64_t dp_client_kick(struct dp_client *c, uint64_t session, uint32_t ban_s)
{
	struct dp_kick k = {.ban_s = ban_s, .session = session};

	return request(c, DP_KICK, &k, sizeof(k));
}

int64_t dp_client_drain(struct dp_client *c, bool on)
{
	struct dp_drain d = {.on = on};

	return request(c, DP_DRAIN, &d, sizeof(d));
}

int64_t dp_client_log(struct dp_client *c, const char *subsystem, uint32_t level)
{
	struct dp_log l = {.level = level};

	snprintf(l.subsystem, sizeof(l.subsystem), "%s", subsystem ? subsystem : "");
	return request(c, DP_LOG, &l, sizeof(l));
}

int64_t dp_client_dump(struct dp_client *c, const struct dp_dump *dump)
{
	return request(c, DP_DUMP, dump, sizeof(*dump));
}

int64_t dp_client_admit(struct dp_client *c, const struct dp_admit_r *r)
{
	return request(c, DP_ADMIT_R, r, sizeof(*r));
}

// Text that came over the wire ends within its field.
#define TERMINATE(text) ((text)[sizeof(text) - 1] = '\0')

static int read_dump(struct dp_reader *r, enum dp_dump_what what, struct dp_msg *out)
{
	static union {
		struct dp_session sessions[DP_DUMP_MAX];
		struct dp_object_state objects[DP_DUMP_MAX];
	} records;
	size_t size =
		what == DP_DUMP_OBJECTS ? sizeof(records.objects[0]) : sizeof(records.sessions[0]);

	if (dp_wire_body(r, &out->dump, sizeof(out->dump)) || out->dump.n > DP_DUMP_MAX)
		return -EBADMSG;
	out->sessions = records.sessions;
	if (dp_wire_records(r, out->dump.n, out->dump.record_size, &records, size))
		return -EBADMSG;
	for (uint32_t i = 0; i < out->dump.n; i++)
		if (what == DP_DUMP_OBJECTS)
			TERMINATE(records.objects[i].error);
		else
			TERMINATE(records.sessions[i].stream);
	return 0;
}

static int read_admit(struct dp_reader *r, struct dp_admit *a)
{
	int rc = dp_wire_body(r, a, sizeof(*a));

	TERMINATE(a->stream);
	TERMINATE(a->user);
	TERMINATE(a->session);
	TERMINATE(a->token);
	TERMINATE(a->query);
	return rc;
}

static int read_body(struct dp_reader *r, enum dp_dump_what what, struct dp_msg *out)
{
	int rc = -EBADMSG;

	switch (out->type) {
	case DP_HELLO_R:
		rc = dp_wire_body(r, &out->hello, sizeof(out->hello));
		TERMINATE(out->hello.version);
		break;
	case DP_ACK:
		rc = dp_wire_body(r, &out->ack, sizeof(out->ack));
		TERMINATE(out->ack.error);
		break;
	case DP_NOTICE:
		rc = dp_wire_body(r, &out->notice, sizeof(out->notice));
		TERMINATE(out->notice.stream);
		TERMINATE(out->notice.text);
		break;
	case DP_ADMIT:
		rc = read_admit(r, &out->admit);
		break;
	case DP_DUMP_R:
		rc = read_dump(r, what, out);
		break;
	default:
		break;
	}
	return rc;
}

int dp_client_read(struct dp_client *c, enum dp_dump_what what, struct dp_msg *out)
{
	struct dp_reader r;
	int fd = -1, rc;
	long n = c->t.recv(c->t.ctx, c->buf, sizeof(c->buf), &fd);

	if (n < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : errno == EINTR ? -EAGAIN : -EPIPE;
	if (!n)
		return -EPIPE;
	memset(out, 0, sizeof(*out));
	rc = dp_wire_read(&r, c->buf, (size_t)n);
	if (!rc) {
		out->type = r.hdr.type;
		out->seq = r.hdr.seq;
		out->status = r.hdr.status;
		rc = read_body(&r, what, out);
	}
	if (rc && fd >= 0)
		close(fd);
	out->fd = rc ? -1 : fd;
	return rc;
}
