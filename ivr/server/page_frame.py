"""The frame of the pages for people: their head, and the bar that leads from one to the other."""

from collections.abc import Sequence

from ivr.server.html import Child, Html, join, tag

START, PHONE, CHAT, CONSOLE = "/", "/phone", "/chat", "/console"
"Where the pages are. The first three are there in development mode alone."

_CONSOLE = (
    ("Calls", CONSOLE),
    ("Voicemails", f"{CONSOLE}/voicemails"),
    ("Figures", f"{CONSOLE}/figures"),
    ("Flows", f"{CONSOLE}/flows"),
)


def html_page(
    title: str, *body: Child, root: str, styles: Sequence[str], script: str | None, class_: str | None = None
) -> Html:
    """Make a whole page; its files are found under `root`."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{title} – ivr"),
        *(tag("link", rel="stylesheet", href=f"{root}/static/{name}") for name in styles),
        tag("link", rel="icon", href=f"{root}/static/icon.svg"),
        tag("script", type="module", src=f"{root}/static/{script}") if script else None,
    )
    return join([Html("<!doctype html>"), tag("html", head, tag("body", *body, class_=class_), lang="en")])


def bar(here: str | None, *beside: Child, development: bool, console: bool = True) -> Html:
    """Make the bar at the top; `here` is the place that a page belongs to, `beside` stands at the end.

    `development`: there are a start page and a phone, too. `console`: the person at the page may see the console.
    """
    places = [*([("Phone", PHONE), ("Chat", CHAT)] if development else []), *(_CONSOLE if console else ())]
    links = [tag("a", name, href=path, aria_current="page" if path == here else None) for name, path in places]
    brand = _brand(here) if development else tag("span", "ivr console", class_="brand")
    return tag("header", tag("div", brand, tag("nav", *links, aria_label="Pages"), *beside), class_="top")


def _brand(here: str | None) -> Html:
    return tag("a", "ivr", href=START, class_="brand", aria_label="ivr, start page",
               aria_current="page" if here == START else None)  # fmt: skip
