"""The emulator's signatures against the carriers' own libraries: good ones pass, each kind of forged one does not."""

import base64
import json
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
from telnyx import Telnyx
from twilio.request_validator import RequestValidator, get_signature_algorithm

from ivr.carriers.twiml.signing import BadKey, Ed25519Signer, Form, Headers, SharedKeySigner, TokenSigner, private_key

PEERS = Path(__file__).parents[2] / "peers"
NODE = shutil.which("node")
URL = "https://bot.example/twilio/call?flow=a%20b&x=1"
FORM = [("CallSid", "CA1"), ("Digits", "12"), ("Empty", ""), ("To", "+49 30"), ("To", "+4930"), ("To", "+4930")]
BODY = urlencode(FORM).encode()
NAMED = "webhooks_sharedkey_1"


def as_dict(form: Form) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in form:
        values.setdefault(name, []).append(value)
    return values


class Several(dict[str, list[str]]):
    """A form as web frameworks give it."""

    def getall(self, name: str) -> list[str]:
        return self[name]


def twilio_accepts(headers: Headers, secret: str) -> bool:
    found = dict(headers)
    algorithm = get_signature_algorithm(found.get("X-Twilio-Webhooks-Signature-Settings"))
    validator = RequestValidator(secret)
    return bool(validator.validate(URL, Several(as_dict(FORM)), found.get("X-Twilio-Signature", ""), algorithm))


def telnyx_accepts(signer: Ed25519Signer, headers: Headers, body: bytes = BODY) -> bool:
    client = Telnyx(api_key="none", public_key=signer.public)
    payload = json.dumps({"data": body.decode()})
    try:
        client.webhooks.unwrap(payload, headers=dict(headers))
    except Exception:  # whatever it is: not accepted
        return False
    return True


def test_the_example_of_the_carriers_own_page() -> None:
    form = [
        ("CallSid", "CA1234567890ABCDE"), ("Caller", "+14158675309"), ("Digits", "1234"),
        ("From", "+14158675309"), ("To", "+18005551212"),
    ]  # fmt: skip
    (header,) = TokenSigner("12345").headers("https://mycompany.com/myapp.php?foo=1&bar=2", form, b"")
    assert header == ("X-Twilio-Signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")


def test_twilio_s_library_accepts_the_token_s_signature() -> None:
    assert twilio_accepts(TokenSigner("secret").headers(URL, FORM, BODY), "secret")


def test_twilio_s_library_accepts_the_shared_key_s_signature() -> None:
    assert twilio_accepts(SharedKeySigner(NAMED, "shared").headers(URL, FORM, BODY), "shared")


@pytest.mark.parametrize("how", TokenSigner.forgeries)
def test_twilio_s_library_refuses_each_forgery_of_the_token_s(how: str) -> None:
    assert not twilio_accepts(TokenSigner("secret").forged(URL, FORM, BODY, how), "secret")  # type: ignore[arg-type]


@pytest.mark.parametrize("how", [how for how in SharedKeySigner.forgeries if how != "downgraded"])
def test_twilio_s_library_refuses_each_forgery_of_the_shared_key_s(how: str) -> None:
    signer = SharedKeySigner(NAMED, "shared")
    assert not twilio_accepts(signer.forged(URL, FORM, BODY, how), "shared")  # type: ignore[arg-type]


def test_a_downgrade_is_one_that_believes_the_header() -> None:
    """Twilio's library does what the request asks for; that is why a bot has to know the key's algorithm."""
    assert twilio_accepts(SharedKeySigner(NAMED, "shared").forged(URL, FORM, BODY, "downgraded"), "shared")


@pytest.mark.skipif(NODE is None, reason="Node is not installed")
@pytest.mark.skipif(not (PEERS / "node_modules/twilio").exists(), reason="run `npm install` in tests/peers")
def test_twilio_s_library_for_node_agrees() -> None:
    cases = [
        ["secret", TokenSigner("secret").headers(URL, FORM, BODY)],
        *(["secret", TokenSigner("secret").forged(URL, FORM, BODY, how)] for how in TokenSigner.forgeries),
        ["shared", SharedKeySigner(NAMED, "shared").headers(URL, FORM, BODY)],
        *(
            ["shared", SharedKeySigner(NAMED, "shared").forged(URL, FORM, BODY, how)]
            for how in ("unsigned", "wrong-key")
        ),
    ]
    form = {name: values if len(values) > 1 else values[0] for name, values in as_dict(FORM).items()}
    script = """
      const twilio = require("twilio"), [url, form, cases] = JSON.parse(require("fs").readFileSync(0, "utf8"));
      console.log(JSON.stringify(cases.map(([secret, headers]) => {
        const found = Object.fromEntries(headers);
        const algorithm = twilio.getSignatureAlgorithm(found["X-Twilio-Webhooks-Signature-Settings"]);
        return twilio.validateRequest(secret, found["X-Twilio-Signature"] || "", url, form, algorithm);
      })));
    """
    done = subprocess.run(
        [NODE or "node", "-e", script], input=json.dumps([URL, form, cases]), capture_output=True, text=True,
        timeout=60, check=True, cwd=PEERS,
    )  # fmt: skip
    assert json.loads(done.stdout) == [True, False, False, False, False, True, False, False]


def test_telnyx_s_library_accepts_the_signature() -> None:
    signer = Ed25519Signer()
    body = json.dumps({"data": BODY.decode()}).encode()
    assert telnyx_accepts(signer, signer.headers(URL, FORM, body))


@pytest.mark.parametrize("how", Ed25519Signer.forgeries)
def test_telnyx_s_library_refuses_each_forgery(how: str) -> None:
    signer = Ed25519Signer()
    body = json.dumps({"data": BODY.decode()}).encode()
    assert not telnyx_accepts(signer, signer.forged(URL, FORM, body, how))  # type: ignore[arg-type]


def test_a_kept_key_signs_like_itself() -> None:
    key = private_key(base64.b64encode(bytes(range(32))).decode())
    now = time.time()
    one, other = (Ed25519Signer(key, clock=lambda: now) for _ in range(2))
    assert one.headers(URL, FORM, BODY) == other.headers(URL, FORM, BODY)
    assert one.public == other.public


@pytest.mark.parametrize("text", ["", "short", "%%%", base64.b64encode(bytes(31)).decode()])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(BadKey, match="32 bytes"):
        private_key(text)
