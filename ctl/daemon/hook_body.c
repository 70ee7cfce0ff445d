// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/hook_body.h"

#include "base/endpoint.h"

#include <jansson.h>
#include <string.h>

#define CODE_MIN 1000 // wire values of refusals: srt-wire 5.3
#define CODE_MAX 3999
#define TTL_S_MAX 86400

char *hook_question(const struct dp_admit *q)
{
	struct endpoint peer = {0};
	char ip[ENDPOINT_STRLEN], *text;
	json_t *doc = json_object();

	memcpy(peer.ip, q->peer_ip, sizeof(peer.ip));
	json_object_set_new(
		doc, "action", json_string(q->mode == DP_MODE_PUBLISH ? "publish" : "play"));
	json_object_set_new(doc, "stream", json_string(q->stream));
	json_object_set_new(doc, "ip", json_string(endpoint_ip_str(&peer, ip, sizeof(ip))));
	json_object_set_new(doc, "protocol", json_string("srt"));
	const struct {
		const char *name, *text;
	} said[] = {{"user", q->user}, {"token", q->token}, {"session", q->session},
		{"query", q->query}};
	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
		json_t *v = json_string(said[i].text); // NULL when it is no UTF-8

		json_object_set_new(doc, said[i].name, v ? v : json_null());
	}
	text = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	return text;
}

void hook_answer(long status, const char *body, size_t len, struct dp_admit_r *out)
{
	json_t *doc = len ? json_loadb(body, len, 0, NULL) : NULL;
	json_int_t code = json_integer_value(json_object_get(doc, "code"));
	json_int_t ttl = json_integer_value(json_object_get(doc, "ttl_s"));

	if (status >= 200 && status < 300)
		out->verdict = DP_VERDICT_ALLOW;
	else if (status == 401 || status == 403)
		out->verdict = DP_VERDICT_REFUSE;
	else
		out->verdict = DP_VERDICT_FAILED;
	if (out->verdict == DP_VERDICT_REFUSE)
		out->code = code >= CODE_MIN && code <= CODE_MAX ? (uint32_t)code
								 : 2000 + (uint32_t)status;
	if (out->verdict != DP_VERDICT_FAILED && ttl >= 1 && ttl <= TTL_S_MAX)
		out->ttl_ms = (uint32_t)ttl * 1000;
	json_decref(doc);
}
