"""Tokens of connectors: the table of 30 crafted tokens (activity protocol, A3), and keys that change."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from ivr.auth.connector_tokens import ConnectorVerifier, ServiceVerifier
from ivr.auth.keys import KeyRing
from ivr.errors import WebhookError
from ivr.ports import WebhookRequest
from tests.fakes.identity import ISSUER, Identity, private_key

NOW = 1_800_000_000.0
SERVICE = "https://smba.trafficmanager.net/emea/"
EMULATOR = "https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/"
ACTIVITY = {"type": "message", "channelId": "skype", "serviceUrl": SERVICE}


@pytest.fixture
async def keys(identity: Identity) -> AsyncIterator[KeyRing]:
    ring = KeyRing([identity.metadata_url], allow_loopback=True)
    await ring.start(now=NOW)
    yield ring
    await ring.close()


async def judged(identity: Identity, keys: KeyRing, header: str | None, activity: Any = ACTIVITY, **made: Any) -> int:
    """Return the status with which a request is answered: 202, or that of its refusal."""
    return await answered(ConnectorVerifier(identity.app_id, keys, **made), header, activity)


async def answered(verifier: ServiceVerifier, header: str | None, activity: Any) -> int:
    body = activity if isinstance(activity, bytes) else json.dumps(activity).encode()
    headers = {} if header is None else {"authorization": header}
    request = WebhookRequest("POST", "/api/messages", headers, body)
    try:
        await verifier.verify(request, now=NOW)
        verifier.verify_body(request)
    except WebhookError as error:
        return error.status
    return 202


def good(who: Identity, **changed: Any) -> str:
    return f"Bearer {who.token(now=NOW, **{'serviceurl': SERVICE, **changed})}"


def without(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in {**ACTIVITY, **members}.items() if value is not None}


TABLE: dict[str, tuple[int, Callable[[Identity], str | None], Any]] = {
    "valid": (202, good, ACTIVITY),
    "the scheme in small letters": (202, lambda who: good(who).replace("Bearer", "bearer"), ACTIVITY),
    "serviceUrl without the last slash": (202, good, without(serviceUrl=SERVICE[:-1])),
    "the claim in the other spelling": (202, lambda who: good(who, serviceurl=None, serviceUrl=SERVICE), ACTIVITY),
    "expired by 4 minutes": (202, lambda who: good(who, exp=int(NOW) - 240), ACTIVITY),
    "nbf in 4 minutes": (202, lambda who: good(who, nbf=int(NOW) + 240), ACTIVITY),
    "no nbf": (202, lambda who: good(who, nbf=None), ACTIVITY),
    "channelId not among the endorsements": (403, good, without(channelId="msteams")),
    "no channelId": (403, good, without(channelId=None)),
    "serviceUrl differs in its host": (403, good, without(serviceUrl="https://smba.example/emea/")),
    "serviceUrl differs in its path": (403, good, without(serviceUrl="https://smba.trafficmanager.net/amer/")),
    "serviceUrl differs in its scheme": (403, good, without(serviceUrl="http://smba.trafficmanager.net/emea/")),
    "serviceUrl differs in its port": (403, good, without(serviceUrl="https://smba.trafficmanager.net:8443/emea/")),
    "serviceUrl differs in its query": (403, good, without(serviceUrl=SERVICE + "?x")),
    "serviceUrl differs behind the #": (403, good, without(serviceUrl=SERVICE + "#x")),
    "no serviceUrl in the activity": (403, good, without(serviceUrl=None)),
    "no serviceurl in the token": (403, lambda who: good(who, serviceurl=None), ACTIVITY),
    "another aud": (401, lambda who: good(who, aud="another-app"), ACTIVITY),
    "aud is a list": (401, lambda who: good(who, aud=[who.app_id]), ACTIVITY),
    "no aud": (401, lambda who: good(who, aud=None), ACTIVITY),
    "another iss": (401, lambda who: good(who, iss="https://api.botframework.example"), ACTIVITY),
    "expired by 6 minutes": (401, lambda who: good(who, exp=int(NOW) - 360), ACTIVITY),
    "no exp": (401, lambda who: good(who, exp=None), ACTIVITY),
    "nbf in 6 minutes": (401, lambda who: good(who, nbf=int(NOW) + 360), ACTIVITY),
    "iat in 6 minutes": (401, lambda who: good(who, iat=int(NOW) + 360), ACTIVITY),
    "RS384": (401, lambda who: good(who, alg="RS384"), ACTIVITY),
    "HS256 by the name of the key": (401, lambda who: good(who, key="k" * 32, alg="HS256"), ACTIVITY),
    "alg none": (401, lambda who: "Bearer " + unsigned(who), ACTIVITY),
    "unknown kid": (401, lambda who: good(who, headers={"kid": "unknown"}), ACTIVITY),
    "no kid": (401, lambda who: "Bearer " + without_kid(who), ACTIVITY),
    "bad signature": (401, lambda who: good(who, key=private_key(9)), ACTIVITY),
    "garbage": (401, lambda _: "Bearer garbage", ACTIVITY),
    "emulator issuer with channelId skype": (401, lambda who: good(who, iss=EMULATOR, ver="1.0"), ACTIVITY),
    "no header": (401, lambda _: None, ACTIVITY),
    "a header of three parts": (401, lambda who: good(who) + " x", ACTIVITY),
}


def without_kid(who: Identity) -> str:
    claims = {**who.claims(now=NOW), "serviceurl": SERVICE}
    return who.forge(b'{"alg": "RS256"}', json.dumps(claims).encode())


def unsigned(who: Identity) -> str:
    parts = ({"alg": "none", "kid": who.kid}, {**who.claims(now=NOW), "serviceurl": SERVICE})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


@pytest.mark.parametrize("case", TABLE)
async def test_the_table_of_crafted_tokens(identity: Identity, keys: KeyRing, case: str) -> None:
    expected, header, activity = TABLE[case]
    assert await judged(identity, keys, header(identity), activity) == expected


@pytest.mark.parametrize("case", TABLE)
async def test_the_same_tokens_where_they_say_nothing_of_an_address_or_a_channel(
    identity: Identity, keys: KeyRing, case: str
) -> None:
    expected, header, activity = TABLE[case]
    verifier = ServiceVerifier(
        identity.app_id, keys
    )  # as of the Skype Bot Platform v2: the body is not held against it
    assert await answered(verifier, header(identity), activity) == (401 if expected == 401 else 202)


async def test_a_key_that_says_nothing_of_channels_is_good_where_the_operator_does_not_ask(
    identity: Identity,
) -> None:
    del identity.jwks[0]["endorsements"]
    keys = KeyRing([identity.metadata_url], allow_loopback=True)
    await keys.start(now=NOW)
    try:
        assert await judged(identity, keys, good(identity)) == 403
        assert await judged(identity, keys, good(identity), endorsed=("msteams",)) == 202
        assert await judged(identity, keys, good(identity), endorsed=("skype",)) == 403
    finally:
        await keys.close()


async def test_a_new_key_is_good_at_its_first_request(identity: Identity) -> None:
    keys = KeyRing([identity.metadata_url], allow_loopback=True, interval=0.0)
    await keys.start(now=NOW)
    try:
        identity.rotate()
        assert await judged(identity, keys, good(identity)) == 202
    finally:
        await keys.close()


async def test_keys_are_good_while_their_host_is_away_and_a_new_one_is_asked_for_again(identity: Identity) -> None:
    keys = KeyRing([identity.metadata_url], allow_loopback=True, interval=0.0)
    await keys.start(now=NOW)
    try:
        await identity.stop()
        assert await judged(identity, keys, good(identity)) == 202
        assert await judged(identity, keys, good(identity, headers={"kid": "new"})) == 503
    finally:
        await keys.close()


async def test_what_is_no_activity_is_refused_by_its_body(identity: Identity, keys: KeyRing) -> None:
    for body in (b"{", b"[]", b'{"serviceUrl": 3}', b"\xff", b"[" * 100_000):
        assert await judged(identity, keys, good(identity), body) == 400


async def test_an_address_that_is_none_is_none_of_the_tokens(identity: Identity, keys: KeyRing) -> None:
    for address in ("", "//", "https://[", "https://a:b@smba.trafficmanager.net/emea/", "https://x:99999999/"):
        assert await judged(identity, keys, good(identity, serviceurl=address), without(serviceUrl=address)) == 403


async def test_the_issuer_of_another_cloud_can_be_set(identity: Identity, keys: KeyRing) -> None:
    other = "https://api.botframework.us"
    assert await judged(identity, keys, good(identity, iss=other), issuer=other) == 202
    assert await judged(identity, keys, good(identity, iss=ISSUER), issuer=other) == 401
