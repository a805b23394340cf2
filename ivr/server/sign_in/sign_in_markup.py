"""The pages of sign-in: one small sheet each, without scripts, and with nothing from elsewhere."""

from typing import Final

from aiohttp import web

from ivr.server.html import Child, Html, join, tag
from ivr.server.replies import headers
from ivr.server.sign_in.sign_in_wording import Wording
from ivr.sign_in_storage import Attempt

STATIC: Final = "/signin/static/"
STYLES: Final = ("base.css", "sign-in.css")
TICKETS: Final = "/s"

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action {}; base-uri 'none'; frame-ancestors 'none'"
)


def sign_in_reply(page: Html, *, status: int = 200, sends_to: str = "", **more: str) -> web.Response:
    """Send a page; `sends_to` is the origin to which its form leads on, which browsers hold against the policy."""
    policy = _POLICY.format(f"'self' {sends_to}".rstrip())
    fields = headers(
        "text/html; charset=utf-8",
        Content_Security_Policy=policy,
        Cross_Origin_Opener_Policy="same-origin",
        Cross_Origin_Resource_Policy="same-origin",
        X_Robots_Tag="noindex",
        **more,
    )
    return web.Response(status=status, body=page.encode(), headers=fields)


def moved(to: str, **more: str) -> web.Response:
    """Send a browser on."""
    page = _page("…", tag("p", tag("a", "→", href=to)), language="en")
    return sign_in_reply(page, status=303, Location=to, **more)


def ticket_page(words: Wording, name: str, wrong: str = "") -> Html:
    """Ask for the ticket; `wrong` says what was wrong with the last one."""
    field = tag(
        "input", name_="ticket", id_="ticket", inputmode="numeric", autocomplete="one-time-code", required=True,
        autofocus=True, maxlength="20", class_="field", aria_describedby="about",
    )  # fmt: skip
    form = tag(
        "form",
        tag("label", words.ticket_label, for_="ticket"),
        field,
        tag("p", wrong, class_="wrong", role="alert") if wrong else None,
        tag("button", words.go_on, class_="button strong"),
        method="post",
        action=TICKETS,
    )
    about = tag("p", words.ticket_about, id_="about")
    return _page(words.ticket, tag("p", name, class_="soft"), _title(words.ticket), about, form,
                 language=words.language)  # fmt: skip


def confirm_page(words: Wording, name: str, attempt: Attempt, link: str) -> Html:
    """Ask whoever opened the link whether it was they who asked for it."""
    asked = words.in_the_chat if attempt.by == "link" else words.on_the_phone
    if attempt.caller:
        asked = words.on_the_phone_number
    # The button has no focus of its own: whoever still presses Enter after the ticket has not answered yet.
    form = tag(
        "form",
        tag("button", words.confirmed, class_="button strong"),
        method="post",
        action=f"{TICKETS}/{link}",
    )
    return _page(
        words.sign_in,
        _title(words.confirm.format(name=name)),
        tag("p", asked.format(name=name, digits=attempt.caller)),
        tag("p", words.own_request, class_="soft"),
        form,
        language=words.language,
    )


def code_page(words: Wording, name: str, code: str) -> Html:
    """Show the code, in two halves."""
    spaced = f"{code[:4]} {code[4:]}"
    return _page(
        words.code,
        tag("p", name, class_="soft"),
        _title(words.code),
        tag("p", words.code_about),
        tag("p", spaced, class_="code", aria_label=" ".join(code)),
        tag("p", words.warning, class_="warning", role="note"),
        tag("p", words.code_lasts, class_="soft"),
        language=words.language,
    )


def result_page(words: Wording, name: str, title: str, about: str) -> Html:
    """Show how it ended."""
    return _page(title, tag("p", name, class_="soft"), _title(title), tag("p", about), language=words.language)


def _title(text: str) -> Html:
    return tag("h1", text)


def _page(title: str, *content: Child, language: str) -> Html:
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        *(tag("link", rel="stylesheet", href=f"{STATIC}{name}") for name in STYLES),
        tag("link", rel="icon", href=f"{STATIC}icon.svg"),
    )
    body = tag("body", tag("main", tag("section", *content, class_="sheet")), class_="sign-in")
    return join([Html("<!doctype html>"), tag("html", head, body, lang=language)])
