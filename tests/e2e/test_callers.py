# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Who comes in, by libsrt: addresses, forms of stream ids, and what ends those who are in."""

import pytest
from kit import libsrt, wire
from kit.api import Api
from kit.hook import Hook
from kit.load import Load
from kit.proc import free_port, wait_until
from kit.publishers import SrtPublisher


def code(relay, streamid, *options):
    return libsrt.reject_code(relay.port, streamid, options)


def last_line(relay):
    return [line for line in relay.dp.output().splitlines() if "may not" in line or "is refused" in line][-1]


def test_rules_of_addresses_of_listener_and_stream(make_relay):
    relay = make_relay()
    relay.listen("--deny", "127.0.0.2", "--allow", "127.0.0.0/8")
    relay.ctl("stream", "add", "all")
    relay.ctl("stream", "add", "few", "--allow", "10.0.0.0/8")
    assert code(relay, "#!::r=all") is None
    assert code(relay, "#!::r=few") == 2403
    assert "few (2403): the stream does not let its address in" in last_line(relay)
    relay.ctl("stream", "set", "few", "--allow", "127.0.0.1")
    wait_until(lambda: code(relay, "#!::r=few") is None, "the new rules hold for new callers")
    assert relay.drops()["refused_access"] >= 1


def test_one_more_rule_takes_none_back(relay):
    relay.ctl("stream", "add", "a", "--allow", "127.0.0.0/8", "--deny", "0.0.0.0/0")

    def put(*rules):
        said = relay.run("stream", "set", "a", *rules)
        assert said.returncode == 0
        return relay.json("stream", "show", "a")["acl"], said.stderr

    rules, said = put("--deny", "10.0.0.1")
    assert rules == ["deny 10.0.0.1", "allow 127.0.0.0/8", "deny 0.0.0.0/0"]
    assert "rules: deny 10.0.0.1, allow 127.0.0.0/8, deny 0.0.0.0/0, every other address is refused" in said
    assert put("--deny", "10.0.0.2", "--deny", "10.0.0.1/32")[0] == ["deny 10.0.0.2", "deny 10.0.0.1", *rules[1:]]
    assert put("--allow", "10.0.0.2")[0] == ["allow 10.0.0.2", "deny 10.0.0.1", *rules[1:]], "the newest word holds"
    assert put("--forget", "10.0.0.2", "--forget", "0.0.0.0/0")[0] == ["deny 10.0.0.1", "allow 127.0.0.0/8"]
    unknown = relay.run("stream", "set", "a", "--forget", "10.0.0.2")
    assert (unknown.returncode, unknown.stderr) == (3, "there is no rule for 10.0.0.2\n")
    rules, said = put("--deny", "10.0.0.3", "--allow", "default")
    assert rules == ["deny 10.0.0.3"] and "every other address is let in" in said
    rules, said = put("--deny", "default")
    assert rules == [] and "every address is let in" in said


@pytest.mark.parametrize(
    "publish, play",
    [
        ("#!::r=live/a,m=publish", "#!::r=live/a,m=request"),
        ("%23%21%3A%3Ar%3Dlive%2Fa%2Cm%3DPUBLISH", "%23%21%3A%3Ar%3Dlive%2Fa"),
        ("publish:live/a:joe:secret", "read:live/a"),
        ("uplive.sls.com/live/a", "live.sls.com/live/a"),
        ("live/a,mode:publish,token:x", "live/a,mode:request"),
        ("#!::h=live/a,m=publish", "#!:m=request,r=live/a,token=x"),
        ("publish%3Alive%2Fa%3Ajoe%3Asecret", "read:live/a:joe:secret:token=x"),
        ("/publish/live/a\n", "live/a?token=x "),
    ],
)
def test_forms_of_stream_ids(relay, publish, play):
    publisher = libsrt.Caller(relay.port, publish.lstrip("/"))
    publisher.send(b"\x47" * 1316)
    wait_until(lambda: relay.stream("live/a").get("state") == "live", "the publisher is there")
    assert code(relay, play) is None
    publisher.close()


def test_what_old_encoders_leave_behind_a_stream_id(relay):
    """Zeros that pad a fixed field, line ends of a file, slashes: no word of them is logged or kept."""
    for i, tail in enumerate((b"\0" * 40, b"\r\n", b"\n\0\0", b" \t", b"/", b"//\n\0")):
        caller = wire.RawCaller(relay.port, seed=i)
        assert caller.connect(b"#!::m=publish,r=live/" + b"%d" % i + tail).kind == wire.CONCLUSION, tail
        assert relay.stream(f"live/{i}")["publisher"]
        caller.close()
    caller = wire.RawCaller(relay.port)
    assert caller.connect(b"live/a\0b").kind == 2400
    assert "its stream id holds a zero byte" in last_line(relay)
    caller.close()


def test_a_listener_takes_the_forms_it_was_told(make_relay):
    relay = make_relay()
    relay.listen("--dialects", "srtrelay", "--default-mode", "publish")
    relay.ctl("stream", "add", "cam1")
    assert code(relay, "play/cam1/password") is None
    assert code(relay, "cam1") is None, "ours hold beside them"
    assert code(relay, "publish:cam1") is None
    assert code(relay, "cam1,mode:request") == 2400
    assert code(relay, "#!:{r=cam1}") == 2400
    assert "of a form that this listener does not take" in relay.dp.output()


FILE_MODE = (libsrt.SRTO_TRANSTYPE, libsrt.SRTT_FILE)


@pytest.mark.parametrize(
    "options, wire_code, why",
    [
        ([(libsrt.SRTO_PACKETFILTER, "fec,cols:5")], 1014, "packet filter (FEC)"),
        ([FILE_MODE], 1012, "file mode"),
        ([FILE_MODE, (libsrt.SRTO_MESSAGEAPI, 1)], 1013, "congestion control other than live"),
    ],
)
def test_modes_that_are_not_served_have_their_codes(relay, options, wire_code, why):
    assert code(relay, "#!::r=live/a,m=publish", *options) == wire_code
    assert f"is refused ({wire_code}): " in last_line(relay) and why in last_line(relay)


@pytest.mark.parametrize(
    "query, wire_code, why, heard",
    [
        ("mode=rendezvous&port={port}", 2405, "it calls for a rendezvous", "Application-defined rejection reason"),
        ("transtype=file", 1012, "file mode", "REJECT"),
        ("packetfilter=fec,cols:10,rows:5", 1014, "packet filter (FEC)", "REJECT"),
    ],
)
def test_srt_live_transmit_hears_no_in_one_line(relay, programs, query, wire_code, why, heard):
    url = f"srt://127.0.0.1:{relay.port}?{query.format(port=free_port())}"
    client = programs.client("srt-live-transmit", ["srt-live-transmit", "-ll:warn", url, f"udp://127.0.0.1:{free_port()}"])
    client.says(heard)
    wait_until(lambda: f"is refused ({wire_code}): " in relay.dp.output(), "the relay says why")
    assert why in last_line(relay)
    assert relay.drops()["refused_request"] >= 1


def test_callers_of_version_4_are_refused_in_words(relay):
    """As libsrt before 1.3: the conclusion has no blocks, and the socket's type where they are announced."""
    caller = wire.RawCaller(relay.port)
    assert caller.connect("", version=4, extension=2, blocks=b"").kind == 1008
    assert "is refused (1008): it speaks a version of SRT before 1.3" in last_line(relay)
    caller.close()


def test_a_flood_of_rendezvous_calls_is_a_few_lines(relay):
    caller = wire.RawCaller(relay.port)
    for i in range(2000):
        caller.send(wire.handshake(0, extension=0, socket_id=1 + i))
    wait_until(lambda: relay.drops()["refused_request"] >= 1000, "they are counted")
    refused = [line for line in relay.dp.output().splitlines() if "is refused (2405)" in line]
    assert 1 <= len(refused) <= 12, "four a second"
    caller.close()


@pytest.fixture
def fed(make_relay, programs):
    """A relay that knows one stream, with a publisher."""
    relay = make_relay()
    relay.listen()
    relay.ctl("stream", "add", "live/a")
    SrtPublisher(programs, relay.url("live/a", "publish"))
    relay.wait_live("live/a")
    return relay


def test_what_is_taken_away_ends_who_came_by_it(fed, shared_path):
    words = shared_path / "words"
    words.write_text("correct horse battery")
    fed.ctl("user", "add", "joe", "--prefix", "live/", "--mode", "request", "--passphrase-file", words)
    fed.ctl("user", "add", "jim", "--prefix", "other/", "--mode", "request", "--passphrase-file", words)
    secret = (libsrt.SRTO_PASSPHRASE, "correct horse battery")
    joe = libsrt.Caller(fed.port, "#!::r=live/a,u=joe", [secret])
    assert joe.receive()
    assert code(fed, "#!::r=live/a,u=joe") == 1011
    assert code(fed, "#!::r=live/a,u=jim", secret) == 2403
    fed.ctl("key", "rotate")
    fed.ctl("stream", "set", "live/a", "--play-auth", "token")
    one, other = (fed.json("token", "create", "--stream", "live/a", "--mode", "request")["token"] for _ in range(2))
    first, second = (libsrt.Caller(fed.port, f"#!::r=live/a,sluice_token={t}") for t in (one, other))
    assert first.receive() and second.receive()
    fed.wait_stream("live/a", subscribers=3)
    fed.ctl("token", "revoke", one)
    fed.wait_stream("live/a", subscribers=2)
    fed.ctl("user", "del", "joe")
    fed.wait_stream("live/a", subscribers=1)
    while first.receive():  # what had come before, then its end
        pass
    while joe.receive():
        pass
    assert second.receive(), "the other goes on"
    assert code(fed, f"#!::r=live/a,sluice_token={one}") == 2401
    assert one not in fed.dp.output()
    assert fed.drops()["refused_auth"] == 1
    for caller in (joe, first, second):
        caller.close()


def test_a_token_that_ends_lets_nobody_new_in(fed):
    """It says until when one may come, not how long one may stay; who has to go is revoked."""
    fed.ctl("key", "rotate")
    fed.ctl("stream", "set", "live/a", "--play-auth", "token")
    token = fed.json("token", "create", "--stream", "live/a", "--mode", "request", "--ttl", "2", "--ip", "::ffff:127.0.0.0/104")
    assert token["ip"] == "127.0.0.0/8"
    caller = libsrt.Caller(fed.port, token["stream_id"])
    wait_until(lambda: code(fed, token["stream_id"]) == 2401, "it has ended")
    assert "the token has expired" in last_line(fed)
    fed.wait_stream("live/a", subscribers=1)
    assert caller.receive()
    caller.close()


def test_rules_and_limits_are_for_who_comes_next(fed):
    fed.ctl("stream", "set", "live/a", "--max-subscribers", "2")
    two = [libsrt.Caller(fed.port, "#!::r=live/a") for _ in range(2)]
    assert code(fed, "#!::r=live/a") == 2402
    fed.ctl("stream", "set", "live/a", "--max-subscribers", "1", "--deny", "127.0.0.1")
    wait_until(lambda: code(fed, "#!::r=live/a") == 2403, "the rule holds")
    other = wire.RawCaller(fed.port, address="127.0.0.2")
    assert other.connect("#!::r=live/a").kind == 2402
    assert fed.stream("live/a")["subscribers"] == 2 and all(caller.receive() for caller in two)
    two.pop().close()
    fed.wait_stream("live/a", subscribers=1)
    other.id += 1
    assert other.connect("#!::r=live/a").kind == 2402, "there is still one"
    two.pop().close()
    fed.wait_stream("live/a", subscribers=0)
    other.id += 1
    assert other.connect("#!::r=live/a").kind == wire.CONCLUSION
    other.close()


def test_a_banned_address_stays_out_of_the_stream(fed):
    fed.ctl("stream", "add", "live/b")
    caller = libsrt.Caller(fed.port, "#!::r=live/a")
    session = fed.wait_stream("live/a", subscribers=1) and fed.items("sub", "list")[0]["id"]
    fed.ctl("route", "add", "live/a", f"udp://127.0.0.1:{free_port()}")
    route = next(s["id"] for s in fed.items("sub", "list") if s["proto"] == "udp")
    done = fed.run("sub", "kick", route, "--ban", "60")
    assert done.returncode == 4 and "only who called by SRT can be banned" in done.stderr
    assert fed.run("sub", "kick", session, "--ban", "soon").returncode == 2
    assert fed.run("sub", "kick", session, "--ban", "99999999").returncode == 2
    (option,) = Api(fed).get("/openapi.json")["paths"]["/v1/subscribers/{id}"]["delete"]["parameters"]
    assert option["name"] == "ban_s"
    fed.ctl("sub", "kick", session, "--ban", "2")
    assert code(fed, "#!::r=live/a") == 2403
    assert "its address is banned from the stream" in last_line(fed)
    assert code(fed, "#!::r=live/b") is None, "that is another stream"
    other = wire.RawCaller(fed.port, address="127.0.0.2")
    assert other.connect("#!::r=live/a").kind == wire.CONCLUSION, "that is another address"
    wait_until(lambda: code(fed, "#!::r=live/a") is None, "its time is over")
    caller.close()
    other.close()


def test_what_the_hook_said_outlives_the_daemon(fed):
    hook = Hook()
    fed.ctl("stream", "set", "live/a", "--play-auth", "hook", "--hook", hook.url)
    stays = libsrt.Caller(fed.port, "#!::r=live/a,u=joe,s=one")
    fed.daemon.kill()
    assert code(fed, "#!::r=live/a,u=joe,s=one") is None
    assert code(fed, "#!::r=live/a,u=joe,s=two") == 2424  # that was not asked
    assert stays.receive(), "who is in stays in"
    assert len(hook.asked) == 1
    stays.close()
    hook.close()


# --- bad input ----------------------------------------------------------------------------------


def test_key_messages_of_every_length(make_relay, shared_path):
    relay = make_relay()
    relay.listen()
    words = shared_path / "words"
    words.write_text("correct horse battery")
    relay.ctl("stream", "add", "a", "--play-passphrase-file", words)
    head = bytes.fromhex("12 2029 01 00000000 02 00 02 000000 04 04")
    seen = set()
    for n in range(0, 44):
        caller = wire.RawCaller(relay.port, seed=n)
        message = (head + bytes(range(200)))[: 4 * n]
        blocks = wire.hsreq() + wire.block(wire.KMREQ, message) + wire.stream_id_block("#!::r=a")
        answer = caller.connect("", extension=7, blocks=blocks)
        seen.add((4 * n, answer.kind))
        assert answer.kind == (1010 if len(message) == 56 else 1004), seen
        caller.close()
    assert code(relay, "#!::r=a", (libsrt.SRTO_PASSPHRASE, "correct horse battery")) is None


def test_stream_ids_of_512_bytes_of_anything(relay):
    for value in range(256):
        caller = wire.RawCaller(relay.port, seed=value)
        assert caller.connect(bytes([value]) * 512).kind in (2400, 2001, 1004), value
        caller.close()
    caller = wire.RawCaller(relay.port)
    for _ in range(64):
        assert caller.connect(caller.random.randbytes(512)).kind >= 2000
        caller.id += 1
    caller.close()
    assert relay.status()["streams"] == 0


def test_a_join_storm_from_one_address_is_no_flood(make_relay, programs):
    """More than half of a worker's places to wait in, of one network, within the time that they are kept."""
    relay = make_relay()
    relay.listen()
    relay.ctl("stream", "add", "a")
    swarm = Load(programs, "play", relay.url("a"), count=2600, join_rate=2000)
    relay.wait_stream("a", subscribers=2600)
    assert relay.drops()["park_full"] == 0
    swarm.program.kill()


def test_a_flood_of_callers_costs_a_bounded_wait(fed):
    """6000 callers that the hook does not answer: who finds no place is told at once, the rest in time, others come in."""
    stays = libsrt.Caller(fed.port, "#!::r=live/a")
    fed.ctl("stream", "add", "live/b")
    fed.ctl("stream", "set", "live/a", "--play-auth", "hook", "--hook", "http://127.0.0.1:9/")
    fed.daemon.stop()
    caller = wire.RawCaller(fed.port)
    cookie = caller.induct()
    for i in range(6000):
        caller.id = 1 + i
        caller.send(caller.conclusion(cookie, "#!::r=live/a"))
    codes = {caller.receive(lambda raw: (h := wire.parse_handshake(raw)) and h.kind) for _ in range(500)}
    assert codes == {1005}
    other = wire.RawCaller(fed.port, seed=2, address="127.9.9.9")
    assert other.connect("#!::r=live/b").kind == wire.CONCLUSION, "of another network"
    assert stays.receive(), "who is in hears nothing of it"
    wait_until(lambda: code(fed, "#!::r=live/a") == 2424, "places are free again")
    fed.start_daemon()
    fed.wait_connected()
    assert fed.drops()["park_full"] >= 500 and fed.drops()["refused_hook"] >= 1000
    told = [line for line in fed.dp.output().splitlines() if "is refused" in line or "may not" in line]
    assert len(told) < 100 and "more were refused than lines" in fed.dp.output()
    other.close()
    stays.close()
    caller.close()
