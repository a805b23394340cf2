"""What all pages of the console share: the frame, and how times, names and outcomes are written."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from aiohttp import web

from ivr.server.html import Child, Html, join, tag
from ivr.server.pagefiles import POLICY
from ivr.server.replies import headers

ROOT = "/console"
PLACES = (("Calls", ROOT), ("Flows", f"{ROOT}/flows"))
_TONES = {"resolved": "good", "abandoned": "warm", "unresolved": "warm", "failed": "bad"}


def document(title: str, *content: Child, here: str | None = None, script: str = "console.js", every: int = 2) -> Html:
    """Make a whole page; `here` is the place that it belongs to, None before the login.

    `every`: seconds between two looks whether something has changed.
    """
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{title} – ivr"),
        *(tag("link", rel="stylesheet", href=f"{ROOT}/static/{name}") for name in ("base.css", "console.css")),
        tag("link", rel="icon", href=f"{ROOT}/static/icon.svg"),
        tag("script", type="module", src=f"{ROOT}/static/{script}"),
    )
    top = _top(here) if here is not None else None
    body = tag("body", top, tag("main", *content, data_every=str(every)))
    return join([Html("<!doctype html>"), tag("html", head, body, lang="en")])


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


def _top(here: str) -> Html:
    links = [tag("a", name, href=path, aria_current="page" if path == here else None) for name, path in PLACES]
    leave = tag("form", tag("button", "Log out", class_="button small"), method="post", action=f"{ROOT}/logout")
    places = tag("nav", *links, aria_label="Console", class_="heading")
    return tag("header", tag("div", tag("span", "ivr console", class_="brand"), places, leave), class_="top")


def heading(title: str, *beside: Child, aside: Child = None, live: str | None = None) -> Html:
    """Make the head of a page; `live` as for a sheet."""
    return tag("div", tag("h1", title), *beside, tag("span", aside, class_="aside soft") if aside else None,
               class_="heading", data_live=live)  # fmt: skip


def sheet(title: str, *content: Child, aside: Child = None, live: str | None = None) -> Html:
    """Make a part of a page; one that is `live` is kept up to date, by this name."""
    named = tag("div", tag("h2", title), tag("span", aside, class_="aside soft") if aside else None, class_="title")
    return tag("section", named, *content, class_="sheet", data_live=live)


def table(columns: Sequence[str], rows: Mapping[str, Sequence[Child]], *, empty: str, numbers: str = "") -> Html:
    """Make a table; the columns named in `numbers` are aligned to the right.

    `rows` have keys, by which a page that is kept up to date finds each again.
    """
    right = [name in numbers.split("|") for name in columns]
    body = [
        tag("tr", *(tag("td", cell, class_="number" if so else "text") for cell, so in zip(row, right, strict=True)),
            data_key=key)
        for key, row in rows.items()
    ]  # fmt: skip
    if not body:
        return tag("p", empty, class_="empty")
    names = [tag("th", name, scope="col", class_="number" if so else None)
             for name, so in zip(columns, right, strict=True)]  # fmt: skip
    return tag("div", tag("table", tag("thead", tag("tr", *names)), tag("tbody", *body)), class_="wide")


def facts(pairs: Iterable[tuple[str, Child]]) -> Html:
    """Make a list of names and what they are."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", what)) for name, what in pairs), class_="facts")


def call_link(call: str) -> Html:
    """Lead to a call's page."""
    return tag("a", call[:8], href=f"{ROOT}/calls/{call}", class_="mono")


def flow_link(name: str) -> Html:
    """Lead to a flow's page."""
    return tag("a", name, href=flow_address(name))


def flow_address(name: str, **query: str) -> str:
    """Give the address of a flow's page."""
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
