"""SECURITY rows "token", "unknown kid flood", "no keys at all" and "replay": real tokens against a real key host."""

import asyncio
import contextlib
import hmac
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt.utils import base64url_encode

from ivr.auth.keys import KeyRing
from ivr.auth.tokens import MAX_LENGTH, AcceptAll, BearerVerifier
from ivr.auth.verified import LIMIT, Lifetime, VerifiedTokens
from ivr.errors import WebhookError
from ivr.ports import Verifier, WebhookRequest
from tests.fakes.identity import Identity, jwk, private_key
from tests.waiting import begun

NOW = 1_800_000_000.0


def request(header: str | None) -> WebhookRequest:
    return WebhookRequest("POST", "/call", {} if header is None else {"authorization": header})


async def refusal(verifier: Verifier, header: str | None, now: float = NOW) -> WebhookError | None:
    try:
        await verifier.verify(request(header), now=now)
    except WebhookError as error:
        return error
    return None


async def answer(verifier: Verifier, token: str, now: float = NOW) -> tuple[int, str]:
    error = await refusal(verifier, f"Bearer {token}", now)
    return (200, "") if error is None else (error.status, error.code)


@pytest.fixture
async def keys(identity: Identity) -> AsyncIterator[KeyRing]:
    ring = KeyRing([identity.metadata_url], allow_loopback=True)
    await ring.start(now=NOW)
    yield ring
    await ring.close()


@pytest.fixture
def verifier(identity: Identity, keys: KeyRing) -> BearerVerifier:
    return BearerVerifier(identity.app_id, keys)


# --- the scheme ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_a_good_token_is_let_in_whatever_the_schemes_case(
    identity: Identity, verifier: BearerVerifier, scheme: str
) -> None:
    assert await refusal(verifier, f"{scheme} {identity.token(now=NOW)}") is None


@pytest.mark.parametrize("header", [None, "", " ", "Bearer", "Bearer ", "Bearer    ", "Basic dXNlcjpwYXNz", "garbage"])
async def test_without_a_bearer_token_the_answer_is_401(verifier: BearerVerifier, header: str | None) -> None:
    error = await refusal(verifier, header)
    assert error is not None
    assert (error.status, error.code) == (401, "no-token")


async def test_a_good_token_under_another_scheme_is_401(identity: Identity, verifier: BearerVerifier) -> None:
    error = await refusal(verifier, f"Basic {identity.token(now=NOW)}")
    assert error is not None
    assert error.status == 401


# --- the token row, as a table ---------------------------------------------------------------------------------------

GOOD: dict[str, Callable[[Identity], str]] = {
    "RS256": lambda who: who.token(now=NOW),
    "RS384": lambda who: who.token(now=NOW, alg="RS384"),
    "RS512": lambda who: who.token(now=NOW, alg="RS512"),
    "aud as a one-element list": lambda who: who.token(now=NOW, aud=[who.app_id]),
    "times as decimal numbers": lambda who: who.token(now=NOW, nbf=NOW - 0.5, exp=NOW + 0.5),
    "claims of other protocols": lambda who: who.token(now=NOW, serviceurl="https://elsewhere.example", iat="?"),
    "expired within the skew": lambda who: who.token(now=NOW, exp=int(NOW) - 299),
    "not good yet within the skew": lambda who: who.token(now=NOW, nbf=int(NOW) + 300),
    "an embedded key beside the right signature": lambda who: who.token(
        now=NOW, headers={"jwk": jwk("x", private_key(9))}
    ),
    "jku beside the right signature": lambda who: who.token(now=NOW, headers={"jku": f"{who.base}/elsewhere"}),
}


@pytest.mark.parametrize("case", GOOD)
async def test_these_tokens_are_good(identity: Identity, verifier: BearerVerifier, case: str) -> None:
    assert await answer(verifier, GOOD[case](identity)) == (200, "")


def without_key(who: Identity, alg: str, sign: Callable[[bytes], bytes]) -> str:
    """A token whose signature needs no secret of the platform's."""
    parts = [{"alg": alg, "typ": "JWT", "kid": who.kid}, who.claims(now=NOW)]
    signed = b".".join(base64url_encode(json.dumps(part).encode()) for part in parts)
    return (signed + b"." + base64url_encode(sign(signed))).decode()


def keyed_with_the_public_key(who: Identity) -> str:
    pem = who.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return without_key(who, "HS256", lambda signed: hmac.digest(pem, signed, "sha256"))


def forged(who: Identity, header: Any = None, payload: Any = None) -> str:
    def text(value: Any, default: dict[str, Any]) -> bytes:
        return value if isinstance(value, bytes) else json.dumps({**default, **(value or {})}).encode()

    return who.forge(text(header, {"alg": "RS256", "kid": who.kid}), text(payload, who.claims(now=NOW)))


def changed_after_signing(who: Identity) -> str:
    header, _, signature = who.token(now=NOW).split(".")
    claims = json.dumps(who.claims(now=NOW, exp=int(NOW) + 999_999)).encode()
    return f"{header}.{base64url_encode(claims).decode()}.{signature}"


BAD: dict[str, tuple[str, Callable[[Identity], str]]] = {
    "garbage": ("token-malformed", lambda who: "garbage"),
    "two parts": ("token-malformed", lambda who: who.token(now=NOW).rsplit(".", 1)[0]),
    "four parts": ("token-malformed", lambda who: who.token(now=NOW) + ".e30"),
    "empty parts": ("token-malformed", lambda who: ".."),
    "five parts, as if encrypted": ("token-malformed", lambda who: "e30.e30.e30.e30.e30"),
    "a space inside": ("token-malformed", lambda who: who.token(now=NOW).replace(".", " .", 1)),
    "too long": ("token-malformed", lambda who: who.token(now=NOW, padding="x" * MAX_LENGTH)),
    "bytes over 0x7f": ("token-malformed", lambda who: who.token(now=NOW) + "\udce9"),
    "letters over 0x7f": ("token-malformed", lambda who: who.token(now=NOW) + "é"),
    "header no object": ("token-malformed", lambda who: forged(who, header=b"[]")),
    "header no JSON": ("token-malformed", lambda who: forged(who, header=b"{")),
    "header nested deep": ("token-malformed", lambda who: forged(who, header=b'{"alg":' + b"[" * 4000)),
    "header no UTF-8": ("token-malformed", lambda who: forged(who, header=b'{"alg":"\xff"}')),
    "unknown critical extension": ("token-malformed", lambda who: forged(who, header={"crit": ["x"], "x": 1})),
    "detached payload": ("token-malformed", lambda who: forged(who, header={"b64": False, "crit": ["b64"]})),
    "claims no object": ("token-malformed", lambda who: forged(who, payload=b'"text"')),
    "claims nested deep": ("token-malformed", lambda who: forged(who, payload=b'{"iss":' + b"[" * 4000)),
    "claims no UTF-8": ("token-malformed", lambda who: forged(who, payload=b'{"iss":"\xff"}')),
    "kid a number": ("token-malformed", lambda who: forged(who, header={"kid": 1})),
    "kid a list": ("token-malformed", lambda who: forged(who, header={"kid": ["a"]})),
    "kid an object": ("token-malformed", lambda who: forged(who, header={"kid": {}})),
    "kid null": ("token-malformed", lambda who: forged(who, header={"kid": None})),
    "no kid": ("token-algorithm", lambda who: forged(who, header=b'{"alg":"RS256"}')),
    "kid unknown": ("token-key", lambda who: who.token(now=NOW, headers={"kid": "unknown"})),
    "kid empty": ("token-key", lambda who: who.token(now=NOW, headers={"kid": ""})),
    "kid a path": ("token-key", lambda who: who.token(now=NOW, headers={"kid": "../../etc/passwd"})),
    "kid half a surrogate pair": ("token-key", lambda who: forged(who, header={"kid": "\ud800"})),
    "no alg": ("token-algorithm", lambda who: forged(who, header=json.dumps({"kid": who.kid}).encode())),
    "alg a list": ("token-algorithm", lambda who: forged(who, header={"alg": ["RS256"]})),
    "alg in lower case": ("token-algorithm", lambda who: forged(who, header={"alg": "rs256"})),
    "alg none": ("token-algorithm", lambda who: without_key(who, "none", lambda signed: b"")),
    "alg None": ("token-algorithm", lambda who: without_key(who, "None", lambda signed: b"")),
    "HS256 keyed with the public key": ("token-algorithm", keyed_with_the_public_key),
    "PS256 by the right key": ("token-algorithm", lambda who: who.token(now=NOW, alg="PS256")),
    "ES256": (
        "token-algorithm",
        lambda who: who.token(now=NOW, alg="ES256", key=ec.generate_private_key(ec.SECP256R1())),
    ),
    "foreign iss": ("token-issuer", lambda who: who.token(now=NOW, iss="https://elsewhere.example")),
    "iss with a slash": ("token-issuer", lambda who: who.token(now=NOW, iss="https://api.botframework.com/")),
    "iss as a list": ("token-issuer", lambda who: who.token(now=NOW, iss=["https://api.botframework.com"])),
    "no iss": ("token-issuer", lambda who: who.token(now=NOW, iss=None)),
    "foreign aud": ("token-audience", lambda who: who.token(now=NOW, aud="another-bot")),
    "aud in another case": ("token-audience", lambda who: who.token(now=NOW, aud=who.app_id.upper())),
    "aud list of two": ("token-audience", lambda who: who.token(now=NOW, aud=[who.app_id, "another-bot"])),
    "aud empty list": ("token-audience", lambda who: who.token(now=NOW, aud=[])),
    "aud list in a list": ("token-audience", lambda who: who.token(now=NOW, aud=[[who.app_id]])),
    "aud an object": ("token-audience", lambda who: who.token(now=NOW, aud={who.app_id: True})),
    "no aud": ("token-audience", lambda who: who.token(now=NOW, aud=None)),
    "no exp": ("token-times", lambda who: who.token(now=NOW, exp=None)),
    "no nbf": ("token-times", lambda who: who.token(now=NOW, nbf=None)),
    "exp as text": ("token-times", lambda who: who.token(now=NOW, exp=str(int(NOW) + 60))),
    "exp true": ("token-times", lambda who: who.token(now=NOW, exp=True)),
    "nbf false": ("token-times", lambda who: who.token(now=NOW, nbf=False)),
    "nbf as text": ("token-times", lambda who: who.token(now=NOW, nbf="0")),
    "exp infinite": ("token-times", lambda who: forged(who, payload={"exp": float("inf")})),
    "exp beyond floats": ("token-times", lambda who: forged(who, payload={"exp": 10**4000})),
    "exp NaN": ("token-times", lambda who: forged(who, payload={"exp": float("nan")})),
    "nbf negative": ("token-times", lambda who: who.token(now=NOW, nbf=-1)),
    "exp a list": ("token-times", lambda who: who.token(now=NOW, exp=[int(NOW) + 60])),
    "expired": ("token-expired", lambda who: who.token(now=NOW, exp=int(NOW) - 300)),
    "not good yet": ("token-early", lambda who: who.token(now=NOW, nbf=int(NOW) + 301)),
    "signed by another key": ("token-signature", lambda who: who.token(now=NOW, key=private_key(9))),
    "signed by the key it brings along": (
        "token-signature",
        lambda who: who.token(now=NOW, key=private_key(9), headers={"jwk": jwk(who.kid, private_key(9))}),
    ),
    "signed by a key it gives the address of": (
        "token-signature",
        lambda who: who.token(now=NOW, key=private_key(9), headers={"jku": f"{who.base}/mine", "x5u": who.base}),
    ),
    "no signature": ("token-signature", lambda who: who.token(now=NOW).rsplit(".", 1)[0] + "."),
    "signature cut short": ("token-signature", lambda who: who.token(now=NOW)[:-6]),
    "claims changed after signing": ("token-signature", changed_after_signing),
}


@pytest.mark.parametrize("case", BAD)
async def test_these_tokens_are_refused_twice_with_403_and_leave_no_trace(
    identity: Identity, verifier: BearerVerifier, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    reason, make = BAD[case]
    token = make(identity)
    caplog.set_level(logging.DEBUG)

    for _ in range(2):  # the second time tells that a refused token was not remembered as a good one
        error = await refusal(verifier, f"Bearer {token}")
        assert error is not None
        assert (error.status, error.code) == (403, reason)
        assert error.__cause__ is None
        assert error.__context__ is None
    parts = [part for part in token.split(".") if len(part) > 8]
    assert not any(part in error.message or part in caplog.text for part in parts)
    assert all(record.exc_info is None for record in caplog.records)


async def test_only_the_ring_is_asked_for_keys(identity: Identity, verifier: BearerVerifier) -> None:
    before = identity.fetches, identity.key_fetches
    await answer(verifier, identity.token(now=NOW, headers={"jku": identity.keys_url, "x5u": identity.metadata_url}))
    assert (identity.fetches, identity.key_fetches) == before


async def test_another_issuer_can_be_set(identity: Identity, keys: KeyRing) -> None:
    verifier = BearerVerifier(identity.app_id, keys, issuer="https://sts.example")
    assert await answer(verifier, identity.token(now=NOW, iss="https://sts.example")) == (200, "")
    assert await answer(verifier, identity.token(now=NOW)) == (403, "token-issuer")


async def test_without_an_app_id_there_is_no_verifier(keys: KeyRing) -> None:
    with pytest.raises(ValueError, match="app id"):
        BearerVerifier("", keys)


TOKENS = st.text(alphabet=st.characters(codec=None), max_size=200)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
CLAIMS = st.dictionaries(st.sampled_from(["iss", "aud", "nbf", "exp"]), JSON, min_size=1)
HEADERS = st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku"]), JSON)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(header=TOKENS | TOKENS.map("Bearer {}".format))
async def test_whatever_the_header_says_the_answer_is_401_or_403(verifier: BearerVerifier, header: str) -> None:
    error = await refusal(verifier, header)
    assert error is not None
    assert error.status in (401, 403)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(header=HEADERS, claims=CLAIMS)
async def test_whatever_a_signed_token_holds_nothing_is_raised_but_403(
    identity: Identity, verifier: BearerVerifier, header: dict[str, Any], claims: dict[str, Any]
) -> None:
    status, _ = await answer(verifier, forged(identity, header=header, payload=claims))
    assert status in (200, 403)


# --- the memory ------------------------------------------------------------------------------------------------------


async def test_a_good_token_is_remembered_and_a_bad_one_is_not(identity: Identity, keys: KeyRing) -> None:
    verified = VerifiedTokens()
    verifier = BearerVerifier(identity.app_id, keys, verified=verified)
    for spoil in ({"key": private_key(9)}, {"exp": 1}, {"aud": "another-bot"}, {"headers": {"kid": "unknown"}}):
        await answer(verifier, identity.token(now=NOW, **spoil))
    assert len(verified) == 0
    await answer(verifier, identity.token(now=NOW))
    assert len(verified) == 1


async def test_what_is_remembered_is_not_looked_into_again(identity: Identity, keys: KeyRing) -> None:
    verified = VerifiedTokens()
    verifier = BearerVerifier(identity.app_id, keys, verified=verified)
    verified.add("no.token.at.all", Lifetime(NOW, NOW), keys.generation)
    assert await answer(verifier, "no.token.at.all") == (200, "")
    assert await answer(verifier, "no.token.at.al") == (403, "token-malformed")


async def test_a_remembered_token_is_good_until_the_same_second_as_a_new_one(
    identity: Identity, verifier: BearerVerifier, keys: KeyRing
) -> None:
    token, last = identity.token(now=NOW, exp=int(NOW) + 100), NOW + 100 + 299
    assert await answer(verifier, token) == (200, "")
    for one in (verifier, BearerVerifier(identity.app_id, keys)):
        assert await answer(one, token, now=last) == (200, "")
        assert await answer(one, token, now=last + 1) == (403, "token-expired")


async def test_a_remembered_token_is_not_good_before_its_time(identity: Identity, verifier: BearerVerifier) -> None:
    token = identity.token(now=NOW)
    assert await answer(verifier, token) == (200, "")
    assert await answer(verifier, token, now=NOW - 361) == (403, "token-early")


async def test_a_token_may_come_again_with_another_message_until_it_ends(
    identity: Identity, verifier: BearerVerifier
) -> None:
    header = f"Bearer {identity.token(now=NOW)}"
    for message in ("one", "two"):  # TLS is the defence against a captured token
        headers = {"authorization": header, "x-microsoft-skype-message-id": message}
        await verifier.verify(WebhookRequest("POST", "/callback", headers), now=NOW + 3600)
    assert await refusal(verifier, header, now=NOW + 3900) is not None


async def test_another_signature_under_remembered_claims_is_refused(
    identity: Identity, verifier: BearerVerifier
) -> None:
    token = identity.token(now=NOW)
    assert await answer(verifier, token) == (200, "")
    other = identity.token(now=NOW, key=private_key(9))
    assert other.rsplit(".", 1)[0] == token.rsplit(".", 1)[0]
    assert await answer(verifier, other) == (403, "token-signature")


async def test_a_remembered_token_survives_the_hosts_death(identity: Identity, verifier: BearerVerifier) -> None:
    token = identity.token(now=NOW)
    assert await answer(verifier, token) == (200, "")
    await identity.stop()
    assert await answer(verifier, token, now=NOW + 1000) == (200, "")


async def test_rotation_forgets_the_tokens_of_a_withdrawn_key(identity: Identity, verifier: BearerVerifier) -> None:
    old = identity.token(now=NOW)
    assert await answer(verifier, old) == (200, "")
    identity.rotate()
    assert await answer(verifier, old, now=NOW + 1) == (200, "")  # nobody knows yet
    assert await answer(verifier, identity.token(now=NOW), now=NOW + 301) == (200, "")  # an unknown kid: fetched
    assert await answer(verifier, old, now=NOW + 302) == (503, "key-not-known-yet")


async def test_a_remembered_token_is_forgotten_too_if_age_brings_new_keys(
    identity: Identity, verifier: BearerVerifier, keys: KeyRing
) -> None:
    day = 24 * 3600
    old = identity.token(now=NOW, exp=int(NOW) + 10 * day)
    assert await answer(verifier, old) == (200, "")
    identity.rotate()
    assert await answer(verifier, old, now=NOW + day) == (200, "")  # begins a fetch, and does not wait for it
    assert await keys.find(identity.kid, now=NOW + day)  # does wait for it
    assert await answer(verifier, old, now=NOW + day + 1) == (503, "key-not-known-yet")


# --- what is known without waiting -----------------------------------------------------------------------------------


async def test_a_token_is_remembered_once_it_was_found_good(identity: Identity, verifier: BearerVerifier) -> None:
    token = identity.token(now=NOW)
    assert verifier.remembered(f"Bearer {token}", now=NOW) is None
    assert await answer(verifier, token) == (200, "")
    for scheme in ("Bearer", "bearer"):
        known = verifier.remembered(f"{scheme} {token}", now=NOW)
        assert known is not None
        assert known.hold(NOW)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic {}", "Bearer {}x", "{}", "Bearer " + "a" * 9000])
async def test_another_header_is_not_known(identity: Identity, verifier: BearerVerifier, header: str) -> None:
    token = identity.token(now=NOW)
    assert await answer(verifier, token) == (200, "")
    assert verifier.remembered(header.format(token), now=NOW) is None


async def test_what_is_known_holds_for_as_long_as_the_token_is_good(
    identity: Identity, verifier: BearerVerifier
) -> None:
    token = identity.token(now=NOW, exp=int(NOW) + 100)
    assert await answer(verifier, token) == (200, "")
    known = verifier.remembered(f"Bearer {token}", now=NOW)
    assert known is not None
    for now in (NOW - 361, NOW - 360, NOW, NOW + 399, NOW + 400):
        good = await answer(verifier, token, now=now) == (200, "")
        assert known.hold(now) is good
        assert (verifier.remembered(f"Bearer {token}", now=now) is not None) is good


async def test_what_is_known_holds_no_longer_when_new_keys_have_come(
    identity: Identity, verifier: BearerVerifier
) -> None:
    token = identity.token(now=NOW)
    assert await answer(verifier, token) == (200, "")
    known = verifier.remembered(f"Bearer {token}", now=NOW)
    identity.rotate()
    assert await answer(verifier, identity.token(now=NOW), now=NOW + 301) == (200, "")
    assert known is not None
    assert not known.hold(NOW + 302)
    assert verifier.remembered(f"Bearer {token}", now=NOW + 302) is None


def test_the_memory_is_bounded_and_drops_what_was_not_seen_for_longest() -> None:
    tokens, life = VerifiedTokens(2), Lifetime(0, 1)
    tokens.add("a", life, 1)
    tokens.add("b", life, 1)
    assert tokens.get("a", 1) == life
    tokens.add("c", life, 1)
    assert len(tokens) == 2
    assert (tokens.get("a", 1), tokens.get("b", 1), tokens.get("c", 1)) == (life, None, life)


def test_adding_one_token_twice_takes_one_place() -> None:
    tokens, life = VerifiedTokens(2), Lifetime(0, 1)
    for token in ("a", "b", "b"):
        tokens.add(token, life, 1)
    assert tokens.get("a", 1) == life


def test_the_memory_holds_a_busy_offices_tokens_and_no_more() -> None:
    tokens = VerifiedTokens()
    for number in range(LIMIT + 1000):
        tokens.add(f"token {number}", Lifetime(0, 1), 1)
    assert len(tokens) == LIMIT


def test_a_new_generation_of_keys_empties_the_memory() -> None:
    tokens, life = VerifiedTokens(2), Lifetime(0, 1)
    tokens.add("a", life, 1)
    assert tokens.get("a", 2) is None
    assert len(tokens) == 0
    tokens.add("b", life, 3)
    assert tokens.get("b", 3) == life


# --- floods, and the lack of keys ------------------------------------------------------------------------------------


async def test_ten_thousand_tokens_with_unknown_kids_cost_one_fetch(
    identity: Identity, verifier: BearerVerifier
) -> None:
    signature = identity.token(now=NOW).rsplit(".", 1)[1]
    claims = base64url_encode(json.dumps(identity.claims(now=NOW)).encode()).decode()

    def token(number: int) -> str:
        header = base64url_encode(json.dumps({"alg": "RS256", "kid": f"unknown-{number}"}).encode()).decode()
        return f"{header}.{claims}.{signature}"

    before, later = identity.fetches, NOW + 300
    answers = await asyncio.gather(*(answer(verifier, token(number), now=later) for number in range(10_000)))
    assert set(answers) == {(403, "token-key")}
    assert identity.fetches == before + 1
    answers = await asyncio.gather(*(answer(verifier, token(number), now=later + 299) for number in range(10_000)))
    assert set(answers) == {(503, "key-not-known-yet")}
    assert identity.fetches == before + 1
    assert await answer(verifier, token(-2), now=later + 300) == (403, "token-key")
    assert identity.fetches == before + 2


async def test_keys_that_the_platform_has_just_changed_cost_no_call(
    identity: Identity, verifier: BearerVerifier
) -> None:
    identity.rotate()
    token = identity.token(now=NOW)
    assert await answer(verifier, token, now=NOW + 1) == (503, "key-not-known-yet")  # which the platform repeats
    assert await answer(verifier, token, now=NOW + 299) == (503, "key-not-known-yet")
    assert await answer(verifier, token, now=NOW + 300) == (200, "")


async def test_who_comes_while_keys_are_fetched_is_not_told_that_its_key_is_none(
    identity: Identity, verifier: BearerVerifier
) -> None:
    before = identity.fetches
    identity.hold()
    forged = identity.token(now=NOW, headers={"kid": "unknown"})
    first = await begun(answer(verifier, forged, now=NOW + 300))
    await identity.asked(before + 1)
    second = await begun(answer(verifier, forged, now=NOW + 301))  # the answer may be older than its key
    identity.release()
    assert (await first, await second) == ((403, "token-key"), (503, "key-not-known-yet"))
    assert identity.fetches == before + 1


async def test_while_one_document_cannot_be_had_no_key_is_called_unknown(identity: Identity, second: Identity) -> None:
    keys = KeyRing([identity.metadata_url, second.metadata_url], allow_loopback=True)
    await keys.start(now=NOW)
    verifier = BearerVerifier(identity.app_id, keys)
    second.rotate()
    await second.stop()
    token = second.token(now=NOW, aud=identity.app_id)
    assert await answer(verifier, token, now=NOW + 300) == (503, "key-not-known-yet")
    assert await answer(verifier, identity.token(now=NOW), now=NOW + 300) == (200, "")
    await keys.close()


@pytest.mark.parametrize("claim", [{"aud": "another-bot"}, {"iss": "https://elsewhere.example"}, {"exp": 1}])
async def test_a_token_that_could_never_be_good_is_not_worth_a_fetch(
    identity: Identity, verifier: BearerVerifier, claim: dict[str, Any]
) -> None:
    before = identity.fetches
    status, _ = await answer(verifier, identity.token(now=NOW, headers={"kid": "unknown"}, **claim), now=NOW + 301)
    assert (status, identity.fetches) == (403, before)


async def test_without_any_key_a_good_token_is_503_and_a_bad_one_still_403(identity: Identity) -> None:
    token = identity.token(now=NOW)
    await identity.stop()
    keys = KeyRing([identity.metadata_url], allow_loopback=True)
    await keys.start(now=NOW)
    verifier = BearerVerifier(identity.app_id, keys)
    assert await answer(verifier, token) == (503, "no-keys")
    assert await answer(verifier, "garbage") == (403, "token-malformed")
    assert await answer(verifier, identity.token(now=NOW, aud="another-bot")) == (403, "token-audience")
    error = await refusal(verifier, None)
    assert error is not None
    assert error.status == 401

    await identity.start()
    assert await answer(verifier, token, now=NOW + 9) == (503, "no-keys")
    assert await answer(verifier, token, now=NOW + 10) == (200, "")
    await keys.close()


async def test_a_request_that_goes_away_does_not_take_the_fetch_from_the_others(
    identity: Identity, verifier: BearerVerifier
) -> None:
    identity.rotate(keep=True)
    identity.hold()
    token, before = identity.token(now=NOW), identity.fetches
    first = asyncio.create_task(answer(verifier, token, now=NOW + 300))
    second = asyncio.create_task(answer(verifier, token, now=NOW + 300))
    await identity.asked(before + 1)
    first.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    identity.release()
    assert await second == (200, "")
    assert identity.fetches == before + 1


async def test_in_development_anybody_is_let_in() -> None:
    assert await refusal(AcceptAll(), None) is None
    assert AcceptAll().remembered("", now=NOW).hold(NOW)
