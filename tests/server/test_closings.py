"""An operator closes a line at once, by a file or a setting, and sees what is closed."""

from pathlib import Path

import pytest

from ivr.server.closings import Closings
from ivr.settings import load_settings
from tests.console.visiting import visiting


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "closed"
    folder.mkdir()
    return folder


# --- what is closed --------------------------------------------------------------------------------------------------


def test_a_file_closes_the_calendar_of_its_name_and_its_text_is_the_notice(folder: Path) -> None:
    (folder / "office").touch()
    (folder / "shop").write_text("\ufeffA pipe\n has \x1b burst. \n", "utf-8")
    closings = Closings(folder)
    assert closings.of(["office", "shop", "museum"]) == {"office": "", "shop": "A pipe has burst."}
    (folder / "shop").unlink()
    assert closings.of(["office", "shop"]) == {"office": ""}


def test_a_setting_closes_as_long_as_the_server_runs(tmp_path: Path) -> None:
    assert Closings(tmp_path / "nowhere", ("office",)).of(["office", "shop"]) == {"office": ""}


def test_a_notice_is_bounded(folder: Path) -> None:
    (folder / "office").write_text("words " * 10_000, "utf-8")
    assert len(Closings(folder).of(["office"])["office"]) == 1000


def test_what_cannot_be_read_closes_all_the_same(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "office").mkdir()
    assert Closings(folder).of(["office"]) == {"office": ""}
    assert [record.message for record in caplog.records] == ["a notice cannot be read"]


def test_the_log_says_what_is_closed_and_which_names_close_nothing(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "shop").touch()
    (folder / ".hidden").touch()
    Closings(folder, ("office", "ofice")).log_start({"office", "shop"})
    assert [(record.message, vars(record)["calendar"]) for record in caplog.records] == [
        ("calendar closed by the operator", "office"),
        ("no flow has a calendar of this name, so nothing is closed", "ofice"),
        ("calendar closed by the operator", "shop"),
    ]


# --- what people see -------------------------------------------------------------------------------------------------

LINE = """\
flow: office-line
initial: look
timeZone: UTC
on: {exhausted: bye, error: bye}
calendars:
  office: {weekly: {mon-sun: "00:00-23:59"}}
  summer: {open: {2020-07-01: "09:00-17:00"}}
states:
  look: {decide: [{guard: calendar.office.open or calendar.summer.open, target: open}, bye]}
  open: {say: We are here., next: bye}
  bye: {say: goodbye, final: true, outcome: unresolved}
"""


async def test_start_page_and_console_show_what_the_operator_has_closed(tmp_path: Path) -> None:
    async with visiting(tmp_path, more={"office.yaml": LINE}) as visit:
        await visit.log_in()
        page = await visit.see("/console/flows/office-line")
        assert "Opening hours" in page
        assert "stays so" in page
        assert "closed by the operator" not in page
        closed = visit.data / "closed"
        closed.mkdir()
        (closed / "office").write_text("A pipe <b>has burst</b>.")
        page = await visit.see("/console/flows/office-line")
        assert "closed by the operator: A pipe &lt;b&gt;has burst&lt;/b&gt;." in page
        for path in ("/", "/console/flows"):
            assert "office closed by the operator" in await visit.see(path)


def test_the_setting_names_calendars_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_CLOSED", "office, shop")
    assert tuple(load_settings().settings.closed) == ("office", "shop")
