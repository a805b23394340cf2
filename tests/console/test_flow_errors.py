"""What goes wrong in a flow is told with its reason and its line, and without a value, wherever somebody looks."""

import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from ivr.cli import main
from ivr.cli.phone.call_scripts import run_script
from ivr.cli.phone.own_bot_screen import OwnBotScreen
from ivr.cli.phone.terminal import Typist
from ivr.phone.callers.turn_based import TurnBased
from ivr.phone.platform import Target, platform, sound_of
from tests.browser.test_phone_line import line
from tests.cli.stored_calls import ivr
from tests.console.test_console_pages import text
from tests.console.visiting import visiting
from tests.phone.people import QUICK

SHARE = """\
flow: share
initial: ask
on: {exhausted: sorry, error: sorry}
variables: {people: {type: integer, default: none}}
states:
  ask: {digits: {prompt: How many are you?, maxDigits: 2, into: people}, next: shared}
  shared:
    say: |
      The cake of 4711 grams
      is {{ 4711 // people | int }} for each.
    next: sorry
  sorry: {say: Sorry., final: true, outcome: failed}
"""
WHY = "error.expression in shared (FILE:10): a division by zero, or a number out of bounds"
PUBLIC = Target("http://127.0.0.1:1/")


@pytest.fixture
def share(tmp_path: Path) -> Path:
    (tmp_path / "share.yaml").write_text(SHARE)
    return tmp_path / "share.yaml"


def why(file: Path) -> str:
    return WHY.replace("FILE", str(file))


async def test_the_server_its_console_its_commands_and_its_phones_all_tell_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("IVR_DATA", str(tmp_path / "data"))
    async with visiting(tmp_path, more={"share.yaml": SHARE}) as visit:
        told = why(visit.flows / "share.yaml")
        async with line(visit) as person:
            await person.does("dial", flow="share")
            await person.sees("ListensFor")
            await person.does("press", key="0")
            await person.does("press", key="#")
            there = await person.sees("Whereabouts", over=True)
        assert there["mistakes"] == [told]
        await visit.log_in()
        page = text(await visit.call_page())
        assert page.count(told) == 2  # in the conversation, and among the events
        call = (await visit.call_address()).rpartition("/")[2]
        assert told in " ".join(ivr("calls", "show", call).output.split())
        (error,) = json.loads(ivr("calls", "show", call, "--json").output)["errors"]
        assert (error["state"], error["event"], error["line"]) == ("shared", "error.expression", 10)
        assert told in await typed(visit.url, "0")
    logged = [vars(record) for record in caplog.records if record.message == "error in a flow"]
    assert [shown(record) for record in logged] == 2 * [
        ("WARNING", "share", "shared", "error.expression", WHY.rpartition(": ")[2], str(visit.flows / "share.yaml"), 10)
    ]


def shown(record: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(record[name] for name in ("levelname", "flow", "state", "code", "reason", "file", "line"))


async def typed(url: str, keys: str) -> str:
    """Call by the phone in the terminal, and give what it shows."""
    output, lines = io.StringIO(), iter([keys])
    console = Console(file=output, width=1000, color_system=None)
    target = Target(f"{url}/call/share", limits=QUICK)

    async def ask(question: str) -> str | None:
        return next(lines, None)

    async with platform(target) as phone:
        screen = OwnBotScreen(console, target, wire=False)
        await phone.place(TurnBased(Typist(screen, ask), sound_of(phone)))
    return output.getvalue()


def test_so_does_talk(share: Path) -> None:
    said = CliRunner().invoke(main, ["talk", str(share)], input="0#\n").output
    assert why(share) in said
    assert "Sorry." in said


async def test_so_does_a_script_that_passes(share: Path) -> None:
    script = share.with_name("share.call.yaml")
    script.write_text('flow: share.yaml\nsteps:\n  - press: "0#"\n  - expect: ~sorry\n')
    played = await run_script(script, PUBLIC)
    assert (played.failure, played.warning) == (None, why(share))
