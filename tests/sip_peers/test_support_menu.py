"""Real telephones walk through the shipped support menu, all of it, many at once, by every transport and codec.

What they hear is compared with what was to be said, what was recorded with what they said; each call stands in the
store, is exported as a case, and replays the same.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ivr.audio.workers import Workers
from ivr.cli import main
from ivr.engine.events import ChoiceMade, ServiceAnswered, Transcribed
from ivr.media.prompt_renderer import samples_of
from tests.sip_peers.baresip_program import Phone, baresip
from tests.sip_peers.certificates import Certificates
from tests.sip_peers.kamailio import PASSWORD, Proxy, kamailio
from tests.sip_peers.lines import FLOWS, Line
from tests.sip_peers.listening import ALIKE, Levels, likeness
from tests.sip_peers.programs import program
from tests.sip_peers.python_process import Order, PythonCaller, Walked, by_python
from tests.sip_peers.support_menu import ISSUE, PROMPTS, RATE, SupportMenu
from tests.stored import stored_in

PHONES = (
    Phone("phone-udp", "udp", "PCMU"),
    Phone("phone-tcp", "tcp", "PCMA"),
    Phone("phone-tls", "tls", "PCMA", encrypted=True),
    Phone("phone-g722", "udp", "G722"),
    Phone("phone-opus", "tls", "opus", encrypted=True),
)
"Debian's baresip, a process each."
TWENTY = 20
"Callers by baresip-python at once, by every transport, a fifth of whom hold: half of the way, since ears are slow."
WHOLE = ("python-udp", "python-tcp", "python-tls", "proxied-udp", "proxied-tls")
"Callers by baresip-python who go all the way; two of them through Kamailio, with a password."
BETWEEN = 1.0
"Seconds between two who go all the way: recognising a choice takes nearly as long, and a core."
PYTHON = find_spec("baresip") is not None
BARESIP = program("baresip") is not None
KAMAILIO = program("kamailio") is not None


def whole(line: Line, proxy: Proxy | None) -> Iterator[PythonCaller]:
    for number, user in enumerate(WHOLE):
        place: str
        transport: Any
        place, transport = user.split("-")
        if place == "proxied" and proxy is None:
            continue
        yield PythonCaller(
            user,
            (proxy if place == "proxied" and proxy else line.gateway).uri("support", transport),
            transport,
            encrypted=transport == "tls",
            holds=place == "python",
            password=PASSWORD if place == "proxied" else "",
            after=number * BETWEEN,
        )


def twenty(line: Line) -> Iterator[PythonCaller]:
    for number in range(TWENTY):
        transport: Any = ("udp", "tcp", "tls")[number % 3]
        yield PythonCaller(
            f"crowd-{number}-",
            line.gateway.uri("support", transport),
            transport,
            ("pcmu", "pcma")[number % 2],
            encrypted=transport == "tls",
            holds=number % 5 == 0,
            goes="half",
        )


async def all_walk(
    line: Line, proxy: Proxy | None, tls: Certificates, menu: SupportMenu, folder: Path
) -> Mapping[str, Walked]:
    """Let everybody who goes all the way do so at the same time."""
    work = [by_phone(phone, line, menu, tls, folder) for phone in PHONES] if BARESIP else []
    if PYTHON:
        work.append(by_python(Order(tuple(whole(line, proxy)), str(tls.authority))))
    return {walked.user: walked for walks in await asyncio.gather(*work) for walked in walks}


async def by_phone(phone: Phone, line: Line, menu: SupportMenu, tls: Certificates, folder: Path) -> Sequence[Walked]:
    try:
        async with baresip(phone, folder / phone.user, authority=tls.authority) as one:
            await one.dials(line.gateway.uri("support", phone.transport))
            return [Walked(phone.user, await menu.walk(one))]
    except (AssertionError, TimeoutError) as error:
        return [Walked(phone.user, failed=str(error) or repr(error))]


@pytest.fixture(scope="session")
def proxy(folder: Path, line: Line, certificates: Certificates) -> Iterator[Proxy | None]:
    """Kamailio, which sends calls to the gateway; None: it is not installed."""
    if not KAMAILIO:
        yield None
        return
    with kamailio(folder / "proxy", certificates, gateways=[line.gateway.uri("", "tls")]) as one:
        yield one


def stored(line: Line, user: str) -> str:
    """Return the id of the one call of a caller, which is over and in order."""
    (call,) = [call for call in line.server.calls(user) if user in _words(call.caller)]
    assert (call.over, call.outcome) == (True, "resolved")
    with stored_in(line.server.data.path) as archive:
        events = [step.event for step in archive.trace(call.id)]
    assert [event.choice for event in events if isinstance(event, ChoiceMade)] == ["products", "back", "issues"]
    (answer,) = [event.answer for event in events if isinstance(event, ServiceAnswered)]
    assert isinstance(answer, Transcribed)
    assert answer.transcript == ISSUE
    return call.id


def _words(caller: str | None) -> Sequence[str]:
    return (caller or "").replace(":", " ").replace("@", " ").split()


def replays_the_same(line: Line, call: str, folder: Path) -> None:
    ivr = CliRunner()
    case = ivr.invoke(main, ["calls", "export", call, "--data", str(line.server.data.path)])
    assert case.exit_code == 0, case.output
    (folder / "case.jsonl").write_text(case.stdout)
    replay = ivr.invoke(main, ["replay", "--json", "--flows", str(FLOWS), str(folder / "case.jsonl")])
    assert replay.exit_code == 0, replay.output
    assert json.loads(replay.stdout)["same"] == 1


async def assert_walked(one: Walked, line: Line, menu: SupportMenu, workers: Workers, folder: Path) -> None:
    """Hold one call against what was to come of it."""
    assert one.like.keys() == {*PROMPTS, "products"}
    assert min(one.like.values()) >= ALIKE
    call = stored(line, one.user)
    (folder / "recorded").write_bytes(line.server.recording(call))
    recorded = Levels.of(await samples_of(folder / "recorded", workers), RATE)
    assert likeness([*[0.0] * 10, *recorded], Levels.of(menu.issue, RATE).speech()) >= ALIKE
    replays_the_same(line, call, folder)


@pytest.mark.skipif(not (BARESIP and PYTHON), reason="baresip-core (Debian) or baresip-python is not installed")
@pytest.mark.real_time
async def test_telephones_walk_through_the_menu(
    line: Line, proxy: Proxy | None, certificates: Certificates, tmp_path: Path
) -> None:
    menu, workers = await SupportMenu.spoken(), Workers()
    walked = await all_walk(line, proxy, certificates, menu, tmp_path)
    assert {user: one.failed for user, one in walked.items() if one.failed} == {}
    assert walked.keys() == {*(phone.user for phone in PHONES), *(one.user for one in whole(line, proxy))}
    try:
        for one in walked.values():
            await assert_walked(one, line, menu, workers, tmp_path)
    finally:
        await workers.close()


@pytest.mark.skipif(not PYTHON, reason="baresip-python is not installed (pip install -e '.[dev]')")
@pytest.mark.real_time
async def test_twenty_callers_at_once_hear_it_all(line: Line, certificates: Certificates, tmp_path: Path) -> None:
    walked = await by_python(Order(tuple(twenty(line)), str(certificates.authority)))
    assert {one.user: one.failed for one in walked if one.failed} == {}
    assert min(like for one in walked for like in one.like.values()) >= ALIKE
    assert len(walked) == TWENTY
    for one in walked:
        (call,) = line.server.calls(one.user)
        assert (call.state, call.over, call.outcome) == ("anything_else", True, "abandoned")
