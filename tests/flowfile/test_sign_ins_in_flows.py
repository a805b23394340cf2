"""What is found of sign-ins where it depends on the line, on the settings, or on other flows."""

from typing import Any

import pytest
from msgspec.structs import replace

from ivr.channels.skype.codec import SkypeChannel
from ivr.flowfile.checks import Provided
from ivr.server.settings_provided import egress_of, provided_by
from ivr.settings import Settings
from tests.flowfile.reading import load

FLOW = """
flow: example
initial: start
on: {exhausted: bye, error: bye}
signIns: {calendar: {}}
states:
  start:
    signIn: {name: calendar, by: WAY, prompt: PROMPT}
    on: {signedIn: look, declined: bye, expired: bye, failed: bye}
  look: {http: {url: "https://graph.microsoft.com/me", auth: {signIn: calendar}}, next: bye}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""
PAGE = '"Open {{ signIn.page }}."'


def messages(text: str, code: str, **environment: Any) -> list[str]:
    findings = load(text.lstrip(), **environment).findings
    return [found.message for found in findings if found.code == code]


def flow(way: str = "code", prompt: str = PAGE) -> str:
    return FLOW.replace("WAY", way).replace("PROMPT", prompt)


def provided(*, dev: bool = False, **settings: Any) -> Provided:
    chosen = Settings(http_hosts=("graph.microsoft.com",), **settings)
    return provided_by(chosen, (), egress_of(chosen, dev=dev), pretends=dev)


@pytest.mark.parametrize(
    ("way", "settings", "said"),
    [
        ("code", {}, ["Nobody can sign in: IVR_SIGN_IN_CLIENT_ID is not set."]),
        ("code", {"sign_in_client_id": "app"}, []),
        ("code", {"dev": True}, []),
        ("device", {"sign_in_client_id": "app"}, ['Nobody can sign in by "device": IVR_SIGN_IN_DEVICE is not true.']),
        ("device", {"sign_in_client_id": "app", "sign_in_device": True}, []),
        (
            "code",
            {"sign_in_client_id": "app", "sign_in_hosts": ("mail.example.com",)},
            ["No request can go there: graph.microsoft.com:443 is not on the list IVR_SIGN_IN_HOSTS."],
        ),
    ],
)
def test_what_the_settings_lack_for_a_sign_in(way: str, settings: dict[str, Any], said: list[str]) -> None:
    prompt = '"Enter {{ signIn.code }}."' if way == "device" else PAGE
    assert messages(flow(way, prompt), "settings", provided=provided(**settings)) == said


@pytest.mark.parametrize(
    ("line", "prompt", "is_found"),
    [
        ("skype", '"Open {{ signIn.link }}."', True),
        ("chat", '"Open {{ signIn.link }}."', False),
        ("skype", '{guard: "call.channel == \'chat\'", text: "Open {{ signIn.link }}."}', False),
        ("skype", PAGE, False),
    ],
)
def test_a_link_is_not_to_be_spoken(line: str, prompt: str, is_found: bool) -> None:
    can = replace(SkypeChannel.can, writes=line == "chat")
    found = messages(flow(prompt=prompt), "sign-in", channel=can)
    assert found == (["A link of a hundred characters would be spoken."] if is_found else [])


def test_a_flow_that_is_invoked_may_be_so_after_a_sign_in() -> None:
    part = """
flow: part
initial: look
on: {exhausted: back, error: back}
signIns: {calendar: {}}
states:
  look: {http: {url: "https://graph.microsoft.com/me", auth: {signIn: calendar}}, next: back}
  back: {return: done}
"""
    assert messages(part, "signed-in") == []
    assert len(messages(part.replace("return: done", "say: Bye., final: true"), "signed-in")) == 1


def test_a_misspelt_way_is_all_that_is_found_of_a_sign_in() -> None:
    """By `device` there is no code to be wrong: whether `failed.burnt` has to be handled is not known."""
    text = flow("devise").replace("failed: bye", "failed.unavailable: bye").lstrip()
    assert [(found.line, found.code) for found in load(text).findings] == [(7, "value")]


def test_only_a_header_that_says_who_asks_stands_in_the_way_of_a_token() -> None:
    headers = "auth: {signIn: calendar}, headers: {X-Desk: main, Authorization: Basic abc}"
    found = messages(flow().replace("auth: {signIn: calendar}", headers), "sign-in")
    assert len(found) == 1
    assert "Authorization" in found[0]
