"""Failures of services on the page of a flow: in which state, by which event, how often, and when the last time."""

import re
from pathlib import Path

from tests.console.test_console_pages import text
from tests.console.visiting import visiting

DESK = """\
flow: desk
initial: main
on: {exhausted: bye, error: bye}
states:
  main:
    menu: {prompt: To order press 1. To speak to us press 2., choices: {order: {dtmf: "1"}, talk: {dtmf: "2"}}}
    on: {order: ask, talk: connect}
  ask: {http: {url: "https://api.contoso.example/orders"}, next: bye}
  connect: {transfer: {to: "+43 1 5550100"}, on: {failed: bye}}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""


async def test_what_failed_in_calls_is_on_the_page_of_the_flow_by_state_and_event(tmp_path: Path) -> None:
    async with visiting(tmp_path, tokens=True, more={"desk.yaml": DESK}) as visit:
        await visit.log_in()
        await (await visit.calls()).leaves()
        assert "Failures of services" not in await visit.see("/console/flows/desk")
        for key in ("1", "2", "1"):
            await (await (await visit.calls()).presses(key)).hears_the_end()
        page = text(await visit.see("/console/flows/desk"))
        table = page.partition("Failures of services")[2].partition("Where callers hang up")[0]
        at = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
        assert re.fullmatch(
            rf" State Event Times Last ask error\. ?http\. ?connect 2 {at} connect failed\. ?unsupported 1 {at} ", table
        )
