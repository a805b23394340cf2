"""Reads OpenID metadata and key sets (RFC 7517): bytes from outside become RSA keys, or are left out.

One bad key spoils only itself: a platform may publish key types that we have no use for.
"""

import base64
from codecs import BOM_UTF8
from collections.abc import Iterable
from typing import Annotated, Literal, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from msgspec import Meta, Struct

MIN_BITS = 2048
"RFC 7518, 3.3."

_Kind = TypeVar("_Kind")


class Jwk(Struct, frozen=True):
    """A public RSA key for signatures, in the spelling of RFC 7517; also how it is kept in the data folder."""

    kid: str
    n: Annotated[str, Meta(max_length=1366)]
    "The modulus, base64url; at most 8,192 bits, since checking a signature costs the square of that."
    e: Annotated[str, Meta(max_length=8)]
    kty: Literal["RSA"]
    use: Literal["sig"] = "sig"
    endorsements: tuple[str, ...] = ()
    "The channels that the key speaks for, where a platform has several; none: it does not say."


class _Metadata(Struct):
    jwks_uri: str


class _KeySet(Struct):
    keys: list[msgspec.Raw]


def keys_address(metadata: bytes) -> str:
    """Return the address of the keys that a metadata document names; raise ValueError."""
    return _decode(metadata.removeprefix(BOM_UTF8), _Metadata).jwks_uri


def read_keys(body: bytes) -> tuple[Jwk, ...]:
    """Return the keys of a key set that we can use; raise ValueError if it is no key set or has none."""
    keys = tuple(key for raw in _decode(body.removeprefix(BOM_UTF8), _KeySet).keys for key in _jwk(raw))
    if not public_keys(keys):
        raise ValueError("a key set without a usable key")
    return keys


def public_keys(keys: Iterable[Jwk]) -> dict[str, RSAPublicKey]:
    """Return the keys by `kid`, without those that are broken or weak; of two with one name the first."""
    found: dict[str, RSAPublicKey] = {}
    for jwk in keys:
        try:
            key = RSAPublicNumbers(_number(jwk.e), _number(jwk.n)).public_key()
        except ValueError:
            continue
        if key.key_size >= MIN_BITS:
            found.setdefault(jwk.kid, key)
    return found


def _jwk(raw: msgspec.Raw) -> Iterable[Jwk]:
    try:
        return (_decode(raw, Jwk),)
    except ValueError:
        return ()


def _decode(body: bytes | msgspec.Raw, kind: type[_Kind]) -> _Kind:
    try:
        return msgspec.json.decode(body, type=kind)
    except RecursionError as exc:  # nesting too deep is no error of msgspec's own
        raise ValueError("nested too deep") from exc


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
