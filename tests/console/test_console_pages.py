"""What the console shows, and what it must never show."""

import io
import re
import sqlite3
import time
import wave
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ivr.engine.line_facts import LineFacts
from ivr.server import static_files
from ivr.trace.replay import replay
from ivr.trace.stored_flows import StoredFlows
from tests.console.visiting import DESK, Visit, visiting
from tests.kept_recordings import kept_recordings
from tests.stored import stored_in

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}</td>\u202e'


class Reader(HTMLParser):
    """Notes what a browser would act upon."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"


def text(page: str) -> str:
    return re.sub(r"\s+", " ", Reader(page).text)


# --- calls -----------------------------------------------------------------------------------------------------------


async def test_a_live_call_is_listed_with_flow_state_and_age_and_later_with_its_outcome(operator: Visit) -> None:
    before = time.monotonic()
    caller = await operator.calls("+43 664 5550100")
    page = text(await operator.see())
    assert "Live: 1" in page
    shown = re.search(r"desk main \+43 664 5550100 \d{4}-\d\d-\d\d \d\d:\d\d:\d\d (\d+) s", page)
    assert shown
    assert int(shown[1]) <= time.monotonic() - before
    await caller.leaves()
    page = text(await operator.see())
    assert "Live: 0" in page
    assert "abandoned" in page


async def test_a_call_is_told_from_beginning_to_end(operator: Visit) -> None:
    caller = await operator.calls()
    await caller.is_silent()
    await caller.presses("1")
    await caller.speaks()
    await caller.hears_the_end()
    page = text(await operator.call_page())
    told = [
        "the call came in",
        "The flow: Press 1 to leave a message.",
        "was silent",
        "chose message by a key",
        "Speak after the beep.",
        "spoke for 1.0 s",
        'transcribe answered "the radio is broken"',
        "Thank you. We heard the radio is broken.",
    ]
    places = [page.index(words) for words in told]
    assert places == sorted(places)
    assert "main · message → report" in page
    assert "RecordingMade" in page


async def test_the_way_of_a_call_is_lit_in_the_picture_of_its_flow(operator: Visit) -> None:
    caller = await operator.calls()
    await caller.presses("1")
    page = await operator.call_page()
    states = dict(re.findall(r'<g class="(state[^"]*)" data-state="([^"]*)"', page))
    assert states == {"state first been": "main", "state lit been": "report"} | {
        classes: name for classes, name in states.items() if name not in {"main", "report"}
    }
    assert re.findall(r'<g class="way been" data-from="(\w+)" data-to="(\w+)"', page) == [("main", "report")]


async def test_there_is_no_page_for_a_call_that_never_was(operator: Visit) -> None:
    assert (await operator.get(f"/console/calls/{'0' * 32}"))[0] == 404
    assert (await operator.get("/console/calls/short"))[0] == 404
    assert (await operator.get(f"/console/audio/{'0' * 32}/0?seal=1.2"))[0] == 404


# --- the line that a call came by ------------------------------------------------------------------------------------

SIP = LineFacts(kind="sip", trunk="192.0.2.7:5060", transport="tls", called="+4930123456", codec="PCMA", encrypted=True)
SOUND = LineFacts(packets=5000, loss=0.4, jitter=3.25, ended="BYE")


async def test_the_line_of_a_call_is_shown_in_the_list_and_on_its_page(operator: Visit) -> None:
    caller = await operator.calls(line=lambda: SIP.updated(SOUND))
    assert "State From Line Started Age" in text(await operator.see())
    assert "sip 192.0.2.7:5060, PCMA " in text(await operator.see())
    whole = "sip from 192.0.2.7:5060 over tls, dialled +4930123456, PCMA, encrypted"
    assert f"Line {whole} Conversation" in text(await operator.call_page())
    await caller.leaves()
    assert "sip 192.0.2.7:5060, PCMA, 0.4 % lost" in text(await operator.see())
    page = text(await operator.call_page())
    assert f"{whole}, 5,000 packets of sound, 0.4 % lost, 3.25 ms jitter, ended: BYE" in page
    assert "LineReported (ignored: a report that moves no call)" in page
    assert "LineReported (ignored: the call is over)" in page


async def test_a_line_that_tells_nothing_has_no_row(operator: Visit) -> None:
    await operator.calls()
    assert "State From Started Age" in text(await operator.see())
    assert "Line " not in text(await operator.call_page())


async def test_a_call_exports_and_replays_the_same_whatever_its_line_told(operator: Visit) -> None:
    plain, told = [await operator.calls(line=line) for line in (None, lambda: SIP.updated(SOUND))]
    for caller in (plain, told):
        await caller.is_silent()
        await caller.presses("1")
        await caller.speaks()
        await caller.hears_the_end()
    with stored_in(operator.data) as archive:
        flows = StoredFlows(archive.flow)
        records = [one.record for one in archive.stored() if one.record]
        cases = [flows.case(one, archive.trace(one.id)).case for one in records]
        same = [replay(recorded, flows.get(recorded.header.hash).flow).verdict for recorded in cases]
    assert sorted(one.line is None for one in records) == [False, True]
    assert same == ["same", "same"]
    first, second = ([(line.event, line.path, line.heard, line.asked) for line in one.lines] for one in cases)
    assert first == second


async def test_what_a_line_tells_stays_text(operator: Visit) -> None:
    await operator.calls(line=lambda: LineFacts(kind=HOSTILE, trunk=HOSTILE, called=HOSTILE, ended=HOSTILE))
    for page in (await operator.see(), await operator.call_page()):
        assert "alert(1)" in Reader(page).text
        assert not {"img"} & set(Reader(page).tags)
        assert "\u202e" not in page


# --- hostile words ---------------------------------------------------------------------------------------------------


async def test_what_a_caller_is_called_and_says_stays_text(tmp_path: Path) -> None:
    async with visiting(tmp_path, transcript=HOSTILE, tokens=True) as visit:
        await visit.log_in()
        caller = await visit.calls(HOSTILE.replace("\u202e", ""))
        await caller.presses("1")
        await caller.speaks()
        address = await visit.call_address()
        for path in (
            "/console",
            address,
            "/console/calls",
            "/console/voicemails",
            "/console/figures",
            "/console/flows",
            "/console/flows/desk",
        ):
            page = await visit.see(path)
            read = Reader(page)
            assert read.tags.count("script") == 1
            assert "img" not in read.tags
            assert not [name for name, _ in read.attributes if name.startswith("on") or name == "style"]
            assert "\u202e" not in page
        assert "<script>alert(1)</script>" in Reader(await visit.see(address)).text


async def test_every_page_lets_nothing_in_but_files_of_this_server(operator: Visit) -> None:
    await operator.calls()
    for path in ("/console", "/console/login", await operator.call_address(), "/console/flows", "/console/nothing"):
        _, headers, page = await operator.get(path)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "style" not in Reader(page).tags
        outside = [value for name, value in Reader(page).attributes if name in {"src", "href", "action"}]
        assert outside
        assert all(str(value).startswith("/console") for value in outside)


def test_no_file_of_a_page_asks_another_host_for_anything() -> None:
    files = list((Path(static_files.__file__).parent / "static").iterdir())
    assert {file.suffix for file in files} == {".css", ".js", ".svg"}
    for file in files:
        assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)[^`\s]+", file.read_text("utf-8")) == []


async def test_only_known_files_are_served(operator: Visit) -> None:
    status, headers, text = await operator.get("/console/static/base.css")
    assert (status, headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert "http" not in re.sub(r"xmlns=.*", "", text)
    again = await operator.get("/console/static/base.css", headers={"If-None-Match": headers["ETag"]})
    assert again[0] == 304
    for name in ("nothing.css", "../pagefiles.py", "%2e%2e/pagefiles.py", "..%2fpagefiles.py", "", "/etc/passwd"):
        assert (await operator.get(f"/console/static/{name}"))[0] == 404


# --- what is private -------------------------------------------------------------------------------------------------


async def test_sensitive_keys_are_on_no_page(operator: Visit) -> None:
    caller = await operator.calls()
    await caller.presses("3")
    await caller.presses("8642")
    pages = await operator.see() + await operator.call_page() + await operator.see("/console/flows/desk")
    assert "entered private digits (accepted)" in text(pages)
    pages = re.sub(r"\b([0-9a-f]{32}|[0-9a-f]{8})\b", "", pages)  # the call's id can hold any four digits
    assert "8642" not in pages.replace("pin == &#x27;8642&#x27;", "").replace("pin == '8642'", "")


async def test_a_sensitive_recording_is_neither_played_nor_measured_nor_written_down(operator: Visit) -> None:
    caller = await operator.calls()
    await caller.presses("2")
    await caller.speaks(0.7)
    page = await operator.call_page()
    assert "left a private recording" in text(page)
    assert "the radio is broken" not in page
    assert "0.7" not in re.sub(r"\d\.\d\d|[\d.]+ ", "", text(page))
    assert "<audio" not in page


async def test_where_a_sensitive_recording_would_be_there_is_nothing(operator: Visit) -> None:
    plain = await operator.calls()
    await plain.presses("1")
    await plain.speaks()
    played = await operator.call_address()
    seal = re.search(r"seal=([\w.]+)", await operator.see(played))
    secret = await operator.calls()
    await secret.presses("2")
    await secret.speaks()
    hidden = next(a for a in [await operator.call_address(0), await operator.call_address(1)] if a != played)
    assert seal
    assert (await operator.get(f"{hidden.replace('calls', 'audio')}/0?seal={seal[1]}"))[0] == 404


# --- sound -----------------------------------------------------------------------------------------------------------


async def recorded(operator: Visit) -> str:
    """Leave a message, and give the address at which it is heard."""
    caller = await operator.calls()
    await caller.presses("1")
    await caller.speaks()
    found = re.search(r'<audio src="([^"]+)"', await operator.call_page())
    assert found
    return found[1]


async def test_a_recording_is_played_as_wav_whatever_it_was(operator: Visit) -> None:
    address = await recorded(operator)
    async with operator.client.get(operator.url + address) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "audio/wav")
        content = await answer.read()
    with wave.open(io.BytesIO(content)) as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (16000, 1)
        assert abs(sound.getnframes() / 16000 - 1.0) < 0.05
        assert any(sound.readframes(sound.getnframes()))
    async with operator.client.get(operator.url + address, headers={"Range": "bytes=44-143"}) as answer:
        assert (answer.status, await answer.read()) == (206, content[44:144])
        assert answer.headers["Content-Range"] == f"bytes 44-143/{len(content)}"
    async with operator.client.get(operator.url + address, headers={"Range": "bytes=9999999-"}) as answer:
        assert answer.status == 416


async def test_the_address_of_a_recording_names_no_file_and_cannot_be_guessed(operator: Visit) -> None:
    address = await recorded(operator)
    (name,) = kept_recordings(operator.data)
    assert Path(name).stem not in address
    for other in (address[:-1] + ("0" if address[-1] != "0" else "1"), address.partition("?")[0]):
        assert (await operator.get(other))[0] == 404
    assert (await operator.get(address.replace("/0?", "/1?")))[0] == 404


async def test_an_address_of_a_recording_is_no_good_to_somebody_else(operator: Visit) -> None:
    address = await recorded(operator)
    await operator.log_in()
    assert (await operator.get(address))[0] == 404


async def test_a_recording_that_is_no_sound_is_not_played(operator: Visit) -> None:
    address = await recorded(operator)
    with closing(sqlite3.connect(operator.data / "calls.db")) as database, database:
        database.execute("UPDATE turn SET audio = ? WHERE audio IS NOT NULL", [b"<script>alert(1)</script>" * 40])
    status, headers, page = await operator.get(address)
    assert (status, headers["Content-Type"]) == (415, "text/html; charset=utf-8")
    assert "alert" not in page
    with closing(sqlite3.connect(operator.data / "calls.db")) as database, database:
        database.execute("UPDATE turn SET audio = NULL")
    assert (await operator.get(address))[0] == 404


# --- flows -----------------------------------------------------------------------------------------------------------


async def test_a_flow_shows_how_many_calls_went_each_way_and_where_callers_left(operator: Visit) -> None:
    for _ in range(2):
        caller = await operator.calls()
        await caller.presses("1")
        await caller.leaves()
    caller = await operator.calls()
    await caller.leaves()
    await operator.calls()
    page = await operator.see("/console/flows/desk?period=hour")
    shown = text(page)
    assert "Calls 4 " in shown
    assert "Live now 1 " in shown
    assert "Callers who hung up 3 (75 %)" in shown
    assert "main message report 2 50 %" in shown
    assert "report 2 50 % main 1 25 %" in shown
    assert 'data-from="main" data-to="report"><title>main to report: message (2 calls)' in page
    assert "report (record): 2 hung up here" in page


async def test_the_figures_are_those_of_the_chosen_period(operator: Visit) -> None:
    await operator.calls()
    for period in ("hour", "day", "week", "month", "all"):
        assert "Calls 1 " in text(await operator.see(f"/console/flows/desk?period={period}"))
    assert (await operator.get("/console/flows/desk?period=ever"))[0] == 404
    assert (await operator.get("/console/flows/nobody"))[0] == 404


async def test_a_broken_edit_is_shown_and_the_version_before_it_goes_on(operator: Visit) -> None:
    (operator.flows / "desk.yaml").write_text(DESK.replace("message: report", "message: rapport"))
    page = text(await operator.sees("errors; the previous version is served", "/console/flows"))
    assert "rapport" in page
    assert "unknown-target" in page
    assert "rapport" in text(await operator.see("/console/flows/desk"))
    await operator.calls()


async def test_a_file_that_was_never_without_errors_is_shown_beside_those_that_are_served(operator: Visit) -> None:
    (operator.flows / "night.yaml").write_text(DESK.replace("flow: desk", "flow: night").replace("thanks\n", "thank\n"))
    page = text(await operator.sees("night.yaml", "/console/flows"))
    assert "errors; the version before" not in page
    assert "not served" in page
    assert "unknown-target" in page


async def test_each_version_of_a_flow_has_its_own_figures(operator: Visit) -> None:
    await operator.calls()
    old = re.search(r"version=([0-9a-f]{64})", await operator.see("/console/flows/desk"))
    assert old
    (operator.flows / "desk.yaml").write_text(DESK.replace("Takes messages.", "Takes all messages."))
    await operator.sees("Takes all messages.", "/console/flows")
    await operator.calls()
    await operator.calls()
    assert "Calls 2 " in text(await operator.see("/console/flows/desk"))
    before = text(await operator.see(f"/console/flows/desk?version={old[1]}"))
    assert "Calls 1 " in before
    assert "Takes messages." in before
    assert (await operator.get(f"/console/flows/desk?version={'0' * 64}"))[0] == 404


async def test_a_call_leads_to_the_version_that_took_it_whether_or_not_anybody_calls_that_any_more(
    operator: Visit,
) -> None:
    caller = await operator.calls()
    await caller.leaves()
    (operator.flows / "desk.yaml").write_text(DESK.replace("Takes messages.", "Takes all messages."))
    await operator.sees("Takes all messages.", "/console/flows")
    found = re.search(r'href="(/console/flows/desk\?version=[0-9a-f]{64})"', await operator.call_page())
    assert found
    with closing(sqlite3.connect(operator.data / "calls.db")) as database:
        database.executescript("DELETE FROM turn; DELETE FROM call; UPDATE block SET members = members + 1")
    page = await operator.see(found[1])
    assert "Takes messages." in text(page)
    assert "Calls 0 " in text(page)
    version = found[1].partition("?")[2]
    assert all(version in link for link in re.findall(r'href="([^"]+period=day[^"]*)"', page))
    assert (await operator.get(found[1].replace("/desk?", "/nobody?")))[0] == 404


@pytest.mark.parametrize("path", ["/console", "/console/flows", "/console/flows/desk"])
async def test_a_page_can_be_asked_for_without_its_content(operator: Visit, path: str) -> None:
    async with operator.client.head(operator.url + path) as answer:
        assert answer.status == 200
        assert await answer.read() == b""
