"""Signatures of carriers: their own libraries sign what we verify, and each kind of forgery is refused."""

import hmac
import json
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from multidict import MultiDict
from nacl.signing import SigningKey
from telnyx import Telnyx
from twilio.request_validator import RequestValidator

from ivr.channels.twiml.form_signing import signature, signed_texts
from ivr.channels.twiml.signalwire_signature import SignalWireVerifier
from ivr.channels.twiml.telnyx_signature import WINDOW, TelnyxVerifier
from ivr.channels.twiml.twilio_signature import TwilioVerifier
from ivr.errors import WebhookError
from ivr.ports import Verifier, WebhookRequest

PEERS = Path(__file__).parents[1] / "peers"
PUBLIC = "https://ivr.example"
TARGET = "/twilio/step?c=CA1&t=step.1.2~abc%20d"
TOKEN = "12345"
FORM_TYPE = "application/x-www-form-urlencoded"
FIELDS = {"CallSid": "CA1", "From": "+1415 8675309", "SpeechResult": "Größe & Co <1>", "Digits": ""}
NOW = 1_800_000_000.0
SHARED = {"webhooks_sharedkey_1": "s" * 32}
SETTINGS = "x-twilio-webhooks-signature-settings"


def post(
    headers: Mapping[str, str], body: bytes | None = None, *, target: str = TARGET, kind: str = FORM_TYPE
) -> WebhookRequest:
    body = urlencode(FIELDS).encode() if body is None else body
    return WebhookRequest("POST", target.partition("?")[0], {"content-type": kind, **headers}, body, target=target)


async def refusal(verifier: Verifier, request: WebhookRequest, *, now: float = NOW) -> str | None:
    try:
        await verifier.verify(replace(request, body=b""), now=now)
        verifier.verify_body(request)
    except WebhookError as error:
        return error.code if error.status == 403 else f"{error.status}"
    return None


def twilio(**options: Any) -> TwilioVerifier:
    return TwilioVerifier(**{"public": PUBLIC, "auth_token": TOKEN, **options})


def by_vendor(fields: object = FIELDS, *, url: str = PUBLIC + TARGET, token: str = TOKEN) -> dict[str, str]:
    return {"x-twilio-signature": RequestValidator(token).compute_signature(url, fields)}


# --- Twilio ----------------------------------------------------------------------------------------------------------


async def test_the_example_of_the_vendor() -> None:
    fields = {
        "CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234", "From": "+14158675309",
        "To": "+18005551212",
    }  # fmt: skip
    request = post(
        {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}, urlencode(fields).encode(),
        target="/myapp.php?foo=1&bar=2",
    )  # fmt: skip
    assert await refusal(twilio(public="https://mycompany.com"), request) is None


async def test_what_the_vendor_signs_is_good() -> None:
    assert await refusal(twilio(), post(by_vendor())) is None
    assert twilio().remembered("Bearer x", now=NOW) is None


@pytest.mark.parametrize("public", [PUBLIC, f"{PUBLIC}:443", f"{PUBLIC}/", f"{PUBLIC}:8443", "http://10.0.0.1/ivr"])
async def test_the_port_may_be_written_or_left_out(public: str) -> None:
    base = public.rstrip("/")
    for url in (base, f"{base}:443" if base == PUBLIC else base):
        assert await refusal(twilio(public=public), post(by_vendor(url=url + TARGET))) is None


async def test_a_value_that_is_there_twice_counts_once() -> None:
    repeated = MultiDict([("A", "2"), ("A", "1"), ("A", "2"), ("B", "")])
    body = urlencode(list(repeated.items())).encode()
    assert await refusal(twilio(), post(by_vendor(repeated), body)) is None


@given(st.dictionaries(st.text(max_size=20), st.text(st.characters(exclude_categories=["Cs"]), max_size=30)))
@settings(max_examples=60)
async def test_any_form_that_the_vendor_signs_is_good_and_what_we_sign_is_good_to_the_vendor(
    fields: dict[str, str],
) -> None:
    fields = {name.encode("utf-8", "ignore").decode(): value for name, value in fields.items()}
    request = post(by_vendor(fields), urlencode(fields).encode())
    assert await refusal(twilio(), request) is None
    ours = signature(TOKEN.encode(), next(iter(signed_texts(request, PUBLIC))), "sha1").decode()
    assert RequestValidator(TOKEN).validate(PUBLIC + TARGET, fields, ours)


FORGED = {
    "no signature": ({}, None, TARGET, "no-signature"),
    "an empty one": ({"x-twilio-signature": ""}, None, TARGET, "no-signature"),
    "another token": (by_vendor(token="54321"), None, TARGET, "signature"),
    "another field": (by_vendor(), urlencode({**FIELDS, "Digits": "1"}).encode(), TARGET, "signature"),
    "one more field": (by_vendor(), urlencode({**FIELDS, "X": "1"}).encode(), TARGET, "signature"),
    "another address": (by_vendor(), None, TARGET.replace("1.2", "1.3"), "signature"),
    "a longer query": (by_vendor(), None, TARGET + "&a=1", "signature"),
    "http": (by_vendor(url="http://ivr.example" + TARGET), None, TARGET, "signature"),
    "another host": (by_vendor(url="https://evil.example" + TARGET), None, TARGET, "signature"),
    "no letters of ours": ({"x-twilio-signature": "ä\udc80"}, None, TARGET, "signature"),
    "two of them": ({"x-twilio-signature": f"{by_vendor()['x-twilio-signature']}, x"}, None, TARGET, "signature"),
    "of a key that is not set": ({**by_vendor(), SETTINGS: "key=k,algorithm=HMAC_SHA1"}, None, TARGET, "signature-key"),
}


@pytest.mark.parametrize("kind", FORGED)
async def test_each_kind_of_forgery_is_refused(kind: str) -> None:
    headers, body, target, code = FORGED[kind]
    assert await refusal(twilio(), post(headers, body, target=target)) == code


async def test_what_a_proxy_tells_of_the_address_is_not_looked_at() -> None:
    headers = by_vendor(url="https://evil.example" + TARGET)
    told = {"host": "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "https"}
    assert await refusal(twilio(), post({**headers, **told})) == "signature"


def shared(fields: Mapping[str, str] = FIELDS, *, secret: str = "s" * 32, algorithm: str = "HMAC_SHA256") -> str:
    return RequestValidator(secret).compute_signature(PUBLIC + TARGET, fields, algorithm)


@pytest.mark.parametrize(
    ("settings_header", "signed", "code"),
    [
        ("key=webhooks_sharedkey_1,algorithm=HMAC_SHA256", shared(), None),
        ("algorithm=HMAC_SHA256, key=webhooks_sharedkey_1", shared(), None),
        (None, by_vendor()["x-twilio-signature"], "signature-key"),
        ("", by_vendor()["x-twilio-signature"], "signature-key"),
        ("key=webhooks_sharedkey_1,algorithm=HMAC_SHA1", shared(algorithm="HMAC_SHA1"), "signature-algorithm"),
        ("key=webhooks_sharedkey_1", shared(algorithm="HMAC_SHA1"), "signature-algorithm"),
        ("key=webhooks_sharedkey_2,algorithm=HMAC_SHA256", shared(), "signature-key"),
        ("key=webhooks_sharedkey_1,algorithm=HMAC_SHA256", shared(secret="x"), "signature"),
        ("key=webhooks_sharedkey_1,algorithm=HMAC_SHA256", shared(algorithm="HMAC_SHA1"), "signature"),
        ("key=webhooks_sharedkey_1,algorithm=HMAC_SHA256", shared(secret=TOKEN), "signature"),
    ],
)
async def test_a_key_for_webhooks_is_the_only_one_and_for_its_algorithm_alone(
    settings_header: str | None, signed: str, code: str | None
) -> None:
    headers = {"x-twilio-signature": signed} | ({} if settings_header is None else {SETTINGS: settings_header})
    assert await refusal(twilio(webhook_keys=SHARED), post(headers)) == code


async def test_of_a_body_that_is_no_form_the_hash_is_signed() -> None:
    body = b'{"CallSid": "CA1"}'
    target = f"/twilio/call?bodySHA256={sha256(body).hexdigest()}"
    headers = by_vendor(None, url=PUBLIC + target)
    good = post(headers, body, target=target, kind="application/json")
    assert RequestValidator(TOKEN).validate(PUBLIC + target, body.decode(), headers["x-twilio-signature"])
    assert await refusal(twilio(), good) is None
    assert await refusal(twilio(), replace(good, body=body + b" ")) == "signature-body"
    without = post(by_vendor(None), body, kind="application/json")
    assert await refusal(twilio(), without) == "signature-body"


@pytest.mark.parametrize("options", [{"auth_token": ""}, {"webhook_keys": {"k": ""}}, {"webhook_keys": {"": "s"}}])
def test_without_a_secret_there_is_no_verifier(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="secret"):
        twilio(**options)


# --- SignalWire ------------------------------------------------------------------------------------------------------


def signalwire() -> SignalWireVerifier:
    return SignalWireVerifier(public=PUBLIC, signing_key=TOKEN)


async def test_signalwire_signs_forms_as_twilio_and_bodies_as_they_are() -> None:
    signed = by_vendor()["x-twilio-signature"]
    assert await refusal(signalwire(), post({"x-signalwire-signature": signed})) is None
    assert await refusal(signalwire(), post({"x-twilio-signature": signed})) is None
    body = b'{"call_id": "1"}'
    # The scheme in the words of its page: hexadecimal digits of HMAC-SHA-1 over the address and the raw body.
    raw = hmac.new(TOKEN.encode(), (PUBLIC + TARGET).encode() + body, "sha1").hexdigest()
    good = post({"x-signalwire-signature": raw}, body, kind="application/json")
    assert await refusal(signalwire(), good) is None
    assert await refusal(signalwire(), replace(good, body=b"{}")) == "signature"
    assert await refusal(signalwire(), post({"x-signalwire-signature": signed}, b"A=1")) == "signature"
    assert await refusal(signalwire(), post({})) == "no-signature"
    assert signalwire().remembered("", now=NOW) is None
    with pytest.raises(ValueError, match="key"):
        SignalWireVerifier(public=PUBLIC, signing_key="")


# --- Telnyx ----------------------------------------------------------------------------------------------------------

SIGNING = SigningKey(b"\x01" * 32)
PUBLIC_KEY = b64encode(bytes(SIGNING.verify_key)).decode()


def telnyx_headers(body: bytes, *, when: str = str(int(NOW)), key: SigningKey = SIGNING) -> dict[str, str]:
    signed = key.sign(when.encode() + b"|" + body).signature
    return {"telnyx-signature-ed25519": b64encode(signed).decode(), "telnyx-timestamp": when}


async def test_telnyx_signs_time_and_body() -> None:
    body = urlencode(FIELDS).encode()
    verifier = TelnyxVerifier(public_key=PUBLIC_KEY)
    good = post(telnyx_headers(body), body)
    assert await refusal(verifier, good) is None
    assert await refusal(verifier, good, now=NOW + WINDOW) is None
    assert await refusal(verifier, good, now=NOW + WINDOW + 1) == "signature-time"
    assert await refusal(verifier, good, now=NOW - WINDOW - 1) == "signature-time"
    assert await refusal(verifier, replace(good, body=body + b"&a=1")) == "signature"
    assert await refusal(verifier, post(telnyx_headers(body, key=SigningKey(b"\x02" * 32)), body)) == "signature"
    assert await refusal(verifier, post({**telnyx_headers(body), "telnyx-timestamp": str(int(NOW) + 1)}, body)) == (
        "signature"
    )
    assert verifier.remembered("", now=NOW) is None


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"telnyx-signature-ed25519": ""}, "no-signature"),
        ({"telnyx-signature-ed25519": "no base64"}, "signature"),
        ({"telnyx-signature-ed25519": "AAAA"}, "signature"),
        ({"telnyx-timestamp": ""}, "signature-time"),
        ({"telnyx-timestamp": "-5"}, "signature-time"),
        ({"telnyx-timestamp": "9" * 400}, "signature-time"),
        ({"telnyx-timestamp": "١"}, "signature-time"),
    ],
)
async def test_a_head_of_telnyx_that_cannot_be_right(changed: dict[str, str], code: str) -> None:
    body = b"A=1"
    assert await refusal(TelnyxVerifier(public_key=PUBLIC_KEY), post({**telnyx_headers(body), **changed}, body)) == code


def test_the_vendor_takes_what_our_tests_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    body = json.dumps({"data": {"event_type": "call.initiated"}}).encode()
    monkeypatch.setattr("time.time", lambda: NOW)
    headers = telnyx_headers(body)
    client = Telnyx(api_key="k", public_key=PUBLIC_KEY)
    assert client.webhooks.unwrap(body.decode(), headers=headers) is not None
    with pytest.raises(Exception, match=r"[Ss]ignature"):
        client.webhooks.unwrap(body.decode() + " ", headers=headers)


@pytest.mark.parametrize("key", ["", "AAAA", "no base64!"])
def test_what_is_no_key_of_telnyx(key: str) -> None:
    with pytest.raises(ValueError):
        TelnyxVerifier(public_key=key)


# --- the vendor's library in another language ------------------------------------------------------------------------

SCRIPT = """
const twilio = require("twilio");
const cases = JSON.parse(require("fs").readFileSync(0));
console.log(JSON.stringify(cases.map((one) => ({
  signed: twilio.getExpectedTwilioSignature(one.token, one.url, one.fields),
  good: twilio.validateRequest(one.token, one.signature, one.url, one.fields),
}))));
"""


@pytest.mark.skipif(
    shutil.which("node") is None or not (PEERS / "node_modules/twilio").exists(),
    reason="run `npm install` in tests/peers (make test does)",
)
async def test_the_vendor_s_library_for_node_agrees() -> None:
    cases = []
    for number, fields in enumerate((FIELDS, {}, {"A": "ä€😀", "a": "+ &="}, {"B": "1", "A": "2"})):
        request = post({}, urlencode(fields).encode(), target=f"/twilio/call?n={number}")
        ours = signature(TOKEN.encode(), next(iter(signed_texts(request, PUBLIC))), "sha1").decode()
        cases.append({"token": TOKEN, "url": PUBLIC + request.target, "fields": fields, "signature": ours})
    done = subprocess.run(
        ["node", "-e", SCRIPT], cwd=PEERS, input=json.dumps(cases), capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    answers = json.loads(done.stdout)
    assert [one["good"] for one in answers] == [True] * len(cases)
    assert [one["signed"] for one in answers] == [one["signature"] for one in cases]
