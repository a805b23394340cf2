"""What the settings of a server lack for a flow: hosts, secrets, ways to tell somebody."""

from typing import Any

import pytest

from ivr.flowfile.checks import Provided
from ivr.server.settings_provided import egress_of, provided_by
from ivr.settings import Settings
from tests.flowfile.reading import load, whole

ASKS = 'start: {http: {url: "URL", headers: {X-Key: "Key {{ secrets.shop }}"}}, next: bye}'
ORDERS = ASKS.replace("URL", "https://api.contoso.example/orders/{{ call.id }}")
MAILS = "start: {notify: {email: [anna@contoso.example, '{{ call.from }}@contoso.example'], text: A call.}, next: bye}"
HOOK = "start: {notify: {webhook: https://desk.contoso.example/calls, text: A call.}, next: bye}"
LISTED = ("api.contoso.example",)


def found(example: str, provided: Provided) -> list[str]:
    findings = load(whole(example), provided=provided).findings
    return [
        f"{found.line}:{found.column} {found.message} {found.suggestion}".strip()
        for found in findings
        if found.code == "settings"
    ]


def provided(*secrets: str, dev: bool = False, **settings: Any) -> Provided:
    chosen = Settings(**settings)
    return provided_by(chosen, secrets, egress_of(chosen, dev=dev), pretends=dev)


def test_by_default_nothing_of_it_is_checked() -> None:
    assert [found(text, Provided()) for text in (ORDERS, MAILS, HOOK)] == [[], [], []]


def test_nothing_is_found_where_the_settings_provide_all() -> None:
    assert found(ORDERS, provided("shop", http_hosts=LISTED)) == []
    smtp: dict[str, Any] = {"smtp_server": "mail.contoso.example", "smtp_from": "ivr@contoso.example"}
    assert found(MAILS, provided(**smtp, mail_to=("*@contoso.example",))) == []
    key = "whsec_" + "c2VjcmV0" * 5
    assert found(HOOK, provided(webhook_secret=key, http_hosts=("desk.contoso.example",))) == []


def test_a_host_that_is_not_on_the_list_is_found_at_its_address() -> None:
    assert found(ORDERS, provided("shop", http_hosts=("*.contoso.example:8443",))) == [
        "5:23 No request can go there: api.contoso.example:443 is not on the list IVR_HTTP_HOSTS."
    ]


@pytest.mark.parametrize("dev", [True, False])
def test_a_service_on_the_servers_own_machine_can_be_asked_in_development(dev: bool) -> None:
    local = ASKS.replace("URL", "http://127.0.0.1:8090/orders")
    assert bool(found(local, provided("shop", http_hosts=("127.0.0.1:8090",), dev=dev))) is not dev


def test_an_address_without_a_host_that_is_written_out_is_found_by_another_check() -> None:
    for url in ("https://{{ call.to }}.example/", "{{ call.to }}", "api.contoso.example", "{{ broken"):
        assert found(ASKS.replace("URL", url), provided("shop")) == []


def test_a_secret_that_the_settings_lack_is_found_with_the_one_that_was_meant() -> None:
    assert found(ORDERS, provided("shops", http_hosts=LISTED)) == [
        '5:100 The settings have no secret "shop". Did you mean "shops"?'
    ]
    guard = "start: {decide: [{guard: secrets.code == '1', target: bye}, bye]}"
    assert found(guard, provided()) == ['5:28 The settings have no secret "code".']


def test_without_a_mail_server_no_mail_is_sent_but_in_development_it_is_written() -> None:
    assert found(MAILS, provided()) == ["5:20 No mail can be sent: IVR_SMTP_SERVER is not set."]
    assert found(MAILS, provided(dev=True)) == []


def test_an_address_that_depends_on_the_call_needs_a_pattern() -> None:
    smtp: dict[str, Any] = {"smtp_server": "mail.contoso.example", "smtp_from": "ivr@contoso.example"}
    (told,) = found(MAILS, provided(**smtp))
    assert told.endswith("Who gets this mail depends on the call, and IVR_MAIL_TO allows no address.")


def test_a_webhook_needs_a_secret_and_a_host_on_the_list() -> None:
    assert [one.partition(" ")[2] for one in found(HOOK, provided())] == [
        "No webhook can be sent: IVR_WEBHOOK_SECRET is not set.",
        "No request can go there: desk.contoso.example:443 is not on the list IVR_HTTP_HOSTS.",
    ]


def test_a_state_acknowledges_what_the_settings_lack() -> None:
    assert found(HOOK.replace("next: bye", "next: bye, allow: {settings: Set later.}"), provided()) == []
