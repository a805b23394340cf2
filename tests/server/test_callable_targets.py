"""Whom the server may call: what a pattern names, and nothing beside it."""

import pytest

from ivr.callable_targets import CallableTargets, read_target, read_target_pattern
from ivr.settings import Settings


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ("+436601234567", "+436601234567"),
        ("+43 660 123-45 67", "+436601234567"),
        ("tel:+436601234567", "+436601234567"),
        ("sip:desk@PBX.Example.com", "sip:desk@pbx.example.com"),
        ("sips:desk@pbx.example.com:5061", "sips:desk@pbx.example.com:5061"),
        ("06601234567", None),
        ("+0431234567", None),
        ("+43", None),
        ("tel:06601234567", None),
        ("sip:pbx.example.com", None),
        ("sip:desk@pbx.example.com;maddr=evil.example", None),
        ("sip:desk@pbx.example.com?Route=evil", None),
        ("sip:a@b@pbx.example.com", None),
        ("+43660\n1234567", None),
        ("", None),
        ("+" + "4" * 300, None),
        ("client:anna", None),
        ("sip:%2B43900123@pbx.example.com", None),
        ("sip:+43-900.123@pbx.example.com", "sip:+43900123@pbx.example.com"),
        ("sip:(0)43@pbx.example.com", "sip:043@pbx.example.com"),
        ("sip:anna.b-c@pbx.example.com", "sip:anna.b-c@pbx.example.com"),
        ("sip:...@pbx.example.com", "sip:...@pbx.example.com"),
    ],
)
def test_a_target_is_a_number_of_a_country_or_a_plain_sip_address(written: str, target: str | None) -> None:
    assert read_target(written) == target


@pytest.mark.parametrize(
    ("patterns", "target", "allowed"),
    [
        ((), "+436601234567", False),
        (("+43*",), "+436601234567", True),
        (("+43*",), "+4436601234567", False),
        (("+436601234567",), "+436601234567", True),
        (("+436601234567",), "+4366012345678", False),
        (("+43*", "!+43900*"), "+43900123456", False),
        (("+43*", "!+43900*"), "+43660123456", True),
        (("!+43900*",), "+43660123456", False),
        (("sip:*@pbx.example.com",), "sip:desk@pbx.example.com", True),
        (("sip:*@PBX.example.com",), "sip:desk@pbx.example.com", True),
        (("sip:*@pbx.example.com",), "sips:desk@pbx.example.com", False),
        (("sip:*@pbx.example.com",), "sip:desk@pbx.example.com.evil.example", False),
        (("sip:*@pbx.example.com",), "sip:desk@pbxaexample.com", False),
        (("sip:*@*.example.com",), "sip:desk@a.example.com", True),
        (("sip:*@pbx.example.com", "!+43900*"), "sip:+43900123@pbx.example.com", False),
        (("sip:*@pbx.example.com", "!+43900*"), "sip:+43660123@pbx.example.com", True),
        *(
            (("sip:*@pbx.example.com", "!+43900*"), f"sip:{user}@pbx.example.com", False)
            for user in ("43900123", "0043900123", "01143900123", "(+43)900123", "*+43900123", "+43'900'123", "=+43900")
        ),
        (("sip:*@pbx.example.com", "!+43900*"), "sip:0043660123@pbx.example.com", True),
        (("sip:*@pbx.example.com", "!+43900*"), "sip:anna43900@pbx.example.com", True),
        (("sip:*@pbx.example.com", "!+43900*"), "sip:900@pbx.example.com", True),
        (("sip:*@pbx.example.com", "!+43900*"), "sip:~@pbx.example.com", True),
        (("sip:*@pbx.example.com", "!sip:0*@pbx.example.com"), "sip:0900123@pbx.example.com", False),
        (("+43*",), "sip:+43660123@pbx.example.com", False),
        (("sip:*@*.example.com",), "sip:desk@example.com", False),
        (("sip:1*@pbx.example.com",), "sip:100@pbx.example.com", True),
        (("sip:1*@pbx.example.com",), "sip:200@pbx.example.com", False),
    ],
)
def test_a_target_is_called_only_where_a_pattern_names_it(
    patterns: tuple[str, ...], target: str, *, allowed: bool
) -> None:
    assert CallableTargets(patterns).allows(target) is allowed


@pytest.mark.parametrize("pattern", ["*", "+*", "43*", "sip:*", "sip:*@*", "+43*5", "", "!", "!!+43*", "+43* "])
def test_what_names_everybody_is_no_pattern(pattern: str) -> None:
    with pytest.raises(ValueError, match="must be patterns"):
        read_target_pattern(pattern)


@pytest.mark.parametrize(
    "wrong",
    [{"call_targets": "*"}, {"calls_token": "short"}, {"call_callers": "anna"}, {"calls_at_once": 0}],
)
def test_settings_that_would_call_anybody_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must|greater"):
        Settings(**wrong)  # type: ignore[arg-type]


def test_settings_are_lists_separated_by_commas() -> None:
    settings = Settings(call_targets="+43*,!+43900*", call_callers="+43 1 5550100")
    assert settings.call_targets == ("+43*", "!+43900*")
    assert settings.call_callers == ("+4315550100",)
