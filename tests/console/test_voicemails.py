"""Voicemails that callers left: to be heard, read, and marked as done, which can be undone."""

import re
from pathlib import Path

import pytest

from ivr.server.console import voicemail_list
from tests.console.visiting import Visit, visiting

NAME = re.compile(r'data-key="([0-9a-f]{32}/\d+)"')
FIELD = re.compile(r'name="voicemail" value="([^"]*)"')


async def leaves_a_voicemail(visit: Visit, who: str = "+43 664 5550100", key: str = "1") -> None:
    caller = await visit.calls(who)
    await caller.presses(key)
    await caller.speaks()
    await caller.hears_the_end()


async def waiting(visit: Visit, view: str = "") -> list[str]:
    return NAME.findall(await visit.see(f"/console/voicemails{view}"))


async def mark(visit: Visit, what: str, name: str, **headers: str) -> tuple[int, str]:
    where = f"{visit.url}/console/voicemails/{what}"
    async with visit.client.post(where, data={"voicemail": name}, headers=headers, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", "")


async def test_a_voicemail_is_heard_read_and_marked_as_done_and_that_is_undone(operator: Visit) -> None:
    await leaves_a_voicemail(operator)
    page = await operator.see("/console/voicemails")
    for words in ("+43 664 5550100", "the radio is broken", "desk", "1 s"):
        assert words in page
    (sound,) = re.findall(r'src="(/console/audio/[^"]*)"', page)
    async with operator.client.get(operator.url + sound.replace("&amp;", "&")) as answer:
        assert (answer.status, answer.content_type) == (200, "audio/wav")
    (name,) = NAME.findall(page)
    status, back = await mark(operator, "done", name)
    assert (status, back) == (303, f"/console/voicemails?marked={name}")
    page = await operator.see(back)
    assert "The voicemail is done." in page
    assert "No voicemail waits." in page
    assert FIELD.findall(page) == [name], "the way back"
    assert await waiting(operator, "?show=done") == [name]
    status, back = await mark(operator, "open", name)
    assert (status, back) == (303, f"/console/voicemails?show=done&marked={name}")
    assert "to do again" in await operator.see(back)
    assert await waiting(operator) == [name]
    assert await waiting(operator, "?show=done") == []


async def test_what_is_done_is_done_after_a_restart(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        await visit.log_in()
        await leaves_a_voicemail(visit)
        (name,) = await waiting(visit)
        await mark(visit, "done", name)
    for file in ("flows", "speech.json"):
        (tmp_path / file).rename(tmp_path / f"old-{file}")
    async with visiting(tmp_path) as visit:
        await visit.log_in()
        assert await waiting(visit) == []
        assert await waiting(visit, "?show=done") == [name]


async def test_each_voicemail_of_a_call_is_done_by_itself(tmp_path: Path) -> None:
    twice = "flow: twice\ninitial: one\non: {exhausted: bye, error: bye}\nstates:\n" + "".join(
        f"  {name}: {{record: {{prompt: Speak., transcribe: false, format: wav, into: {name}}}, next: {after}}}\n"
        for name, after in (("one", "two"), ("two", "bye"))
    )
    twice += "  bye: {say: Goodbye., final: true}\n"
    async with visiting(tmp_path, more={"twice.yaml": twice}, settings={"default_flow": "twice"}) as visit:
        await visit.log_in()
        caller = await visit.calls()
        await caller.speaks()
        await caller.speaks()
        await caller.hears_the_end()
        first, second = await waiting(visit)
        assert (first[-2:], second[-2:]) == ("/0", "/1")
        assert "No transcript." in await visit.see("/console/voicemails")
        await mark(visit, "done", first)
        assert await waiting(visit) == [second]
        assert await waiting(visit, "?show=done") == [first]


async def test_what_is_for_nobodys_ears_is_no_voicemail(operator: Visit) -> None:
    await leaves_a_voicemail(operator, key="2")
    page = await operator.see("/console/voicemails")
    assert "No voicemail waits." in page
    call = (await operator.call_address()).rpartition("/")[2]
    assert await mark(operator, "done", f"{call}/0") == (404, "")
    assert await waiting(operator, "?show=done") == []


async def test_only_a_page_of_this_server_and_somebody_who_is_logged_in_marks_anything(visit: Visit) -> None:
    await leaves_a_voicemail(visit)
    assert await mark(visit, "done", f"{'0' * 32}/0") == (303, "/console/login")
    await visit.log_in()
    (name,) = await waiting(visit)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert (await mark(visit, "done", name, **headers))[0] == 403
    assert await waiting(visit) == [name]


@pytest.mark.parametrize(
    ("name", "status"),
    [("", 400), ("x/0", 400), (f"{'0' * 32}/0", 404), (f"{'0' * 32}/1234", 400), (f"../{'0' * 32}/0", 400)],
)
async def test_a_form_that_names_no_voicemail_changes_nothing(operator: Visit, name: str, status: int) -> None:
    assert (await mark(operator, "done", name))[0] == status
    assert (await mark(operator, "elsewhere", name))[0] == 405


async def test_older_voicemails_follow_page_by_page(operator: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voicemail_list, "PAGE", 2)
    monkeypatch.setattr(voicemail_list, "PORTION", 2)
    for _ in range(3):
        await leaves_a_voicemail(operator)
    page = await operator.see("/console/voicemails")
    older = re.search(r'href="(/console/voicemails\?before=\d+)"', page)
    assert older
    await leaves_a_voicemail(operator)
    second = await operator.see(older[1])
    assert len({*NAME.findall(page), *NAME.findall(second)}) == 3
    assert "Older voicemails" not in second


async def test_a_page_reads_so_many_calls_and_then_offers_to_go_on(
    operator: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voicemail_list, "PORTION", 1)
    monkeypatch.setattr(voicemail_list, "MOST_READ", 2)
    await leaves_a_voicemail(operator)
    for _ in range(2):
        await leaves_a_voicemail(operator, key="2")
    page = await operator.see("/console/voicemails")
    assert "None of the newest ones." in page
    older = re.search(r'href="(/console/voicemails\?before=\d+)"', page)
    assert older
    assert len(NAME.findall(await operator.see(older[1]))) == 1
