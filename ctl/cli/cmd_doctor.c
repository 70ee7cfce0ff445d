// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/rundir.h"
#include "ctl/cli/cli.h"
#include "ctl/cli/doctor.h"
#include "ctl/cli/nouns.h"
#include "version.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const struct out_col cols[] = {
	{"CHECK", "name"}, {"STATE", "state"}, {"FOUND", "detail", .give = 1}};

static const struct out_view view = {OUT_TABLE, "checks", NULL, cols, NOUN_COUNT(cols)};

static const char *text(const json_t *doc, const char *field)
{
	const char *s = json_string_value(json_object_get(doc, field));

	return s ? s : "";
}

// Does somebody answer on the dataplane's socket? Asked only when no daemon can say it.
static void find_dataplane(json_t *findings)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), rc = -1;

	if (!rundir_path("dp.sock", a.sun_path, sizeof(a.sun_path)))
		rc = connect(fd, (struct sockaddr *)&a, sizeof(a));
	if (rc)
		doctor_find(findings, "sluice-dp", DOCTOR_BAD, "start sluice-dp",
			"does not answer at %s: %s", a.sun_path, strerror(errno));
	else
		doctor_find(findings, "sluice-dp", DOCTOR_OK, NULL, "answers at %s", a.sun_path);
	if (fd >= 0)
		close(fd);
}

static void find_version(json_t *findings, const json_t *status)
{
	bool same = !strcmp(text(status, "version"), SLUICE_VERSION);

	doctor_find(findings, "sluiced", same ? DOCTOR_OK : DOCTOR_BAD,
		same ? NULL : "install one version of sluiced and sluicectl", "%s, sluicectl %s",
		text(status, "version"), SLUICE_VERSION);
}

// A package upgrade restarts sluiced, never sluice-dp: that is the operator's to choose.
static void find_connected(json_t *findings, const json_t *status)
{
	const char *version = text(status, "dataplane_version");

	if (strcmp(text(status, "dataplane"), "connected"))
		doctor_find(findings, "sluice-dp", DOCTOR_BAD, "start sluice-dp", "%s",
			text(status, "dataplane"));
	else if (*version && strcmp(version, text(status, "version")))
		doctor_find(findings, "sluice-dp", DOCTOR_NOTE,
			"restart sluice-dp when its streams allow it",
			"connected, restart pending: it is still %s", version);
	else
		doctor_find(findings, "sluice-dp", DOCTOR_OK, NULL, "connected");
}

static void find_drops(json_t *findings, const json_t *status)
{
	json_int_t n = json_integer_value(
		json_object_get(json_object_get(status, "drops"), "socket_overflow"));

	doctor_find(findings, "kernel drops", n ? DOCTOR_NOTE : DOCTOR_OK,
		n ? "larger socket buffers, or more workers" : NULL,
		"%" JSON_INTEGER_FORMAT " packets lost before we read them", n);
}

static void find_secrets(json_t *findings, const json_t *status)
{
	const char *why = text(status, "secrets_error");

	doctor_find(findings, "secrets", *why ? DOCTOR_BAD : DOCTOR_OK,
		*why ? "put the master key back; secrets cannot be read without it" : NULL, "%s",
		*why ? why : "can be stored and read");
}

// Listeners, sources and routes that do not do what they should.
static void find_objects(struct cli *c, const char *noun, json_t *findings)
{
	const struct resource *r = resource_find(noun);
	char *path = api_path(r->collection, NULL);
	struct api_error err;
	json_t *items = NULL, *o;
	size_t i, bad = 0;

	if (path)
		api_list(c->api, path, &items, &err);
	json_array_foreach(items, i, o)
	{
		// Pending ones wait for the dataplane, which has been told about already.
		if (!strcmp(text(o, "state"), "active") || !strcmp(text(o, "state"), "pending"))
			continue;
		bad++;
		doctor_find(findings, noun, DOCTOR_BAD, NULL, "%s %s is %s%s%s", text(o, "id"),
			text(o, "url"), text(o, "state"), *text(o, "error") ? ": " : "",
			text(o, "error"));
	}
	if (items && !bad)
		doctor_find(findings, noun, DOCTOR_OK, NULL, "%zu, none with an error",
			json_array_size(items));
	json_decref(items);
	free(path);
}

// The daemons' view, when they answer.
static void find_daemons(struct cli *c, json_t *findings)
{
	struct api_error err;
	json_t *status = NULL;

	if (api_call(c->api, "GET", "/v1/status", NULL, &status, &err)) {
		doctor_find(findings, "sluiced", DOCTOR_BAD,
			err.exit == API_UNREACHABLE ? "start sluiced" : NULL, "%s", err.detail);
		if (!c->target.url)
			find_dataplane(findings);
		return;
	}
	find_version(findings, status);
	find_connected(findings, status);
	find_drops(findings, status);
	find_secrets(findings, status);
	find_objects(c, "listener", findings);
	find_objects(c, "source", findings);
	find_objects(c, "route", findings);
	json_decref(status);
}

static bool has_bad(const json_t *findings)
{
	json_t *f;
	size_t i;

	json_array_foreach(findings, i, f)
	{
		if (!strcmp(text(f, "state"), "bad"))
			return true;
	}
	return false;
}

static void advise(struct cli *c, const json_t *findings)
{
	json_t *f;
	size_t i;

	json_array_foreach(findings, i, f)
	{
		if (*text(f, "advice"))
			out_done(c->out, NULL, "%s: %s", text(f, "name"), text(f, "advice"));
	}
}

static int doctor(struct cli *c)
{
	json_t *findings = json_array(), *doc;
	bool bad;

	doctor_kernel(findings);
	doctor_cores(findings);
	doctor_io_uring(findings);
	doctor_socket_buffers(findings);
	doctor_files(findings);
	doctor_hugepages(findings);
	find_daemons(c, findings);
	bad = has_bad(findings);
	doc = json_pack("{s:b, s:O}", "degraded", bad, "checks", findings);
	out_document(c->out, doc, &view, 1);
	advise(c, findings);
	json_decref(doc);
	json_decref(findings);
	return bad ? API_DEGRADED : API_OK;
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.help = "what this machine can do and what is misconfigured",
	.more = "Exit status 8 when something is bad; a note is no failure.",
	.run = doctor,
};
