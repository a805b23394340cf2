"""The pages of the chat: the one of development, and the one inside a company's page. What is said comes by script."""

from collections.abc import Mapping

from ivr.server.html import Child, Html, join, tag
from ivr.server.page_frame import CHAT, bar, html_page


def chat_page(flows: Mapping[str, str], *, wanted: str = "") -> Html:
    """Make the page on which a flow is chosen; `flows`: each with what it is for. `wanted` is chosen at first."""
    options = [
        tag("option", name, value=name, selected=name == wanted, data_about=about) for name, about in flows.items()
    ]
    chooser = tag(
        "form",
        tag("label", "Flow", for_="flow"),
        tag("select", *options, id_="flow", class_="field"),
        tag("p", "", id_="about", class_="soft"),
        id_="choose",
    )
    main = tag("main", _chat("Chat", chooser), class_="page")
    return _framed("Chat", bar(CHAT, development=True), main, class_="whole")


def frame_page(title: str) -> Html:
    """Make the page inside another one, whose script lets it know for whom it is."""
    closing = tag("button", "Close", id_="close", type_="button", class_="button small")
    return _framed(title, tag("main", _chat(title, None, closing), class_="frame"), class_="framed")


def _framed(title: str, *body: Child, class_: str) -> Html:
    return html_page(title, *body, root=CHAT, styles=("base.css", "chat.css"), script="chat.js", class_=class_)


def _chat(title: str, chooser: Html | None, *beside: Child) -> Html:
    anew = tag("button", "Begin anew", id_="anew", type_="button", class_="button small")
    return tag(
        "section",
        tag("div", tag("h1", title), anew, *beside, class_="title"),
        chooser,
        tag(
            "div",
            tag("div", tag("ol", id_="talk", class_="talk"), role="log", aria_live="polite", aria_label="Conversation"),
            tag("p", "…", id_="waiting", class_="waiting", hidden=True, aria_hidden="true"),
            id_="paper",
            tabindex="0",
            role="group",
            aria_label="What was said",
        ),
        tag("p", "", id_="state", class_="soft", role="status"),
        _writing(),
        class_="sheet chat",
        aria_label=title,
    )


def _writing() -> Html:
    field = tag(
        "textarea",
        "",
        id_="words",
        class_="field",
        rows="1",
        maxlength="4000",
        placeholder="Write a message",
        autocomplete="off",
        enterkeyhint="send",
    )
    parts = tag("label", "Your message", for_="words", class_="only-read"), field
    return tag("form", join(parts), tag("button", "Send", class_="button strong"), id_="write", class_="row")
