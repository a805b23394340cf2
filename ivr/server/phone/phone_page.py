"""The phone's page: everything in it works by keyboard, has a name for those who do not see it, and fits a pocket."""

from collections.abc import Mapping

from ivr.server.html import Html, tag
from ivr.server.page_frame import CONSOLE, PHONE, bar, html_page
from ivr.server.phone.own_bot import OwnBot
from ivr.trace.files import NAME_RULE

ROOT = PHONE
KEYS: Mapping[str, str] = {
    "1": "", "2": "ABC", "3": "DEF", "4": "GHI", "5": "JKL", "6": "MNO", "7": "PQRS", "8": "TUV", "9": "WXYZ",
    "*": "", "0": "+", "#": "",
}  # fmt: skip
_NAMES = {"*": "star", "#": "pound"}


def phone_page(own_bot: OwnBot | None, bot: str, *, wanted: str = "") -> Html:
    """Make the page; `bot` is the address that is called where the bot is not our own server.

    `wanted` is the flow that is chosen at first, if there is one of that name.
    """
    parts = [_phone(own_bot, bot, wanted), _talk(own_bot), _flow() if own_bot else None]
    main = tag("main", *parts, class_="three" if own_bot else "two")
    top = bar(PHONE, development=True) if own_bot else None
    return html_page("Phone", top, main, root=ROOT, styles=("base.css", "phone.css"), script="phone.js", class_="whole")


def _phone(own_bot: OwnBot | None, bot: str, wanted: str) -> Html:
    return tag(
        "section",
        tag("div", tag("h1", "Phone"), tag("span", "ready", id_="status", role="status", class_="tag"), class_="title"),
        _dial(own_bot, bot, wanted),
        tag("div", tag("button", "Call", id_="call", class_="button strong", type_="submit", form="dial"),
            class_="buttons"),
        tag("div", *(_key(key, letters) for key, letters in KEYS.items()), class_="keys", role="group",
            aria_label="Keypad"),
        tag(
            "form",
            tag("label", "Say, by typing", for_="words", class_="only-read"),
            tag("input", id_="words", class_="field", placeholder="Say it by typing", maxlength="500",
                autocomplete="off", disabled=True),
            tag("button", "Say", class_="button", disabled=True),
            id_="say",
            class_="row",
        ),
        tag(
            "div",
            tag("button", "Use the microphone", id_="microphone", class_="button small", type_="button",
                aria_pressed="false"),
            tag("span", "", id_="level", class_="level", aria_hidden="true", hidden=True),
            tag("span", "", id_="ear", class_="soft", role="status"),
            class_="row ear",
        ),
        tag("p", "", id_="missing", class_="soft", hidden=True),
        class_="sheet phone",
        aria_label="Phone",
    )  # fmt: skip


def _dial(own_bot: OwnBot | None, bot: str, wanted: str) -> Html:
    if own_bot is None:
        return tag("form", tag("p", "Calls ", tag("code", bot), class_="soft"), id_="dial")
    flows = own_bot.flows
    chosen = wanted if wanted in flows else own_bot.default or next(iter(flows), "")
    options = [
        tag("option", name, value=name, selected=name == chosen, data_about=about) for name, about in flows.items()
    ]
    return tag(
        "form",
        tag("label", "Flow", for_="flow"),
        tag("select", *options, id_="flow", class_="field"),
        tag("p", "", id_="about", class_="soft"),
        _languages(own_bot),
        tag("label", "Time for the flow", for_="at"),
        tag("input", id_="at", class_="field", placeholder="now", maxlength="40", autocomplete="off",
            spellcheck="false", aria_describedby="at-rule"),
        tag("p", "For example 10:00, 2026-12-24, or both. Empty: the current time.", id_="at-rule", class_="soft"),
        id_="dial",
    )  # fmt: skip


def _languages(own_bot: OwnBot) -> Html | None:
    if not own_bot.languages:
        return None
    options = [tag("option", name, value=name) for name in own_bot.languages]
    usual = tag("option", "as usual", value="")
    label = tag("label", "The caller's language", for_="language")
    return tag("div", label, tag("select", usual, *options, id_="language", class_="field"))


def _key(key: str, letters: str) -> Html:
    name = f"Key {_NAMES.get(key, key)}"
    inner = tag("span", key), tag("small", letters)
    return tag("button", *inner, type_="button", data_key=key, aria_label=name, disabled=True)


def _talk(own_bot: OwnBot | None) -> Html:
    return tag(
        "section",
        tag("div", tag("h2", "Conversation"), _record() if own_bot else None,
            tag("span", "", id_="clock", class_="aside soft"), class_="title"),
        tag("div", id_="outdated", role="status", hidden=True),
        tag("div", tag("ol", id_="talk", class_="talk", role="log", aria_live="polite", aria_label="Conversation"),
            tag("p", "Press Call. The conversation appears here.", id_="nothing", class_="soft"),
            id_="paper", tabindex="0", role="group", aria_label="What was said"),
        tag("div", id_="offers", class_="offers", role="group", aria_label="What you can answer"),
        tag(
            "form",
            *(_case() if own_bot else [tag("p", "A script makes the same call again.", class_="soft")]),
            tag("button", "Save as a script", id_="write", class_="button", type_="button"),
            tag("div", id_="kept", role="status", hidden=True),
            id_="keep",
            class_="keep",
            hidden=True,
        ),
        class_="sheet conversation",
        aria_label="Conversation",
    )  # fmt: skip


def _record() -> Html:
    """Link to the call in the console, in another tab: leaving this page hangs up."""
    return tag("a", "In the console", id_="record", href=CONSOLE, target="_blank", rel="noopener", hidden=True)


def _case() -> tuple[Html, ...]:
    """Offer what can be done with a call that our own server has taken."""
    return (
        tag("p", "Save the call as a case for tests, or as a script that makes the same call again. Replay shows what "
            "this caller would hear from the current version of the flow.", class_="soft"),
        tag("label", "Name of the case", for_="name", class_="only-read"),
        tag("input", id_="name", class_="field", pattern="[a-z0-9][a-z0-9\\-]{0,59}", required=True,
            autocomplete="off", spellcheck="false", title=NAME_RULE, aria_describedby="name-rule"),
        tag("button", "Save as a case", class_="button"),
        tag("p", f"{NAME_RULE}.", id_="name-rule", class_="soft"),
        tag("button", "Replay", id_="replay", class_="button", type_="button"),
    )  # fmt: skip


def _flow() -> Html:
    return tag(
        "section",
        tag("div", tag("h2", "Flow"), tag("span", "", id_="where", class_="aside soft", role="status"),
            class_="title"),
        tag("div", id_="picture", class_="picture", tabindex="0", role="group", aria_label="Picture of the flow"),
        tag("div", tag("h3", "Variables", id_="variables-name"), tag("dl", id_="variables"), id_="known",
            class_="known", tabindex="0", role="group", aria_labelledby="variables-name", hidden=True),
        class_="sheet drawn",
        aria_label="Flow",
    )  # fmt: skip
