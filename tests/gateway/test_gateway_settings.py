"""The gateway's settings: where they come from, what is said about wrong ones, and that secrets stay hidden."""

import re
from pathlib import Path
from typing import Any

import pytest

from ivr.gateway.gateway_settings import (
    FLAGS,
    GATEWAY_SECRETS,
    exposures,
    load_gateway_settings,
    password_of,
    plan_of,
    register_password_of,
)
from ivr.gateway.order_settings import call_password_of, orders_token_of
from ivr.gateway.setting_texts import listen_parts
from ivr.setting_sources import SettingsError, host_port_of, value_text
from ivr.settings import Settings, load_settings

PASSWORD = "correct horse battery"


def refused(**flags: Any) -> str:
    with pytest.raises(SettingsError) as error:
        load_gateway_settings(flags=flags)
    return str(error.value)


def exposed(**flags: Any) -> list[str]:
    return list(exposures(load_gateway_settings(flags=flags).settings))


def test_the_defaults_are_closed_and_local() -> None:
    settings = load_gateway_settings().settings
    assert settings.sip == ("udp://127.0.0.1:5070", "tcp://127.0.0.1:5070")
    assert settings.allow_from == ()
    assert settings.status is None
    assert exposed() == []


def test_a_flag_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('calls = 1\nrtp = "1000-1009"\n[map]\n"*" = "/call/{number}"\n')
    monkeypatch.setenv("IVR_GATEWAY_CALLS", "2")
    loaded = load_gateway_settings(file=file, flags={"calls": "3", "bot": None})
    assert (loaded.settings.calls, loaded.settings.rtp, loaded.settings.map) == (
        3,
        "1000-1009",
        {"*": "/call/{number}"},
    )
    assert [loaded.sources[name] for name in ("calls", "rtp", "bot")] == ["flag", str(file), "default"]


def test_a_map_is_repeated_flags_or_json(monkeypatch: pytest.MonkeyPatch) -> None:
    flags = {"map": ("+4989=/call/a", "*=http://127.0.0.1/x=y")}
    assert load_gateway_settings(flags=flags).settings.map == {"+4989": "/call/a", "*": "http://127.0.0.1/x=y"}
    monkeypatch.setenv("IVR_GATEWAY_MAP", '{"support": "/call/support"}')
    loaded = load_gateway_settings().settings
    assert plan_of(loaded).bot_for("support") == "http://127.0.0.1:8080/call/support"


@pytest.mark.parametrize("value", ["support", "[1]", '{"a": 1}', "[" * 100_000, ("=x",), ("support",)])
def test_what_is_no_map_is_refused_with_an_example(value: object) -> None:
    assert "must be NUMBER=TARGET" in refused(map=value)


def test_lists_are_separated_by_commas_or_are_repeated_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_GATEWAY_ALLOW_FROM", "10.0.0.0/8, 192.0.2.7,")
    assert load_gateway_settings().settings.allow_from == ("10.0.0.0/8", "192.0.2.7")
    flags = {"allow_from": ("::1", "10.0.0.0/8,192.0.2.7")}
    assert load_gateway_settings(flags=flags).settings.allow_from == ("::1", "10.0.0.0/8", "192.0.2.7")


def test_the_server_does_not_take_the_gateways_variables_for_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"IVR_{name.upper()}", raising=False)
    monkeypatch.setenv("IVR_GATEWAY_BOT", "http://127.0.0.1:1/call")
    monkeypatch.setenv("IVR_GATEWAY_ALOW", "x")
    assert load_settings().unknown == ()
    assert load_gateway_settings().unknown == ("unknown setting IVR_GATEWAY_ALOW. Did you mean IVR_GATEWAY_ALLOW?",)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("bot", "127.0.0.1:8080", "must be an address such as http://127.0.0.1:8080/call"),
        ("sip", "udp://localhost:5060", "must be a list of addresses such as udp://127.0.0.1:5070"),
        ("sip", "sip:127.0.0.1", "must be a list of addresses"),
        ("sip", "udp://127.0.0.1:99999", "must be a list of addresses"),
        ("sip", "udp://127.0.0.1:", "must be a list of addresses"),
        ("sip", "udp://127.0.0.1:5060/x", "must be a list of addresses"),
        ("sip", ",", "must be a list of addresses"),
        ("rtp", "20000", "must be two ports, such as 20000-29999"),
        ("rtp", "9-8", "must be two ports"),
        ("rtp", "0-70000", "must be two ports"),
        ("advertise", "sip.example.com", "must be an IP address, such as 203.0.113.7"),
        ("allow_from", "10.0.0.1/8", "must be addresses or networks, such as 10.0.0.0/8; did you set bits"),
        ("allow_from", "here", "must be addresses or networks, such as 10.0.0.0/8"),
        ("status", "9070", "must be an address and a port, such as 127.0.0.1:9070"),
        ("status", "localhost:9070", "must be an address and a port"),
        ("calls", "0", "must be 1 or more"),
        ("calls", "many", "must be a whole number: Calls at the same time, at most; others get 503."),
        ("retry_time", "30s", "must be a number, without a unit"),
        ("log_level", "loud", "must be debug, info, warning or error"),
        ("codecs", "PCMA,G729", "must be PCMA, PCMU, G722 or opus"),
        ("codecs", ",", "must not be empty"),
        ("digest", ",", "must not be empty"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(name: str, value: str, said: str) -> None:
    assert refused(**{name: value}).startswith(f"IVR_GATEWAY_{name.upper()} (flag): {said}")


def test_one_mistake_is_said_once() -> None:
    assert refused(codecs="G729") == "IVR_GATEWAY_CODECS (flag): must be PCMA, PCMU, G722 or opus"


def test_a_bots_address_holds_no_password_and_is_not_repeated() -> None:
    said = refused(bot="http://u:hush@127.0.0.1/call")
    assert "without user or password" in said
    assert "hush" not in said


def test_a_mapped_target_that_is_no_address_is_refused() -> None:
    assert refused(map=("1=call",)).startswith("IVR_GATEWAY_MAP: call must be a path at the bot's host")


def test_the_password_comes_from_the_environment_or_a_file_never_from_a_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert FLAGS["user"] == "--password"
    assert {"password", "register_password"} <= set(GATEWAY_SECRETS)
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    settings = load_gateway_settings(flags={"user": "desk", "password_file": str(file)}).settings
    assert password_of(settings) == PASSWORD
    assert register_password_of(settings) == ""
    monkeypatch.setenv("IVR_GATEWAY_PASSWORD", PASSWORD)
    loaded = load_gateway_settings(flags={"user": "desk"})
    assert password_of(loaded.settings) == PASSWORD
    assert PASSWORD not in repr(loaded)
    assert value_text(loaded.settings.password) == "(hidden)"
    assert "both set" in refused(user="desk", password_file=str(file))


def test_a_password_file_that_is_of_no_use_is_named(tmp_path: Path) -> None:
    file = tmp_path / "password"
    assert f"{file} cannot be read" in refused(user="x", password_file=str(file))
    file.write_text(" \n")
    assert f"{file} is empty" in refused(user="x", password_file=str(file))
    file.write_bytes(b"\xff")
    assert f"{file} is not text" in refused(user="x", password_file=str(file))


def test_settings_that_need_each_other_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "belong together" in refused(user="desk")
    assert "TLS_CERTIFICATE" in refused(sip="tls://127.0.0.1:5061")
    assert "REGISTER_AS (--register) is not set" in refused(register_user="x")
    monkeypatch.setenv("IVR_GATEWAY_PASSWORD", "hunter2")
    assert "belong together" in refused()
    said = refused(user="desk")
    assert "12 characters or more" in said
    assert "hunter2" not in said


def test_everything_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_GATEWAY_RTP", "x")
    monkeypatch.setenv("IVR_GATEWAY_CALLS", "0")
    assert re.findall(r"^IVR_GATEWAY_\w+", refused(bot="x"), re.MULTILINE) == [
        "IVR_GATEWAY_BOT",
        "IVR_GATEWAY_RTP",
        "IVR_GATEWAY_CALLS",
    ]


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("udp://127.0.0.1:5070", ("udp", "127.0.0.1", 5070)),
        ("tcp://[::1]:0", ("tcp", "::1", 0)),
        ("udp://[::1]", ("udp", "::1", 5060)),
        ("tls://0.0.0.0", ("tls", "0.0.0.0", 5061)),
    ],
)
def test_an_address_to_listen_at(address: str, parts: tuple[str, str, int]) -> None:
    assert listen_parts(address) == parts


def test_an_address_of_the_status_pages() -> None:
    assert host_port_of("[::1]:9070") == ("::1", 9070)


def test_what_is_open_is_told() -> None:
    assert "Anybody can call" in exposed(allow_from="0.0.0.0/0")[0]
    assert "Every private network" in exposed(sip="udp://192.0.2.1:5060")[0]
    assert exposed(sip="udp://192.0.2.1:5060", allow_from="198.51.100.0/24") == []
    assert "/metrics" in exposed(status="0.0.0.0:9070")[0]
    assert "in the clear" in exposed(srtp_without_tls=True)[0]


# --- calls that a server orders ---------------------------------------------------------------------------------------

ORDERS = {"orders": "127.0.0.1:9071", "orders_token": "sixteen-letters!"}


def test_no_calls_are_placed_until_somebody_says_where_they_are_ordered() -> None:
    settings = load_gateway_settings().settings
    assert (settings.orders, settings.call_targets, settings.call_callers) == (None, (), ())


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"orders": "127.0.0.1:9071"}, "needs IVR_GATEWAY_ORDERS_TOKEN, 16 characters"),
        ({"orders": "127.0.0.1:9071", "orders_token": "fifteen-letters"}, "needs IVR_GATEWAY_ORDERS_TOKEN"),
        ({"orders": "localhost", "orders_token": "sixteen-letters!"}, "must be an address and a port"),
        ({"orders_token": "sixteen-letters!"}, "IVR_GATEWAY_ORDERS is not set"),
        ({**ORDERS, "call_targets": "0043*"}, "must be patterns such as"),
        ({**ORDERS, "call_targets": "*"}, "must be patterns such as"),
        ({**ORDERS, "call_callers": "anonymous"}, "must be numbers such as"),
        ({**ORDERS, "call_via": "trunk.example.com"}, "must be an address such as sip:trunk.example.com"),
        ({**ORDERS, "call_caller_in": "to"}, "IVR_GATEWAY_CALL_CALLER_IN"),
        ({**ORDERS, "call_user": "acme"}, "belong together"),
        ({**ORDERS, "call_password": "a long password"}, "belong together"),
        ({**ORDERS, "call_targets": "+43*"}, "need a trunk: set IVR_GATEWAY_CALL_VIA"),
        ({**ORDERS, "call_user": "a", "call_password": "b"}, "is for a trunk: set IVR_GATEWAY_CALL_VIA"),
        ({**ORDERS, "placed_per_minute": "0"}, "IVR_GATEWAY_PLACED_PER_MINUTE"),
    ],
)
def test_what_is_wrong_with_orders_is_said_without_a_secret(flags: dict[str, Any], said: str) -> None:
    text = refused(**flags)
    assert said in text
    assert not any(secret in text for secret in ("sixteen-letters!", "fifteen-letters", "a long password"))


def test_the_secrets_of_orders_are_shown_to_nobody_and_have_no_flag(tmp_path: Path) -> None:
    assert {"orders_token", "call_password"} <= set(GATEWAY_SECRETS)
    file = tmp_path / "token"
    file.write_text("sixteen-letters!\n")
    flags = {
        "orders": "127.0.0.1:9071",
        "orders_token_file": str(file),
        "call_via": "sip:a.example",
        "call_user": "acme",
    }
    settings = load_gateway_settings(flags={**flags, "call_password": "a long password"}).settings
    assert orders_token_of(settings) == "sixteen-letters!"
    assert call_password_of(settings) == "a long password"
    assert "a long password" not in repr(settings)


def test_what_orders_are_open_or_closed_to_is_told() -> None:
    assert exposed(**ORDERS) == ["Nobody can be called: --call-targets names nobody."]
    here = {**ORDERS, "call_targets": "+43*", "call_via": "sip:127.0.0.1:5062"}
    assert exposed(**here) == []
    assert "Other machines can reach the door" in exposed(**{**here, "orders": "0.0.0.0:9071"})[0]
    assert "The trunk cannot be reached" in exposed(**{**here, "call_via": "sip:trunk.example.com"})[0]
