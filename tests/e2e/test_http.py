# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""The HTTP side: reading over TCP, the web page, the feed."""

import json
import urllib.request

import pytest
from kit.proc import wait_until
from kit.publishers import SrtPublisher
from kit.readers import srt_player


def get(relay, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{relay.http}{path}", timeout=10) as response:
        return response.headers, response.read()


@pytest.mark.basic
def test_tcp_shows_what_sluicectl_shows(relay, programs):
    relay.ctl("stream", "add", "live/h")
    SrtPublisher(programs, relay.url("live/h", "publish"))
    relay.wait_live("live/h")
    for path, noun in (("streams", "stream"), ("listeners", "listener"), ("routes", "route")):
        document = json.loads(get(relay, f"/v1/{path}")[1])
        assert document["next"] is None
        assert [set(i) for i in document["items"]] == [set(i) for i in relay.items(noun, "list")]
    assert json.loads(get(relay, "/v1/streams/live/h")[1])["name"] == "live/h"
    assert json.loads(get(relay, "/v1/status")[1])["dataplane"] == "connected"
    for path in ("/healthz", "/readyz"):
        assert get(relay, path)


def test_the_web_page_and_all_it_names_are_served(relay):
    headers, page = get(relay, "/")
    assert headers["Content-Type"].startswith("text/html") and b"<html" in page.lower()
    names = {part.split(b'"')[0].decode() for attribute in (b'src="', b'href="') for part in page.split(attribute)[1:]}
    local = [name for name in names if not name.startswith(("http", "data:", "#"))]
    assert local
    for name in local:
        assert get(relay, "/" + name.lstrip("./"))[1]


def test_the_numbers_of_streams_subscribers_and_bitrate_are_there_for_the_page(relay, programs):
    SrtPublisher(programs, relay.url("live/h", "publish"))
    relay.wait_live("live/h")
    player = srt_player(programs, relay.url("live/h"))
    player.wait(50_000)

    def shown():
        (stream,) = json.loads(get(relay, "/v1/streams")[1])["items"]
        return stream["subscribers"] == 1 and 1_500_000 < stream["rx_bitrate"] < 3_000_000

    wait_until(shown, "one subscriber at 2 Mb/s")


def test_watch_tells_what_happens(relay, programs):
    watch = programs.client("watch", [relay.program("sluicectl"), "--json", "watch"], env=relay.env)
    wait_until(lambda: relay.status(), "the daemon answers")
    relay.ctl("stream", "add", "live/h")
    SrtPublisher(programs, relay.url("live/h", "publish"))
    relay.wait_live("live/h")
    wait_until(lambda: "live/h" in watch.output(), "the stream is in the feed")
    for line in watch.output().splitlines(keepends=True):
        if line.endswith("\n"):
            json.loads(line)


def test_a_page_of_a_long_list_leads_to_the_next(relay):
    for i in range(12):
        relay.ctl("stream", "add", f"many/{i}")
    names, cursor = [], None
    for _ in range(12):
        document = json.loads(get(relay, "/v1/streams?limit=5" + (f"&cursor={cursor}" if cursor else ""))[1])
        names += [s["name"] for s in document["items"]]
        cursor = document["next"]
        if not cursor:
            break
    assert sorted(names) == sorted(f"many/{i}" for i in range(12))
