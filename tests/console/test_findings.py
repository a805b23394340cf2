"""What `ivr check` says of the flows that are served stands on their pages: warnings, and the errors of an edit."""

from pathlib import Path

from tests.console.test_console_pages import HOSTILE, Reader, text
from tests.console.visiting import DESK, Visit, visiting

CLEAN = "flow: clean\ninitial: main\nstates: {main: {say: Hello., final: true}}\n"


async def test_warnings_of_what_is_served_are_shown_on_a_server_for_callers(operator: Visit) -> None:
    for path in ("/console/flows", "/console/flows/desk"):
        page = text(await operator.see(path))
        assert "warning" in page.casefold()
        assert "desk.yaml:" in page
    assert "served, with warnings" in await operator.see("/console/flows")


async def test_a_flow_without_findings_has_none(tmp_path: Path) -> None:
    async with visiting(tmp_path, more={"clean.yaml": CLEAN}) as visit:
        await visit.log_in()
        page = await visit.see("/console/flows/clean")
        assert "Warnings" not in page
        assert "clean.yaml:" not in await visit.see("/console/flows")


async def test_errors_of_an_edit_stand_in_the_place_of_the_warnings_of_what_is_still_served(operator: Visit) -> None:
    wrong = DESK.replace("next: heard", "next: herd").replace("Takes messages.", f"'{HOSTILE}'")
    (operator.flows / "desk.yaml").write_text(wrong)
    page = await operator.sees("herd", "/console/flows")
    assert "errors; the previous version is served" in page
    assert "aside soft" in page
    assert "warnings" not in text(page)
    for path in ("/console/flows", "/console/flows/desk"):
        read = Reader(await operator.see(path))
        assert 'Did you mean "heard"' in read.text
        assert "img" not in read.tags
