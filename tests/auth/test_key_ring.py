"""Where keys come from, how often they are asked for, and what is left when nobody answers."""

import asyncio
import json
import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ivr.auth.documents import DOCUMENTS
from ivr.auth.keys import EMPTY_INTERVAL, MAX_BYTES, KeyRing
from ivr.server.plugs.key_rings import having
from tests.fakes.identity import Answer, Identity
from tests.waiting import PATIENCE, logged

NOW = 1_800_000_000.0
DAY = 24 * 3600


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    """Return what the key ring has logged: event, host and reason."""
    return [
        (record.message, record.__dict__.get("document", ""), record.__dict__.get("reason", ""))
        for record in caplog.records
        if record.name == "ivr.auth.keys"
    ]


@asynccontextmanager
async def ring(*documents: str, now: float = NOW, **options: Any) -> AsyncIterator[KeyRing]:
    keys = KeyRing(documents, **{"allow_loopback": True, **options})
    await keys.start(now=now)
    yield keys
    await keys.close()


async def fetched(keys: KeyRing, *, now: float = NOW) -> None:
    """Return once everything that is being fetched has come in, and is saved."""
    async with asyncio.timeout(PATIENCE):
        assert await keys.find("a name that no key has", now=now) is None


def test_both_of_microsofts_documents_are_asked_unless_told_otherwise() -> None:
    assert {url.split("/")[2] for url in DOCUMENTS} == {"login.botframework.com", "api.aps.skype.com"}
    assert KeyRing().empty  # made without a question asked, and without an exception


async def test_a_server_that_gets_no_calls_since_it_is_not_ready_asks_for_keys_all_the_same(identity: Identity) -> None:
    identity.metadata = Answer(status=503)
    async with ring(identity.metadata_url, now=time.time() - EMPTY_INTERVAL) as keys:
        ready = having(keys)
        identity.metadata = Answer()
        with logged("keys fetched") as fetching:
            assert not await ready()
            await fetching.once()
        assert await ready()


# --- several documents -----------------------------------------------------------------------------------------------


async def test_keys_come_from_every_document(identity: Identity, second: Identity) -> None:
    async with ring(identity.metadata_url, second.metadata_url) as keys:
        for one in (identity, second):
            found = await keys.find(one.kid, now=NOW)
            assert found == one.key.public_key()


async def test_where_two_documents_use_one_name_the_first_ones_key_counts(identity: Identity, second: Identity) -> None:
    second.jwks = [{**second.jwks[0], "kid": identity.kid}]
    async with ring(identity.metadata_url, second.metadata_url) as keys:
        assert await keys.find(identity.kid, now=NOW) == identity.key.public_key()


async def test_a_document_named_twice_is_fetched_once(identity: Identity) -> None:
    async with ring(identity.metadata_url, identity.metadata_url):
        assert identity.fetches == 1


BROKEN = {
    "status 500": ("status.500", Answer(status=500)),
    "status 404": ("status.404", Answer(status=404)),
    "status 204": ("status.204", Answer(status=204, body=b"")),
    "a redirect": ("redirect", Answer(status=302, headers={"Location": "/v1/keys"})),
    "compressed": ("encoding", Answer(headers={"Content-Encoding": "gzip"})),
    "too large": ("too-large", Answer(body=b" " * (256 * 1024 + 1))),
    "no JSON": ("unreadable", Answer(body=b"<html>")),
    "no UTF-8": ("unreadable", Answer(body=b'{"jwks_uri": "\xff", "keys": ["\xff"]}')),
    "another shape": ("unreadable", Answer(body=b'{"jwks_uri": 1, "keys": 1}')),
    "nested deep": ("unreadable", Answer(body=b'{"x":' + b"[" * 100_000)),
    "empty": ("unreadable", Answer(body=b"")),
    "no keys": ("unreadable", Answer(body=b'{"keys": []}')),
    "only keys of no use": ("unreadable", Answer(body=b'{"keys": [{"kty": "EC", "kid": "a"}, 1, null, "x"]}')),
}


@pytest.mark.parametrize("part", ["metadata", "keys"])
@pytest.mark.parametrize("case", BROKEN)
async def test_a_broken_document_hurts_only_itself(
    identity: Identity, second: Identity, caplog: pytest.LogCaptureFixture, part: str, case: str
) -> None:
    reason, broken = BROKEN[case]
    setattr(identity, part, broken)
    async with ring(identity.metadata_url, second.metadata_url) as keys:
        assert await keys.find(identity.kid, now=NOW) is None
        assert await keys.find(second.kid, now=NOW) is not None
    assert ("no keys", "127.0.0.1", reason) in told(caplog)


async def test_a_host_that_says_nothing_hurts_only_itself(
    identity: Identity, second: Identity, caplog: pytest.LogCaptureFixture
) -> None:
    identity.hold()
    async with ring(identity.metadata_url, second.metadata_url, patience=0.2) as keys:
        assert await keys.find(second.kid, now=NOW) is not None
        assert await keys.find(identity.kid, now=NOW) is None
    assert ("no keys", "127.0.0.1", "timeout") in told(caplog)


async def test_a_silent_host_is_not_waited_for_if_another_knows_the_key(identity: Identity, second: Identity) -> None:
    identity.hold()
    async with asyncio.timeout(PATIENCE), ring(identity.metadata_url, second.metadata_url, patience=60) as keys:
        assert await keys.find(second.kid, now=NOW) is not None
        second.rotate()
        assert await keys.find(second.kid, now=NOW + 300) is not None


async def test_one_bad_key_spoils_only_itself(identity: Identity) -> None:
    identity.jwks = [{"kty": "RSA", "kid": "bad", "n": "AA", "e": "AQAB"}, {"kty": "oct"}, *identity.jwks]
    async with ring(identity.metadata_url) as keys:
        assert await keys.find(identity.kid, now=NOW) is not None
        assert await keys.find("bad", now=NOW) is None


ELSEWHERE = [
    "http://169.254.169.254/latest/meta-data/",
    "https://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1/keys",
    "http://keys.example/keys",
    "file:///etc/passwd",
    "/v1/keys",
    "",
    "https://[",
]


@pytest.mark.parametrize("address", ELSEWHERE)
async def test_a_document_cannot_lead_this_server_elsewhere(
    identity: Identity, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    identity.metadata = Answer(body=json.dumps({"issuer": "x", "jwks_uri": address}).encode())
    async with ring(identity.metadata_url) as keys:
        assert keys.empty
    assert ("no keys", "127.0.0.1", "address") in told(caplog)


@pytest.mark.parametrize("address", [*ELSEWHERE, "https://127.0.0.1/x", "http://localhost/x", "https://a:b@c.example/"])
def test_a_setting_that_could_never_work_is_told_at_once(address: str) -> None:
    with pytest.raises(ValueError, match="must be an https address"):
        KeyRing([address])


def test_no_document_at_all_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="at least one address of OpenID metadata"):
        KeyRing([])


# --- how often -------------------------------------------------------------------------------------------------------


async def test_a_known_key_costs_no_fetch(identity: Identity) -> None:
    async with ring(identity.metadata_url) as keys:
        for second in range(100):
            assert await keys.find(identity.kid, now=NOW + second * 600) is not None
    assert (identity.fetches, identity.key_fetches) == (1, 1)


async def test_an_unknown_name_is_worth_one_fetch_per_interval(identity: Identity) -> None:
    async with ring(identity.metadata_url, interval=60) as keys:
        for second in range(301):
            assert await keys.find(f"unknown-{second}", now=NOW + second) is None
    assert identity.fetches == 1 + 5


async def test_all_who_ask_at_once_wait_for_one_fetch(identity: Identity) -> None:
    async with ring(identity.metadata_url) as keys:
        identity.rotate()
        found = await asyncio.gather(*(keys.find(identity.kid, now=NOW + 300) for _ in range(200)))
    assert all(key == identity.key.public_key() for key in found)
    assert identity.fetches == 2


async def test_a_dead_document_does_not_use_up_the_interval_of_the_living(identity: Identity, second: Identity) -> None:
    await second.stop()
    async with ring(identity.metadata_url, second.metadata_url) as keys:
        identity.rotate()
        keys.tend(now=NOW + 300)  # the dead one is tried again; the other is young, and still may be asked
        assert await keys.find(identity.kid, now=NOW + 301) is not None


async def test_keys_are_fetched_again_after_a_day_while_the_old_ones_serve(identity: Identity) -> None:
    async with ring(identity.metadata_url) as keys:
        old, generation = identity.kid, keys.generation
        keys.tend(now=NOW + DAY - 1)
        identity.rotate()
        identity.hold()
        keys.tend(now=NOW + DAY)
        keys.tend(now=NOW + DAY)
        assert await keys.find(old, now=NOW + DAY) is not None
        await identity.asked(2)
        identity.release()
        await fetched(keys, now=NOW + DAY)
        assert keys.generation == generation + 1
        assert await keys.find(old, now=NOW + DAY + 1) is None
        assert await keys.find(identity.kid, now=NOW + DAY + 1) is not None
    assert identity.fetches == 2


async def test_the_same_keys_again_are_no_new_generation(identity: Identity) -> None:
    async with ring(identity.metadata_url) as keys:
        generation = keys.generation
        await keys.find("unknown", now=NOW + 300)
        assert keys.generation == generation
    assert identity.fetches == 2


async def test_old_keys_serve_on_while_the_host_is_down_and_it_is_tried_once_per_interval(identity: Identity) -> None:
    async with ring(identity.metadata_url) as keys:
        identity.metadata = Answer(status=503)
        for second in range(601):
            keys.tend(now=NOW + DAY + second)
            assert await keys.find(identity.kid, now=NOW + DAY + second) is not None
            assert await keys.find("unknown", now=NOW + DAY + second) is None  # waits for what is under way
    assert identity.fetches == 1 + 3


async def test_a_host_that_is_gone_for_good_is_reported_once_and_its_return_too(
    identity: Identity, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with ring(identity.metadata_url) as keys:
        identity.metadata = Answer(status=503)
        for number in range(1, 5):
            await keys.find("unknown", now=NOW + 300 * number)
        identity.metadata = Answer()
        await keys.find("unknown", now=NOW + 1500)
        identity.metadata = Answer(status=500)
        await keys.find("unknown", now=NOW + 1800)
    assert told(caplog) == [
        ("keys fetched", "127.0.0.1", ""),
        ("no keys", "127.0.0.1", "status.503"),
        ("keys fetched", "127.0.0.1", ""),
        ("no keys", "127.0.0.1", "status.500"),
    ]


async def test_a_clock_that_was_set_back_does_not_stop_the_fetches(identity: Identity) -> None:
    async with ring(identity.metadata_url) as keys:
        identity.rotate()
        assert await keys.find(identity.kid, now=NOW - 365 * DAY) is not None


async def test_while_there_is_no_key_at_all_the_host_is_tried_more_often(identity: Identity) -> None:
    identity.metadata = Answer(status=500)
    async with ring(identity.metadata_url) as keys:
        for second in range(31):
            assert await keys.find(identity.kid, now=NOW + second) is None
            assert keys.empty
        assert identity.fetches == 1 + 3
        identity.metadata = Answer()
        assert await keys.find(identity.kid, now=NOW + 40) is not None


async def test_start_waits_for_a_silent_host_only_so_long_and_never_fails(identity: Identity) -> None:
    identity.hold()
    async with asyncio.timeout(PATIENCE), ring(identity.metadata_url, patience=0.1) as keys:
        assert keys.empty
        await keys.start(now=NOW + 1)  # nothing may be fetched yet, so there is nothing to wait for
        assert keys.empty
    assert identity.fetches == 1


async def test_close_gives_up_what_is_under_way(identity: Identity) -> None:
    async with ring(identity.metadata_url) as keys:
        identity.hold()
        waiting = asyncio.create_task(keys.find("unknown", now=NOW + 300))
        await identity.asked(2)
    assert await waiting is None


# --- across a restart ------------------------------------------------------------------------------------------------


async def test_a_restart_with_the_hosts_down_uses_the_last_runs_keys(
    identity: Identity, second: Identity, tmp_path: Path
) -> None:
    documents, file = (identity.metadata_url, second.metadata_url), tmp_path / "data" / "keys.json"
    async with ring(*documents, file=file) as keys:
        await fetched(keys)
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.parent.stat().st_mode & 0o777 == 0o700
    await identity.stop()
    await second.stop()
    async with ring(*documents, file=file, now=NOW + 100 * DAY) as keys:
        assert not keys.empty
        for one in (identity, second):
            assert await keys.find(one.kid, now=NOW + 100 * DAY) == one.key.public_key()


async def test_a_restart_with_keys_does_not_wait_for_a_silent_host(identity: Identity, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    async with ring(identity.metadata_url, file=file):
        pass
    identity.hold()
    async with asyncio.timeout(PATIENCE), ring(identity.metadata_url, file=file, patience=60) as keys:
        assert await keys.find(identity.kid, now=NOW) is not None


async def test_a_restart_fetches_anew_and_keeps_what_it_finds(identity: Identity, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    async with ring(identity.metadata_url, file=file):
        pass
    identity.rotate()
    async with ring(identity.metadata_url, file=file) as keys:
        assert await keys.find(identity.kid, now=NOW) is not None  # joins the fetch that start began
    await identity.stop()
    async with ring(identity.metadata_url, file=file) as keys:
        assert await keys.find(identity.kid, now=NOW) is not None


async def test_a_document_taken_out_of_the_settings_is_not_trusted_any_more(
    identity: Identity, second: Identity, tmp_path: Path
) -> None:
    file = tmp_path / "keys.json"
    async with ring(identity.metadata_url, second.metadata_url, file=file) as keys:
        await fetched(keys)
    assert second.kid in file.read_text()
    async with ring(identity.metadata_url, file=file) as keys:
        assert await keys.find(second.kid, now=NOW) is None
        await fetched(keys)
    assert second.metadata_url not in file.read_text()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b"[]", b'{"a": 1}', b'{"a": {"fetched": "x", "keys": []}}', b'{"a":' + b"[" * 100_000],
)
async def test_a_corrupt_file_is_ignored_with_a_warning_and_replaced(
    identity: Identity, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(content)
    async with ring(identity.metadata_url, file=file) as keys:
        assert await keys.find(identity.kid, now=NOW) is not None
    assert "key file ignored" in caplog.text
    assert identity.kid in file.read_text()


async def test_a_file_without_end_or_a_named_pipe_in_its_place_keeps_no_server_from_starting(
    identity: Identity, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pipe, endless = tmp_path / "pipe.json", tmp_path / "endless.json"
    os.mkfifo(pipe)
    endless.write_bytes(b" " * (MAX_BYTES + 1))
    for file in (pipe, endless):
        async with ring(identity.metadata_url, file=file) as keys:
            assert await keys.find(identity.kid, now=NOW) is not None
        assert identity.kid in file.read_text()
    assert caplog.text.count("key file ignored") == 2


async def test_a_corrupt_key_in_the_file_is_left_out(identity: Identity, tmp_path: Path) -> None:
    file, good = tmp_path / "keys.json", {name: identity.jwks[0][name] for name in ("kid", "n", "e", "kty")}
    bad = {**good, "kid": "bad", "n": "???"}
    file.write_text(json.dumps({identity.metadata_url: {"fetched": NOW, "keys": [bad, good]}}))
    await identity.stop()
    async with ring(identity.metadata_url, file=file) as keys:
        assert await keys.find("bad", now=NOW) is None
        assert await keys.find(identity.kid, now=NOW) is not None


async def test_a_file_of_a_killed_run_is_no_hindrance(identity: Identity, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    (tmp_path / "keys.json.part").write_text("half a fi")
    async with ring(identity.metadata_url, file=file):
        pass
    assert identity.kid in file.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


async def test_a_file_that_cannot_be_written_is_a_warning(
    identity: Identity, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "data").write_text("not a folder")
    async with ring(identity.metadata_url, file=tmp_path / "data" / "keys.json") as keys:
        assert await keys.find(identity.kid, now=NOW) is not None
    assert "keys not kept for a restart" in caplog.text
