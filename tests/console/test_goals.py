"""Goals: how many calls reached them, on the page of the flow, of a call, and in `ivr calls show`."""

import json
from pathlib import Path

import pytest

from tests.cli.stored_calls import ivr
from tests.console.test_console_pages import text
from tests.console.visiting import visiting

SHOP = """\
flow: desk
initial: main
on: {exhausted: bye, error: bye}
goals: {sold: sale, asked: question}
states:
  main:
    menu: {prompt: To buy press 1. To ask press 2., choices: {buy: {dtmf: "1"}, ask: {dtmf: "2"}}}
    on: {buy: bought, ask: answered}
    milestone: reached_menu
  bought: {say: Thank you., milestone: sale, next: bye}
  answered: {say: Yes., milestone: question, next: bye}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""


async def test_calls_that_reach_a_goal_are_counted_for_the_version_of_the_flow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVR_DATA", str(tmp_path / "data"))
    async with visiting(tmp_path, tokens=True, more={"desk.yaml": SHOP}) as visit:
        await visit.log_in()
        for key in ("1", "1", "2"):
            await (await (await visit.calls()).presses(key)).hears_the_end()
        await (await visit.calls()).leaves()
        page = text(await visit.see("/console/flows/desk"))
        assert "Goal Milestone Calls sold sale 2 (50 %) asked question 1 (25 %) – reached_ menu 4 (100 %)" in page
        call = (await visit.call_address(1)).rpartition("/")[2]
        assert "Goals reached asked" in text(await visit.call_page(1))
        assert ivr("calls", "show", call).output.endswith("\nGoals reached: asked.\n")
        assert json.loads(ivr("calls", "show", call, "--json").output)["goals"] == ["asked"]
        left = (await visit.call_address(0)).rpartition("/")[2]
        assert "Goals reached" not in ivr("calls", "show", left).output
