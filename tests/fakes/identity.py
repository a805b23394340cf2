"""The other side of the door: an identity provider as Bot Framework's, on loopback, with real keys and real tokens.

    identity = Identity(app_id="our-bot")
    await identity.start()
    keys = KeyRing([identity.metadata_url], allow_loopback=True)
    headers = {"Authorization": f"Bearer {identity.token()}"}

It can be told to misbehave: `metadata` and `keys` are the two answers it gives (status, headers, body), `hold()` makes
them wait until `release()`, `stop()` makes the host go away and `start()` brings it back at the same address. `asked()`
waits until somebody has come.
"""

import asyncio
import functools
import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from jwt.utils import base64url_encode

from tests.waiting import PATIENCE

ISSUER = "https://api.botframework.com"


@functools.cache
def private_key(number: int) -> rsa.RSAPrivateKey:
    """Return the same key for the same number: making one takes longer than most tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk(kid: str, key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """Publish a key in Microsoft's way: no `alg`, but `endorsements`."""
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {"kty": "RSA", "use": "sig", "kid": kid, "n": public["n"], "e": public["e"], "endorsements": ["skype"]}


@dataclass
class Answer:
    """What the host says at one address; without a body, the right thing."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


class Identity:
    """An identity provider; `fetches` counts requests for its metadata, `key_fetches` those for its keys."""

    _numbers = itertools.cycle(range(4))
    _names = itertools.count(1)

    def __init__(self, app_id: str = "an-app-id") -> None:
        self.app_id = app_id
        self.metadata = Answer()
        self.keys = Answer()
        self.fetches = 0
        self.key_fetches = 0
        self.jwks: list[dict[str, Any]] = []
        self._asked = asyncio.Event()
        self._go_on = asyncio.Event()
        self._go_on.set()
        self._port = 0
        self._runner: web.AppRunner | None = None
        self.rotate()

    # --- the host ---

    async def start(self) -> None:
        app = web.Application()
        self.routes(app)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/v1/.well-known/openidconfiguration", self._serve_metadata)
        app.router.add_get("/v1/keys", self._serve_keys)

    async def stop(self) -> None:
        self.release()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def hold(self) -> None:
        """Take requests, and say nothing."""
        self._go_on.clear()

    def release(self) -> None:
        self._go_on.set()

    async def asked(self, times: int) -> None:
        """Return once the metadata have been asked for so many times in all."""
        async with asyncio.timeout(PATIENCE):
            while self.fetches < times:
                self._asked.clear()
                await self._asked.wait()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def metadata_url(self) -> str:
        return f"{self.base}/v1/.well-known/openidconfiguration"

    @property
    def keys_url(self) -> str:
        return f"{self.base}/v1/keys"

    async def _serve_metadata(self, request: web.Request) -> web.Response:
        self.fetches += 1
        self._asked.set()
        return await self._say(self.metadata, {"issuer": ISSUER, "jwks_uri": self.keys_url})

    async def _serve_keys(self, request: web.Request) -> web.Response:
        self.key_fetches += 1
        return await self._say(self.keys, {"keys": self.jwks})

    async def _say(self, answer: Answer, truth: object) -> web.Response:
        await self._go_on.wait()
        body = json.dumps(truth).encode() if answer.body is None else answer.body
        return web.Response(status=answer.status, headers=answer.headers, body=body, content_type="application/json")

    # --- keys and tokens ---

    def rotate(self, *, keep: bool = False) -> None:
        """Sign with a new key from now on; the old one is withdrawn unless it is kept."""
        self.key = private_key(next(self._numbers))
        self.kid = f"key-{next(self._names)}"
        self.jwks = [*(self.jwks if keep else []), jwk(self.kid, self.key)]

    def claims(self, *, now: float | None = None, **changed: Any) -> dict[str, Any]:
        """Return a good token's claims, changed as told; a claim that is None is left out."""
        now = time.time() if now is None else now
        claims = {"iss": ISSUER, "aud": self.app_id, "nbf": int(now) - 60, "exp": int(now) + 3600, **changed}
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self,
        *,
        now: float | None = None,
        key: Any = None,
        alg: str = "RS256",
        headers: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """Mint a token, good at `now` (default: the wall clock's) unless claims, key or headers spoil it."""
        payload = json.dumps(self.claims(now=now, **claims)).encode()
        return jwt.PyJWS().encode(
            payload, self.key if key is None else key, algorithm=alg, headers={"kid": self.kid, **(headers or {})}
        )

    def forge(self, header: bytes, payload: bytes) -> str:
        """Sign whatever it is, RS256 with the right key: for what no JWT library would write."""
        signed = b".".join(base64url_encode(part) for part in (header, payload))
        signature = self.key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return (signed + b"." + base64url_encode(signature)).decode()
