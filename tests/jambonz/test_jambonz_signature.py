"""Who may call: what the vendor signs passes, whatever was changed does not, and theirs and ours agree both ways."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.channels.jambonz.signature import TOLERANCE, check_body, check_time
from ivr.errors import WebhookError
from tests.jambonz.vendor_judges import complaints, needs_node

SECRET = b"wh_secret"
BODY = b'{"call_sid":"c1","from":"J\xc3\xb6rg"}'
NOW = 1_700_000_000.0


def signed(body: bytes = BODY, *, secret: bytes = SECRET, at: float = NOW) -> str:
    return f"t={at:.0f},v1={hmac.new(secret, f'{at:.0f}.'.encode() + body, 'sha256').hexdigest()}"


def check(header: str | None, body: bytes = BODY, *, now: float = NOW, secrets: tuple[bytes, ...] = (SECRET,)) -> None:
    headers = {} if header is None else {"jambonz-signature": header}
    check_time(headers, now=now)
    check_body(headers, body, secrets)


def test_a_good_signature_passes() -> None:
    check(signed())


@pytest.mark.parametrize("age", [TOLERANCE, -TOLERANCE])
def test_a_signature_is_good_for_some_minutes(age: int) -> None:
    check(signed(at=NOW - age))


def test_one_of_several_signatures_and_secrets_is_enough() -> None:
    time, good = signed().split(",")
    check(f"{time},v1={'0' * 64},{good}", secrets=(b"new", SECRET))


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "signature"),
        ("", "signature"),
        ("v1=" + "0" * 64, "signature"),
        (f"t={NOW:.0f}", "signature"),
        (f"t={NOW:.0f},v1=", "signature"),
        (f"t={NOW:.0f},v0={'0' * 64}", "signature"),
        (f"t={NOW:.0f},v1={'0' * 64}", "signature"),
        (f"t={NOW:.0f},v1={'G' * 64}", "signature"),
        (f"t=-1,v1={'0' * 64}", "signature"),
        (f"t=٣,v1={'0' * 64}", "signature"),
        (signed() + ",t=1", "signature"),
        (signed() + ",v1=" + "0" * 64 + ",v1=x", "signature"),
        (signed() + ",v1=" + ",v1=".join(["0" * 64] * 20), "signature"),
        (signed(secret=b"other"), "signature"),
        (signed(BODY + b" "), "signature"),
        (signed(at=NOW - TOLERANCE - 1), "stale"),
        (signed(at=NOW + TOLERANCE + 1), "stale"),
    ],
)
def test_anything_else_is_refused(header: str | None, code: str) -> None:
    with pytest.raises(WebhookError) as refused:
        check(header)
    assert (refused.value.status, refused.value.code) == (401, code)


def test_without_a_secret_nothing_passes() -> None:
    with pytest.raises(WebhookError):
        check(signed(), secrets=())


@given(st.text(max_size=200))
def test_no_header_is_an_error_of_ours(header: str) -> None:
    with pytest.raises(WebhookError):
        check(header)


@given(st.binary(max_size=100), st.integers(0, 99))
def test_a_changed_body_is_refused(body: bytes, place: int) -> None:
    check(signed(body), body)
    changed = body + b"x" if place >= len(body) else body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
    with pytest.raises(WebhookError):
        check(signed(body), changed)


@needs_node
def test_the_vendors_sdk_takes_what_we_take_and_refuses_what_we_refuse() -> None:
    import time  # noqa: PLC0415  # the SDK looks at its own clock

    now = time.time()
    bodies = [BODY.decode(), "{}", '{"emoji":"\U0001f600"}']
    good = [{"header": signed(body.encode(), at=now), "body": body, "secret": SECRET.decode()} for body in bodies]
    bad = [
        {"header": signed(b"{} ", at=now), "body": "{}", "secret": SECRET.decode()},
        {"header": signed(b"{}", at=now), "body": "{}", "secret": "other"},
        {"header": signed(b"{}", at=now - TOLERANCE - 5), "body": "{}", "secret": SECRET.decode()},
        {"header": "", "body": "{}", "secret": SECRET.decode()},
    ]
    answers = complaints(good + bad)
    assert answers[: len(good)] == [None] * len(good)
    assert None not in answers[len(good) :]
    for question in good:
        check(question["header"], question["body"].encode(), now=now)
    for question in bad:
        with pytest.raises(WebhookError):
            check(question["header"], question["body"].encode(), now=now, secrets=(question["secret"].encode(),))
