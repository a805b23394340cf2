"""The platform's own name: an RSA key, the documents by which a bot learns of it, and a token on every request.

Tokens are made as the vendor's were (protocol 13): RS256, the issuer that bots insist on, made out to the bot's app id.
A bot that is told where our metadata is runs its whole check against us.
"""

import hashlib
import os
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import jwt
import msgspec
from aiohttp import web
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ivr.errors import IvrError
from ivr.smallfiles import read_small

HOST = "127.0.0.1"
"Where the documents are served: on this machine alone."
ISSUER = "https://api.botframework.com"
MAX_KEY = 64 << 10
"Bytes of a key's file."
METADATA_PATH = "/v1/.well-known/openidconfiguration"
KEYS_PATH = "/v1/keys"
LIFETIME = 3600
"Seconds for which a token is good."
FRESH = 300
"Seconds for which the same token is used again: signing costs more than the whole rest of a request."
EARLIER = 60
"Seconds by which a token is good before it is made, for bots whose clocks are slow."


class KeyUnusable(IvrError):
    """A file that should hold the phone's key, and does not."""


class Identity:
    """The phone's key: a new one for each phone, unless it is stored in a file."""

    def __init__(self, app_id: str, key: rsa.RSAPrivateKey | None = None, *, endorsements: Sequence[str] = ()) -> None:
        """Speak to the bot with this app id; `endorsements`: the channels that the key speaks for."""
        self._app_id = app_id
        self._endorsements = endorsements
        self.service: str | None = None
        "The address for which tokens speak; None: they do not say."
        self._key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._kid = hashlib.sha256(public).hexdigest()[:32]
        self._token = ""
        self._made = -FRESH - 1.0

    @classmethod
    def kept(cls, app_id: str, file: Path) -> "Identity":
        """Take the key from a file, or make one and put it there; raise KeyUnusable, or OSError.

        Bots remember keys, and look for new ones every few minutes at most: a phone with a new key waits for that.
        """
        if file.exists():
            return cls(app_id, _read(file))
        identity = cls(app_id)
        written = identity._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as output:
            output.write(written)
        return identity

    def to(self, app_id: str) -> "Identity":
        """Return the same key, whose tokens are made out to another bot."""
        return Identity(app_id, self._key, endorsements=self._endorsements)

    def token(self, now: float) -> str:
        """Return a bearer token that is good at `now`, in seconds since 1970."""
        if now - self._made > FRESH or now < self._made:
            claims = {"iss": ISSUER, "aud": self._app_id, "nbf": int(now) - EARLIER, "exp": int(now) + LIFETIME}
            claims |= {"serviceurl": self.service} if self.service else {}
            self._token = jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._kid})
            self._made = now
        return self._token

    def documents(self, base: str) -> Mapping[str, bytes]:
        """Return the metadata and the key set by path, for a host whose address is `base`."""
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        key = {"kty": "RSA", "use": "sig", "kid": self._kid, "n": public["n"], "e": public["e"]}
        key |= {"endorsements": [*self._endorsements]} if self._endorsements else {}
        metadata = {
            "issuer": ISSUER,
            "jwks_uri": base + KEYS_PATH,
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        }
        return {METADATA_PATH: msgspec.json.encode(metadata), KEYS_PATH: msgspec.json.encode({"keys": [key]})}


@asynccontextmanager
async def identity_served(identity: Identity, port: int = 0) -> AsyncIterator[str]:
    """Serve metadata and key set, for bots that check tokens, and return the metadata's address; port 0: any free one.

    Raise OSError if the port is taken.
    """
    sock = socket.create_server((HOST, port))
    base = f"http://{HOST}:{sock.getsockname()[1]}"
    documents = identity.documents(base)

    async def handle(request: web.BaseRequest) -> web.Response:
        document = documents.get(request.rel_url.path)
        if document is None or request.method not in ("GET", "HEAD"):
            return web.Response(status=404)
        return web.Response(body=document, content_type="application/json")

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=1)
    await runner.setup()
    try:
        await web.SockSite(runner, sock).start()
        yield base + METADATA_PATH
    finally:
        await runner.cleanup()


def _read(file: Path) -> rsa.RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(read_small(file, MAX_KEY), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(f"{file} does not contain a private key") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise KeyUnusable(f"{file} does not contain an RSA key, which is needed to sign tokens")
    return key
