"""A bot that checks tokens, ours or any, takes the phone for the platform."""

import time
from pathlib import Path

import aiohttp
import jwt
import pytest

from ivr.auth.keys import KeyRing
from ivr.auth.tokens import BearerVerifier
from ivr.errors import WebhookError
from ivr.phone.net.identity import FRESH, LIFETIME, Identity, KeyUnusable, identity_served
from ivr.ports import WebhookRequest

PHONE = Identity("the-app")


async def verify(app: str, token: str, metadata: str, now: float) -> None:
    ring = KeyRing([metadata], allow_loopback=True)
    await ring.start(now=now)
    request = WebhookRequest("POST", "/call", {"authorization": f"Bearer {token}"})
    try:
        await BearerVerifier(app, ring).verify(request, now=now)
    finally:
        await ring.close()


async def test_our_own_server_s_check_lets_the_phone_in() -> None:
    now = time.time()
    async with identity_served(PHONE) as metadata:
        await verify("the-app", PHONE.token(now), metadata, now)
        with pytest.raises(WebhookError):
            await verify("another-app", PHONE.token(now), metadata, now)


async def test_another_phone_is_not_this_one() -> None:
    now = time.time()
    async with identity_served(PHONE) as metadata:
        with pytest.raises(WebhookError):
            await verify("the-app", Identity("the-app").token(now), metadata, now)


def test_a_token_is_used_again_for_a_while_and_is_then_made_anew() -> None:
    identity = Identity("app")
    first = identity.token(1000.0)
    assert identity.token(1000.0 + FRESH) == first
    later = identity.token(1001.0 + FRESH)
    claims = jwt.decode(later, options={"verify_signature": False})
    assert claims["exp"] == int(1001.0 + FRESH) + LIFETIME
    assert claims["nbf"] < 1001.0 + FRESH


def test_a_kept_key_is_the_same_phone_tomorrow_and_its_owner_s_alone(tmp_path: Path) -> None:
    first = Identity.kept("app", tmp_path / "phone.pem")
    again = Identity.kept("app", tmp_path / "phone.pem")
    assert first.documents("http://127.0.0.1") == again.documents("http://127.0.0.1")
    assert (tmp_path / "phone.pem").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_file_that_holds_no_key_is_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "phone.pem").write_bytes(content)
    with pytest.raises(KeyUnusable, match=r"phone\.pem"):
        Identity.kept("app", tmp_path / "phone.pem")
    assert (tmp_path / "phone.pem").read_bytes() == content


async def test_only_the_two_documents_are_served() -> None:
    async with identity_served(PHONE) as metadata, aiohttp.ClientSession() as session:
        async with session.get(metadata) as response:
            document = await response.json()
        async with session.get(document["jwks_uri"]) as response:
            keys = (await response.json())["keys"]
        async with session.get(metadata + "/../../secret") as response:
            assert response.status == 404
    assert document["issuer"] == "https://api.botframework.com"
    assert [sorted(key) for key in keys] == [["e", "kid", "kty", "n", "use"]]


async def test_a_port_that_is_taken_is_said_to_be() -> None:
    async with identity_served(PHONE) as metadata:
        port = int(metadata.split(":")[2].split("/")[0])
        with pytest.raises(OSError, match="in use"):
            async with identity_served(PHONE, port):
                pass
