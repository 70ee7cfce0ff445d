// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/http/auth.h"

#include "base/endpoint.h"

#include <grp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define NO_GROUP ((gid_t)-1)

static gid_t group_id(const char *name)
{
	struct group *g = getgrnam(name);

	return g ? g->gr_gid : NO_GROUP;
}

void auth_policy_init(struct auth_policy *a, const struct http_config *c)
{
	a->own_uid = geteuid();
	a->admin_gid = group_id(c->admin_group);
	a->read_gid = group_id(c->read_group);
	a->anonymous_read = c->anonymous_read;
}

static bool holds(const gid_t *groups, size_t n, gid_t wanted)
{
	for (size_t i = 0; i < n && wanted != NO_GROUP; i++)
		if (groups[i] == wanted)
			return true;
	return false;
}

enum http_role auth_unix_role(const struct auth_policy *a, uid_t uid, const gid_t *groups, size_t n)
{
	if (uid == 0 || uid == a->own_uid || holds(groups, n, a->admin_gid))
		return HTTP_ROLE_ADMIN;
	return holds(groups, n, a->read_gid) ? HTTP_ROLE_READ : HTTP_ROLE_NONE;
}

static void unix_caller(const struct auth_policy *a, int fd, struct http_caller *out)
{
	struct ucred cred;
	gid_t groups[AUTH_GROUPS_MAX + 1];
	socklen_t len = sizeof(cred), groups_len = AUTH_GROUPS_MAX * sizeof(gid_t);
	size_t n = 0;

	out->is_unix = true;
	snprintf(out->name, sizeof(out->name), "unknown unix peer");
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return;
	if (!getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &groups_len))
		n = groups_len / sizeof(gid_t);
	groups[n++] = cred.gid;
	out->uid = cred.uid;
	out->pid = cred.pid;
	out->role = auth_unix_role(a, cred.uid, groups, n);
	snprintf(out->name, sizeof(out->name), "uid %u", (unsigned)cred.uid);
}

bool auth_is_loopback(const struct endpoint *e)
{
	static const uint8_t v6[16] = {[15] = 1};

	return endpoint_is_v4(e) ? endpoint_v4(e) >> 24 == 127 : !memcmp(e->ip, v6, sizeof(v6));
}

void auth_caller(const struct auth_policy *a, int fd, struct http_caller *out)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct endpoint e;

	*out = (struct http_caller){.role = HTTP_ROLE_NONE, .name = "unknown peer"};
	if (getpeername(fd, (struct sockaddr *)&sa, &len))
		return;
	if (sa.ss_family == AF_UNIX) {
		unix_caller(a, fd, out);
		return;
	}
	if (endpoint_from_sockaddr(&sa, &e))
		return;
	endpoint_ip_str(&e, out->name, sizeof(out->name));
	if (a->anonymous_read && auth_is_loopback(&e))
		out->role = HTTP_ROLE_READ;
}

static int refuse(int status, const char *sentence, char *why, size_t cap)
{
	snprintf(why, cap, "%s", sentence);
	return status;
}

int auth_check(const struct http_caller *c, const char *authorization, enum http_role needed,
	char *why, size_t cap)
{
	if (needed == HTTP_ROLE_NONE)
		return 0;
	if (authorization && !c->is_unix)
		return refuse(401, "this node issues no access tokens, so it takes none", why, cap);
	if (c->role >= needed)
		return 0;
	if (!c->is_unix && c->role == HTTP_ROLE_NONE)
		return refuse(
			401, "callers over TCP are not known here; use the unix socket", why, cap);
	if (!c->is_unix)
		return refuse(403, "callers over TCP may only read; use the unix socket", why, cap);
	snprintf(why, cap, "%s may not %s; only root, sluiced's own user and the group %s may",
		c->name, needed == HTTP_ROLE_READ ? "read" : "change anything",
		needed == HTTP_ROLE_READ ? "sluice or sluice-ro" : "sluice");
	return 403;
}
