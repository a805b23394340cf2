"""What all pages of the console share: the frame, and how times, names and outcomes are written."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from aiohttp import web

from ivr.server.html import Child, Html, tag
from ivr.server.page_frame import CONSOLE, bar, html_page
from ivr.server.replies import headers
from ivr.server.static_files import POLICY

ROOT = CONSOLE
SOME, MANY = 4, 6
"From so many columns on a table needs more than a pocket, or more than half of a wide page."
_CARETS = re.compile(r" *\^+")
_TONES = {"resolved": "good", "abandoned": "warm", "unresolved": "warm", "failed": "bad"}


def document(
    title: str,
    *content: Child,
    here: str | None = None,
    script: str = "console.js",
    every: int = 2,
    leave: bool = True,
    development: bool = False,
) -> Html:
    """Make a whole page; `here` is the place that it belongs to (empty: none of them), None before the login.

    `every`: seconds between two looks whether something has changed; `leave`: somebody is logged in; `development`:
    there are a start page and a phone, too.
    """
    top = None
    if here is not None:
        out = tag("form", tag("button", "Log out", class_="button small"), method="post", action=f"{ROOT}/logout")
        top = bar(here, out if leave else None, development=development)
    elif development:
        top = bar(None, development=True, console=False)
    main = tag("main", *content, data_every=str(every))
    return html_page(title, top, main, root=ROOT, styles=("base.css", "console.css"), script=script)


def page_reply(page: Html, *, status: int = 200, **more: str) -> web.Response:
    """Send a page."""
    fields = headers(
        "text/html; charset=utf-8",
        Content_Security_Policy=POLICY,
        Referrer_Policy="same-origin",  # with none at all, browsers send forms of our own pages as if from nowhere
        Cross_Origin_Opener_Policy="same-origin",
        Cross_Origin_Resource_Policy="same-origin",
        **more,
    )
    return web.Response(status=status, body=page.encode(), headers=fields)


def heading(title: str, *beside: Child, aside: Child = None, live: str | None = None) -> Html:
    """Make the head of a page; `live` as for a sheet."""
    return tag("div", tag("h1", title), *beside, tag("span", aside, class_="aside soft") if aside else None,
               class_="heading", data_live=live)  # fmt: skip


def sheet(title: str, *content: Child, aside: Child = None, live: str | None = None, key: str | None = None) -> Html:
    """Make a part of a page; one that is `live` is kept up to date, by this name; `key`: found again among others."""
    named = tag("div", tag("h2", title), tag("span", aside, class_="aside soft") if aside else None, class_="title")
    return tag("section", named, *content, class_="sheet", data_live=live, data_key=key)


def table(
    columns: Sequence[str], rows: Mapping[str, Sequence[Child]], *, empty: str, numbers: str = "", long: str = ""
) -> Html:
    """Make a table; the columns named in `numbers` are aligned to the right, those in `long` have sentences.

    `rows` have keys, by which a page that is kept up to date finds each again. Where there is no room for the columns,
    each row becomes a card (`console.css`): so every cell has its column's name with it, and the roles say that it is a
    table still, which browsers forget of one that is laid out as something else.
    """
    kinds = {**dict.fromkeys(numbers.split("|"), "number"), **dict.fromkeys(long.split("|"), "text long")}
    body = [
        tag("tr", *(_cell(name, kinds.get(name, "text"), cell) for name, cell in zip(columns, row, strict=True)),
            data_key=key, role="row")
        for key, row in rows.items()
    ]  # fmt: skip
    if not body:
        return tag("p", empty, class_="empty")
    names = [tag("th", name, scope="col", class_=kinds.get(name), role="columnheader") for name in columns]
    head = tag("thead", tag("tr", *names, role="row"), role="rowgroup")
    whole = tag("table", head, tag("tbody", *body, role="rowgroup"), role="table")
    return tag("div", whole, class_=f"wide {_room(len(columns))}".rstrip())


def _room(columns: int) -> str:
    """Return how much room a table needs to be one: below that, its rows become cards."""
    if columns < SOME:
        return ""
    return "few" if columns < MANY else "many"


def _cell(column: str, kind: str, content: Child) -> Html:
    return tag("td", content, class_=kind, data_column=column, role="cell")


def name_tag(name: str) -> Html:
    """Write a name in a list: it is broken only where it is longer than any sensible column."""
    return tag("span", *_breakable(name), class_="name")


def _breakable(name: str) -> Iterable[Child]:
    """Let a name be broken after what joins its words, if it has to be."""
    for part in re.findall(r"[^_.]*[_.]*", name):
        yield part
        yield tag("wbr")


def findings(text: str, tone: str = "bad") -> Html:
    """Show what is wrong with a flow. A line of carets stays below what it marks; all else may wrap."""
    rows = text.split("\n")
    marks = [bool(_CARETS.fullmatch(row)) for row in rows]
    shown = [tag("span", row, class_="fixed") if mark or after else row
             for row, mark, after in zip(rows, marks, [*marks[1:], False], strict=True)]  # fmt: skip
    lines = [part for row in shown for part in ("\n", row)][1:]
    return tag("pre", *lines, class_=f"fault {tone}", tabindex="0", role="group", aria_label="Findings")


def facts(pairs: Iterable[tuple[str, Child]]) -> Html:
    """Make a list of names and what they are."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", what)) for name, what in pairs), class_="facts")


def call_link(call: str) -> Html:
    """Lead to a call's page."""
    return tag("a", call[:8], href=f"{ROOT}/calls/{call}", class_="mono")


def flow_link(name: str) -> Html:
    """Lead to a flow's page."""
    return tag("a", *_breakable(name), href=flow_address(name), class_="name")


def flow_address(name: str, **query: str) -> str:
    """Return the address of a flow's page."""
    asked = "&".join(f"{key}={quote(value, safe='')}" for key, value in query.items())
    return f"{ROOT}/flows/{quote(name, safe='')}{'?' if asked else ''}{asked}"


def outcome_tag(outcome: str | None) -> Html:
    """Show how a call ended; None: it has not."""
    return tag("span", outcome or "live", class_=f"tag {_TONES.get(outcome, '') if outcome else 'live'}".strip())


def moment(seconds: float) -> Html:
    """Write a point in time, in UTC."""
    at = datetime.fromtimestamp(max(seconds, 0.0), UTC)
    return tag("time", at.strftime("%Y-%m-%d %H:%M:%S"), datetime=at.isoformat(timespec="seconds"))


def lasted(seconds: float) -> str:
    """Write a length of time: `4 s`, `1:05`, `2:00:07`."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
