"""The appointment line, by a script over the phone and in the terminal: the same caller hears the same."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ivr.cli.phone.call_scripts import run_script
from ivr.phone.platform import Target
from tests.cli.test_talk import talk
from tests.shipped_lines import shipped_lines

NOON = "2026-11-24 11:00"
BOOKED = (
    ("german", ["Ihr Termin: Mittwoch, 25. November um 10 Uhr 30.", "Die Nummer ist A 1."]),
    ("english", ["You have an appointment on Wednesday, November 25 at 10:30 AM.", "Its number is A 1."]),
)


@pytest.fixture
async def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Path]:
    """The flow, with the address of a service of its own."""
    async with shipped_lines(tmp_path / "flows") as settings:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield tmp_path / "flows" / "appointment.yaml"


@pytest.mark.parametrize(("language", "confirmed"), BOOKED, ids=[language for language, _ in BOOKED])
async def test_a_caller_books_by_a_script_over_the_phone(line: Path, language: str, confirmed: list[str]) -> None:
    key = "2" if language == "german" else "1"
    script = line.with_name("book.call.yaml")
    script.write_text(f"""\
flow: appointment.yaml
at: {NOON}
steps:
  - press: "{key}"
  - press: "1"
  - press: "2"
  - press: "06641234#"
  - press: "1"
  - expect: {{hears: ["~{confirmed[0]}", "~{confirmed[1]}"], ends: hangup}}
""")
    played = await run_script(script, Target("http://127.0.0.1:1/"))
    assert played.failure is None, played.failure


@pytest.mark.parametrize(("language", "confirmed"), BOOKED, ids=[language for language, _ in BOOKED])
async def test_the_same_caller_books_in_the_terminal(line: Path, language: str, confirmed: list[str]) -> None:
    key = "2" if language == "german" else "1"
    keyed = (key, "1", "2", "06641234#", "1")
    said = (await asyncio.to_thread(talk, line, *keyed, options=("--services", "--at", NOON))).output
    assert [text for text in confirmed if text not in said] == [], said
    assert "The call is over: resolved." in said
