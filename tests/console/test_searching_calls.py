"""Calls are found by what is known of them, page by page, and go into a file."""

import csv
import io
import re
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest

from ivr.call_search import FoundCall, FoundCalls, WantedCalls
from ivr.errors import StoreUnavailable
from ivr.server.console import calls_csv, searching
from ivr.server.console.calls_csv import harmless
from ivr.store.memory.memory_calls import MemoryStore
from ivr.store.memory.memory_search import MemorySearch
from ivr.store.sqlite.sqlite_search import SqliteSearch
from tests.console.visiting import Visit, visiting
from tests.store.store_examples import after, record

EVIL = '=HYPERLINK("http://evil.example","x")'
ID = re.compile(r'href="/console/calls/([0-9a-f]{32})"')


def listed(page: str) -> list[str]:
    return ID.findall(page)


async def exported(visit: Visit, query: str = "") -> list[dict[str, str]]:
    status, headers, text = await visit.get(f"/console/calls.csv{query}")
    assert status == 200
    assert headers["Content-Type"].startswith("text/csv")
    assert re.fullmatch(r'attachment; filename="calls-\d{8}-\d{6}\.csv"', headers["Content-Disposition"])
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


# --- the page ---------------------------------------------------------------------------------------------------------


async def test_a_call_is_found_by_each_thing_that_is_known_of_it(operator: Visit) -> None:
    anna = await operator.calls("+43 664 5550100")
    await (await operator.calls("+49 30 1234567")).leaves()
    await anna.presses("1")
    (both, other) = (await operator.see("/console/calls"), await operator.see("/console/calls?outcome=abandoned"))
    (second, first) = listed(both)
    assert listed(other) == [second]
    for query, found in (
        ("number=%2B436645550100", [first]), ("number=1234567", [second]), ("number=nobody", []),
        ("flow=desk", [second, first]), ("flow=no-such-flow", []),
        ("state=report", [first]), ("state=main", [second]), ("outcome=live", [first]),
        ("channel=skype", [second, first]), ("channel=twilio", []),
        ("since=2001-01-01", [second, first]), ("until=2001-01-01T10%3A30", []),
        ("number=664&state=report&flow=desk&outcome=live&channel=skype", [first]), ("number=664&state=main", []),
    ):  # fmt: skip
        assert listed(await operator.see(f"/console/calls?{query}")) == found, query


async def test_what_is_looked_for_stands_in_the_form_and_goes_along(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        await visit.log_in()
        page = await visit.see(f"/console/calls?number={quote(EVIL)}&since=2026-03-01&flow=desk")
        assert 'value="=HYPERLINK(&quot;http://evil.example&quot;,&quot;x&quot;)"' in page
        assert 'value="2026-03-01T00:00"' in page
        assert f'href="/console/calls.csv?number={quote(EVIL, safe="")}&amp;flow=desk&amp;since=2026-03-01"' in page
        assert "No such call." in page


async def test_a_number_may_be_pasted_with_marks_that_nobody_sees(operator: Visit) -> None:
    await operator.calls("+43 664 5550100")
    pasted = quote("\u202a+43\u00a0664\u00a05550100\u202c\x00")
    assert len(listed(await operator.see(f"/console/calls?number={pasted}"))) == 1


REFUSED = [
    "since=yesterday",
    "until=9999999-01-01",
    "since=9999-12-31T23%3A59-23%3A59",
    "until=0001-01-01T00%3A00%2B14%3A00",
    "before=x",
    "before=-1",
    f"before={'9' * 19}",
    f"number={'1' * 201}",
]


@pytest.mark.parametrize("query", [*REFUSED, "before=%C2%B2"])
async def test_what_cannot_be_looked_for_is_refused(operator: Visit, query: str) -> None:
    for path in ("/console/calls", "/console/calls.csv") if "before" not in query else ("/console/calls",):
        status, _, text = await operator.get(f"{path}?{query}")
        assert status == 400, text


async def test_pages_follow_each_other_while_calls_come_in(operator: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching.page_of, "__kwdefaults__", {"page": 2, "looked_at": 100})
    callers = [await operator.calls() for _ in range(5)]
    first = await operator.see("/console/calls?flow=desk")
    older = re.search(r'href="(/console/calls\?flow=desk&amp;before=\d+)"', first)
    assert older
    assert "Newest calls" not in first
    await operator.calls()
    second = await operator.see(older[1].replace("&amp;", "&"))
    assert 'href="/console/calls?flow=desk"' in second
    assert len(set(listed(first)) | set(listed(second))) == 4
    assert len(callers) == 5


async def test_only_who_is_logged_in_finds_anything(visit: Visit) -> None:
    for path in ("/console/calls", "/console/calls.csv?flow=desk"):
        status, headers, _ = await visit.get(path)
        assert (status, headers["Location"]) == (303, "/console/login")


async def test_a_page_looks_at_so_many_calls_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "PORTION", 4)
    store = MemoryStore()
    for number in range(20):
        await store.commit(after(record(f"{number:02}"), over=number in {3, 4}))
    search, wanted = MemorySearch(store), WantedCalls(outcome="none")
    first = await searching.page_of(search, wanted, None, page=5, looked_at=12)
    assert (list(first.calls), first.looked) == ([], 12)
    second = await searching.page_of(search, wanted, first.older, page=5, looked_at=12)
    assert [one.id for one in second.calls] == [record("04").id, record("03").id]
    assert (second.looked, second.older) == (8, None)
    every = [one async for portion in searching.all_of(search, WantedCalls()) for one in portion]
    assert [one.id for one in every] == [record(f"{number:02}").id for number in reversed(range(20))]


# --- the file ---------------------------------------------------------------------------------------------------------


async def test_the_file_has_what_the_page_would_show_and_nothing_private(operator: Visit) -> None:
    caller = await operator.calls("+43 664 5550100")
    await caller.presses("3")
    await caller.presses("8642")
    await caller.hears_the_end()
    await operator.calls("+49 30 1234567")
    (live, over) = await exported(operator)
    assert list(live) == list(calls_csv.COLUMNS)
    assert (live["caller"], live["outcome"], live["ended"], live["seconds"]) == ("'+49 30 1234567", "live", "", "")
    assert (over["caller"], over["flow"], over["channel"], over["direction"]) == (
        "'+43 664 5550100", "desk", "skype", "incoming"
    )  # fmt: skip
    assert over["state"] == "thanks"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", over["ended"])
    assert "8642" not in repr(over)
    assert await exported(operator, "?outcome=live") == [live]
    assert await exported(operator, "?number=nobody") == []


async def test_a_file_of_many_portions_is_whole(operator: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "PORTION", 2)
    for _ in range(5):
        await operator.calls()
    lines = await exported(operator)
    assert [one["call"] for one in lines] == listed(await operator.see("/console/calls"))


async def test_what_a_caller_is_called_is_no_formula_and_one_cell(operator: Visit) -> None:
    await operator.calls(EVIL)
    (line,) = await exported(operator)
    assert line["caller"] == f"'{EVIL}"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("+436645550100", "+436645550100"),
        ("0664", "0664"),
        ("+43 664", "'+43 664"),
        ("=1+1", "'=1+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "  '=1"),
        ("\t=1", " '=1"),
        ("a;=1", "a;'=1"),
        ('a",=1', "a\",'=1"),
        ("a\r\n=1\r\n", "a  =1  "),
        ("＝1", "'＝1"),  # as wide as an ideograph, and a formula in some languages' spreadsheets
        ("sip:anna@example.com", "sip:anna@example.com"),
        ("\ud800", "?"),
        ("", ""),
    ],
)
def test_a_cell_is_harmless(text: str, cell: str) -> None:
    assert harmless(text) == cell


def test_a_cell_may_hold_what_ends_one() -> None:
    call = FoundCall(1, "a" * 32, "f" * 64, "skype", 'a "b", c', "x", False, 1.0, None, "", None)
    text = (calls_csv.head() + calls_csv.rows([(call, "desk")])).decode("utf-8-sig")
    (line,) = csv.DictReader(io.StringIO(text))
    assert line["caller"] == 'a "b", c'
    assert text.count("\r\n") == 2


async def test_a_head_says_what_a_file_would_be_and_sends_none(operator: Visit) -> None:
    async with operator.client.head(f"{operator.url}/console/calls.csv") as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8; header=present")


class _Failing(SqliteSearch):
    """A store whose disk goes away after the first portion."""

    async def search(self, wanted: WantedCalls, *, before: int | None, limit: int, look: int) -> FoundCalls:
        if before is not None:
            raise StoreUnavailable("the disk is away")
        return await super().search(wanted, before=before, limit=limit, look=look)


async def test_a_file_that_cannot_be_finished_does_not_look_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(searching, "PORTION", 2)
    monkeypatch.setattr("ivr.store.sqlite.sqlite_opening.SqliteSearch", _Failing)
    async with visiting(tmp_path, tokens=True) as visit:
        await visit.log_in()
        for _ in range(3):
            await visit.calls()
        for _ in range(3):  # each gives its place back
            with pytest.raises(aiohttp.ClientError):
                await visit.get("/console/calls.csv")
    assert "call list cut off" in caplog.text
    assert "request failed" not in caplog.text
