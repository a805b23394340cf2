"""What the log says of refusals: enough to see why, and never so much that it fills a disk or hides the rest."""

import logging
from pathlib import Path

import pytest

from ivr.errors import StoreUnavailable
from ivr.ports import Incoming, WebhookReply
from ivr.server.guarded_server import ConnectionLimits
from ivr.server.refusals import MOST, WINDOW, Refusals
from tests.server.harness import TurnsTwin, connected, read_answer, request, serving
from tests.waiting import Clock

MANY = 500


@pytest.fixture(autouse=True)
def _all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="ivr")


def lines(caplog: pytest.LogCaptureFixture, event: str) -> list[tuple[str, int]]:
    """Return the lines of an event: the reason, and how many were left out."""
    found = [record for record in caplog.records if record.getMessage() == event]
    return [(record.__dict__["reason"], record.__dict__.get("left_out", 0)) for record in found]


async def send_many(port: int, sent: bytes) -> None:
    async with connected(port) as (reader, writer):
        writer.write(sent * MANY)
        for _ in range(MANY):
            await read_answer(reader)


async def test_of_a_flood_of_one_reason_a_few_lines_are_written_and_the_rest_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Clock.of_this_loop() as clock:
        async with serving(tmp_path) as served:
            await send_many(served.port, request("GET", "/nowhere"))
            assert lines(caplog, "refused") == [("not-found", 0)] * MOST
            clock.turn(WINDOW)
            assert (await served.send(request("GET", "/healthz"))).status == 200
            assert lines(caplog, "refused") == [*[("not-found", 0)] * MOST, ("not-found", MANY - MOST)]
            await served.send(request("GET", "/nowhere"))
            assert lines(caplog, "refused")[-1] == ("not-found", 0)


async def test_one_reason_does_not_hide_another(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(tmp_path) as served:
        await send_many(served.port, request("GET", "/nowhere"))
        assert (await served.post(token=None)).status == 401
    assert lines(caplog, "refused")[-1] == ("token", 0)


async def test_a_full_disk_does_not_fill_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Waiting(TurnsTwin):
        async def take(self, incoming: Incoming, *, flow: str | None = None, arrived: float) -> WebhookReply:
            self.taken.append(incoming)
            raise StoreUnavailable(f"{len(self.taken)} writes are waiting for the disk.")

    async with serving(tmp_path, turns=Waiting(now=False)) as served:
        await send_many(served.port, request("POST", "/callback", b'{"id": "c1"}'))
    assert len(lines(caplog, "store unavailable")) == len(lines(caplog, "turn failed")) == MOST


async def test_who_finds_no_place_is_logged_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(tmp_path, connections=ConnectionLimits(most=0, spare=4)) as served:
        for _ in range(2 * MOST):
            assert (await served.post()).status == 503
    assert lines(caplog, "refused") == [("too-many-connections", 0)] * MOST


async def test_bad_heads_are_counted_as_well(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(tmp_path) as served:
        for _ in range(2 * MOST):
            assert (await served.send(b"\x16\x03\x01\r\n\r\n")).status == 400
    assert len(lines(caplog, "bad head")) == MOST


async def test_what_was_left_out_is_told_at_the_end_too(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()
    for _ in range(MOST + 3):
        refusals.report("refused", reason="no-keys")
    refusals.close()
    refusals.close()
    assert lines(caplog, "refused") == [*[("no-keys", 0)] * MOST, ("no-keys", 3)]


@pytest.mark.parametrize(
    ("asked", "logged"),
    [
        ("/recordings/" + "A" * 95 + ".wav", "/recordings/…"),
        ("/jambonz/listen/acc-1/call-1/listen.1.2~" + "k" * 22, "/jambonz/listen/acc-1/…"),
        ("/recordings/" + "A" * 41, "/recordings/…"),
        (
            "/" + "a" * 40 + "/" + "b" * 40 + "/" + "c" * 40 + "/" + "d" * 40,
            "/" + "a" * 40 + "/" + "b" * 40 + "/" + "c" * 40 + "/…",
        ),
        ("/" + "x" * 5000, "/…"),
        ("/jambonz/call/desk", "/jambonz/call/desk"),
        ("/calls/" + "0" * 32, "/calls/" + "0" * 32),
        ("/nowhere", "/nowhere"),
    ],
)
async def test_an_address_that_is_a_key_is_not_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, asked: str, logged: str
) -> None:
    async with serving(tmp_path) as served:
        await served.send(request("GET", asked))
    paths = [record.__dict__["path"] for record in caplog.records if record.getMessage() == "refused"]
    assert paths == [logged]
