// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/hook.h"

#include "ctl/daemon/hook_body.h"

#include <curl/curl.h>
#include <event2/event.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define ANSWER_MAX 4096u // bytes of an answer's body; what is behind is not read

struct question {
	LIST_ENTRY(question) next;
	struct hook *hook;
	CURL *easy;
	char *body;
	uint64_t id;
	size_t len;
	char answer[ANSWER_MAX];
};

struct hook {
	struct event_base *base;
	CURLM *multi;
	struct curl_slist *headers;
	struct event *timer;
	LIST_HEAD(, question) questions;
	struct hook_counters counters;
	hook_verdict verdict;
	void *arg;
};

static void tell(struct hook *h, struct dp_admit_r *r)
{
	uint64_t *count = r->verdict == DP_VERDICT_ALLOW    ? &h->counters.allowed
			  : r->verdict == DP_VERDICT_REFUSE ? &h->counters.refused
							    : &h->counters.failed;

	(*count)++;
	h->verdict(h->arg, r);
}

static void question_free(struct question *q)
{
	struct hook *h = q->hook;

	LIST_REMOVE(q, next);
	h->counters.under_way--;
	curl_multi_remove_handle(h->multi, q->easy);
	curl_easy_cleanup(q->easy);
	free(q->body);
	free(q);
}

static void finished(struct hook *h, const CURLMsg *m)
{
	struct dp_admit_r r = {.size = sizeof(r)};
	struct question *q = NULL;
	long status = 0;

	curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&q);
	if (m->data.result == CURLE_OK)
		curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &status);
	r.id = q->id;
	hook_answer(status, q->answer, q->len, &r);
	question_free(q);
	tell(h, &r);
}

static void turn(struct hook *h, curl_socket_t fd, int what)
{
	const CURLMsg *m;
	int running, left;

	curl_multi_socket_action(h->multi, fd, what, &running);
	while ((m = curl_multi_info_read(h->multi, &left)))
		if (m->msg == CURLMSG_DONE)
			finished(h, m);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	turn(arg, fd,
		(what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	turn(arg, CURL_SOCKET_TIMEOUT, 0);
}

// libcurl says which socket it wants to hear of; sp: our event for that socket.
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *sp)
{
	struct hook *h = arg;
	struct event *e = sp;
	short kind = (short)((what & CURL_POLL_IN ? EV_READ : 0) |
			     (what & CURL_POLL_OUT ? EV_WRITE : 0) | EV_PERSIST);

	(void)easy;
	if (e)
		event_free(e);
	e = what == CURL_POLL_REMOVE ? NULL : event_new(h->base, fd, kind, on_socket, h);
	if (e)
		event_add(e, NULL);
	curl_multi_assign(h->multi, fd, e);
	return 0;
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
	const struct timeval t = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	struct hook *h = arg;

	(void)multi;
	if (ms < 0)
		event_del(h->timer);
	else
		event_add(h->timer, &t);
	return 0;
}

static size_t take_answer(char *data, size_t size, size_t n, void *arg)
{
	struct question *q = arg;
	size_t room = sizeof(q->answer) - q->len, len = size * n < room ? size * n : room;

	memcpy(q->answer + q->len, data, len);
	q->len += len;
	return size * n;
}

static void set_options(struct hook *h, struct question *q, const char *url)
{
	curl_easy_setopt(q->easy, CURLOPT_URL, url);
	curl_easy_setopt(q->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(
		q->easy, CURLOPT_NOPROXY, "*"); // the operator's server, not the shell's proxy
	curl_easy_setopt(q->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(q->easy, CURLOPT_TIMEOUT_MS, (long)HOOK_TIMEOUT_MS);
	curl_easy_setopt(q->easy, CURLOPT_HTTPHEADER, h->headers);
	curl_easy_setopt(q->easy, CURLOPT_POSTFIELDS, q->body);
	curl_easy_setopt(q->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(q->body));
	curl_easy_setopt(q->easy, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(q->easy, CURLOPT_WRITEDATA, q);
	curl_easy_setopt(q->easy, CURLOPT_PRIVATE, q);
}

static bool start(struct hook *h, const char *url, const struct dp_admit *a)
{
	struct question *q = calloc(1, sizeof(*q));

	if (!q)
		return false;
	q->hook = h;
	q->id = a->id;
	q->body = hook_question(a);
	q->easy = curl_easy_init();
	LIST_INSERT_HEAD(&h->questions, q, next);
	h->counters.under_way++;
	if (q->body && q->easy) {
		set_options(h, q, url);
		if (curl_multi_add_handle(h->multi, q->easy) == CURLM_OK)
			return true; // the multi handle's timer starts it, from the loop
	}
	question_free(q);
	return false;
}

void hook_ask(struct hook *h, const char *url, const struct dp_admit *q)
{
	struct dp_admit_r r = {.size = sizeof(r), .id = q->id, .verdict = DP_VERDICT_FAILED};
	bool full = h->counters.under_way >= HOOK_MAX;

	h->counters.over += full;
	if (full || !url || !start(h, url, q))
		tell(h, &r);
}

void hook_forget(struct hook *h)
{
	while (!LIST_EMPTY(&h->questions))
		question_free(LIST_FIRST(&h->questions));
}

const struct hook_counters *hook_counters(const struct hook *h)
{
	return &h->counters;
}

struct hook *hook_new(struct event_base *base, hook_verdict verdict, void *arg)
{
	struct hook *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	*h = (struct hook){.base = base, .verdict = verdict, .arg = arg};
	LIST_INIT(&h->questions);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	h->multi = curl_multi_init();
	h->headers = curl_slist_append(NULL, "Content-Type: application/json");
	h->timer = event_new(base, -1, 0, on_timer, h);
	if (!h->multi || !h->headers || !h->timer) {
		hook_free(h);
		return NULL;
	}
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	return h;
}

void hook_free(struct hook *h)
{
	if (!h)
		return;
	hook_forget(h);
	if (h->multi)
		curl_multi_cleanup(h->multi); // closes kept connections: watch_socket is called
	curl_slist_free_all(h->headers);
	if (h->timer)
		event_free(h->timer);
	free(h);
}
