"""An identity provider as Entra's, over TLS on this machine: what a browser, a device and a client ask of it.

    authority = FakeAuthority(tmp_path)
    async with authority.served():
        ... authority.login, authority.ca ...

It takes what MSAL sends. Whoever comes to `authorize` is asked nothing: `says` decides (yes, denied), `person` is who
signs in. A device code waits for `device`: its next answers, in order, the last one again and again.
"""

import itertools
import json
import secrets
import ssl
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
from aiohttp import web

from tests.fakes.identity import jwk, private_key
from tests.useragent.certificates import Authority as CertificateAuthority

TENANT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
CLIENT = "1f7dd6e9-cbd7-4c38-adf2-6e9bcab5310a"
SECRET = "the-applications-own-secret"
ADA, EVE = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000e"


class FakeAuthority:
    def __init__(self, folder: Path, *, now: Callable[[], float] = time.time) -> None:
        signer = CertificateAuthority(folder, "authority")
        self.ca, self._tls = signer.file, signer.issue("127.0.0.1")
        self.now = now
        self.says = "yes"
        self.person = ADA
        self.device: list[str] = ["authorization_pending"]
        self.claims: dict[str, Any] = {}
        "What of the next ID tokens is to be otherwise; None: left out."
        self.status: int | None = None
        "Of all answers of the token endpoint; None: as is right."
        self.lasts = 3600
        self.interval = 5
        self.asked: list[tuple[str, dict[str, str]]] = []
        "What came to the token and device endpoints, with the endpoint's name."
        self.polls: list[float] = []
        "When each poll came."
        self.signing = private_key(0)
        self.login = ""
        self._numbers = itertools.count(1)
        self._codes: dict[str, dict[str, str]] = {}
        self._refresh: dict[str, tuple[str, str]] = {}
        "Whose refresh token it is, and for which scopes; each is good once."

    @property
    def root(self) -> str:
        return f"{self.login}/{TENANT}"

    @asynccontextmanager
    async def served(self, *, tls: bool = True) -> AsyncIterator["FakeAuthority"]:
        app = web.Application()
        app.router.add_get(f"/{TENANT}/v2.0/.well-known/openid-configuration", self._metadata)
        app.router.add_get(f"/{TENANT}/discovery/v2.0/keys", self._keys)
        app.router.add_get(f"/{TENANT}/oauth2/v2.0/authorize", self._authorize)
        app.router.add_post(f"/{TENANT}/oauth2/v2.0/token", self._token)
        app.router.add_post(f"/{TENANT}/oauth2/v2.0/devicecode", self._devicecode)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._tls.certificate, self._tls.key)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context if tls else None).start()
        self.login = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    def trusted(self) -> ssl.SSLContext:
        """Return what a client needs to believe in it."""
        return ssl.create_default_context(cafile=str(self.ca))

    def id_token(self, nonce: str | None, *, person: str | None = None, key: Any = None, **changed: Any) -> str:
        now = int(self.now())
        claims = {
            "iss": f"{self.root}/v2.0", "aud": CLIENT, "tid": TENANT, "oid": person or self.person, "sub": "pairwise",
            "iat": now, "nbf": now, "exp": now + 3600, "nonce": nonce, "preferred_username": "ada@example.com",
            **self.claims, **changed,
        }  # fmt: skip
        known = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(known, key or self.signing, algorithm="RS256", headers={"kid": "key-1"})

    async def _metadata(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": f"{self.root}/v2.0",
                "authorization_endpoint": f"{self.root}/oauth2/v2.0/authorize",
                "token_endpoint": f"{self.root}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{self.root}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{self.root}/discovery/v2.0/keys",
            }
        )

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": [jwk("key-1", self.signing)]})

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        wrong = asked.get("client_id") != CLIENT or asked.get("response_type") != "code"
        if wrong or asked.get("code_challenge_method") != "S256" or len(asked.get("code_challenge", "")) != 43:
            return web.Response(status=400, text="invalid_request")
        back = {"state": asked["state"], "iss": f"{self.root}/v2.0"}
        if self.says == "yes":
            code = f"0.code-{next(self._numbers)}"
            self._codes[code] = {**asked, "person": self.person}
            back["code"] = code
        else:
            back |= {"error": self.says, "error_description": "AADSTS65004: the person said no"}
        return web.Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{urlencode(back)}"})

    async def _devicecode(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(("devicecode", form))
        if self.status is not None:
            return self._refused("temporarily_unavailable", self.status)
        if form.get("client_id") != CLIENT:
            return self._refused("unauthorized_client")
        return web.json_response(
            {
                "user_code": "YZMYLD4K",
                "device_code": "DEVICE-" + "x" * 40,
                "verification_uri": "https://microsoft.com/devicelogin",
                "expires_in": 900,
                "interval": self.interval,
                "message": "To sign in, use a web browser to open the page",
            }
        )

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(("token", form))
        if self.status is not None:
            return self._refused("temporarily_unavailable", self.status)
        match form.get("grant_type"):
            case "authorization_code":
                return self._redeemed(form)
            case "refresh_token":
                return self._refreshed(form)
            case "urn:ietf:params:oauth:grant-type:device_code":
                return self._polled(form)
        return self._refused("unsupported_grant_type")

    def _redeemed(self, form: dict[str, str]) -> web.Response:
        asked = self._codes.pop(form.get("code", ""), None)
        made = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if asked is None or made != asked["code_challenge"] or form.get("redirect_uri") != asked["redirect_uri"]:
            return self._refused("invalid_grant")
        if form.get("client_secret") != SECRET:
            return self._refused("invalid_client", 401)
        return self._given(asked["person"], asked["scope"], asked.get("nonce"))

    def _refreshed(self, form: dict[str, str]) -> web.Response:
        found = self._refresh.pop(form.get("refresh_token", ""), None)
        if found is None:
            return self._refused("invalid_grant")
        return self._given(*found, None)

    def _polled(self, form: dict[str, str]) -> web.Response:
        self.polls.append(self.now())
        said = self.device.pop(0) if len(self.device) > 1 else self.device[0]
        if not form.get("device_code", "").startswith("DEVICE-"):
            return self._refused("bad_verification_code")
        if said.isdigit():
            return self._refused("temporarily_unavailable", int(said))
        return self._given(self.person, "User.Read", None) if said == "yes" else self._refused(said)

    def _given(self, person: str, scope: str, nonce: str | None) -> web.Response:
        refresh = f"0.refresh-{next(self._numbers)}-{secrets.token_hex(4)}"
        self._refresh[refresh] = (person, scope)
        return web.json_response(
            {
                "token_type": "Bearer",
                "scope": scope,
                "expires_in": self.lasts,
                "ext_expires_in": self.lasts,
                "access_token": f"access-{person[-1]}-{next(self._numbers)}",
                "refresh_token": refresh,
                "id_token": self.id_token(nonce, person=person),
            }
        )

    def withdraw(self) -> None:
        """Make no refresh token good any more."""
        self._refresh.clear()

    @staticmethod
    def _refused(error: str, status: int = 400) -> web.Response:
        told = {"error": error, "error_description": f"AADSTS: {error}", "error_codes": [70016], "trace_id": "t"}
        return web.Response(status=status, text=json.dumps(told), content_type="application/json")
