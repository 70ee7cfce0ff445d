#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What this machine can do and what is misconfigured, looked up in our own process. Findings are
// collected as JSON: {name, state, detail, advice}.

#include <jansson.h>

enum doctor_state {
	DOCTOR_OK,
	DOCTOR_NOTE, // works, but could be better
	DOCTOR_BAD,  // degraded
};

// Append a finding. advice: what to do, one sentence; NULL: nothing.
void doctor_find(json_t *findings, const char *name, enum doctor_state state, const char *advice,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));

// Checks of the machine; each appends one finding.
void doctor_kernel(json_t *findings);
void doctor_io_uring(json_t *findings);
void doctor_socket_buffers(json_t *findings);
void doctor_cores(json_t *findings);
void doctor_files(json_t *findings);
void doctor_hugepages(json_t *findings);
