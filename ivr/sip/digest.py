"""Digest authentication, both sides: RFC 7616 (SHA-256, MD5) as SIP has it (RFC 3261 22, RFC 8760).

A nonce is the time and an HMAC over it, so that nothing is stored for who was only challenged. It lasts for
NONCE_SECONDS; within them each answer counts once.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from ivr.sip.addresses import unquoted
from ivr.sip.message import Response

Algorithm: TypeAlias = Literal["SHA-256", "MD5"]

NONCE_SECONDS = 30.0
MOST_COUNTS = 10_000
"Nonces in use whose counts are remembered."
ALGORITHMS: tuple[Algorithm, ...] = ("SHA-256", "MD5")
"The better one first; a client takes the first that it knows (RFC 8760 2.4)."

_FIELD = re.compile(r'[ \t]*([A-Za-z0-9*_-]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^\s",]+)[ \t]*(?:,|$)')
_SCHEME = re.compile(r"digest[ \t]+", re.IGNORECASE)
_COUNT = re.compile(r"[0-9a-f]{8}", re.IGNORECASE)
_TIME = re.compile(r"[0-9a-f]{1,16}")
_LONGEST = 512
"Characters of a field."
_NEEDED = frozenset({"username", "realm", "nonce", "uri", "response", "qop", "nc", "cnonce"})


class NonceCounts:
    """Which counts were used with which nonce (RFC 7616 3.4.5); only who knows a password gets an entry."""

    def __init__(self) -> None:
        self._used: dict[tuple[str, str], tuple[int, float]] = {}
        "The last count of a nonce and client nonce, and when the first came; in the order of the first ones."

    def __len__(self) -> int:
        return len(self._used)

    def full(self, now: float) -> bool:
        """Return whether there is no room, after forgetting those whose nonce is too old to be used."""
        for key, (_, first) in list(self._used.items()):
            if now - first <= NONCE_SECONDS:
                break
            del self._used[key]
        return len(self._used) >= MOST_COUNTS

    def rises(self, nonce: str, cnonce: str, count: int, now: float) -> bool:
        """Return whether a count is higher than all before, and remember it."""
        last, first = self._used.get((nonce, cnonce), (0, now))
        if count <= last:
            return False
        self._used[nonce, cnonce] = (count, first)
        return True


class _Fields(Struct, frozen=True):
    """What an Authorization says, in the form that is checked."""

    username: str
    realm: str
    nonce: str
    uri: str
    cnonce: str
    count: str
    response: str
    algorithm: Algorithm


def challenges(
    realm: str, *, secret: bytes, now: float, stale: bool = False, algorithms: Sequence[Algorithm] = ALGORITHMS
) -> tuple[str, ...]:
    """Return the values of WWW-Authenticate, the strongest algorithm first (RFC 8760 2.3); `now` in seconds."""
    time = f"{int(now * 1e6):x}"
    rest = ", stale=true" if stale else ""
    return tuple(
        f'Digest realm={_quoted(realm)}, nonce="{_nonce(time, realm, algorithm, secret)}", algorithm={algorithm}, '
        f'qop="auth"{rest}'
        for algorithm in algorithms
    )


def verify(
    authorization: str,
    *,
    method: str,
    realm: str,
    password_of: Callable[[str], str | None],
    secret: bytes,
    now: float,
    counts: NonceCounts,
    algorithms: Sequence[Algorithm] = ALGORITHMS,
) -> Literal["ok", "stale", "refused"]:
    """Return whether an Authorization shows that its sender knows a user's password.

    `stale`: the password is right and the nonce too old, or another process's; a challenge with `stale=true` is due.
    A nonce is good for the algorithm alone that it was sent with. How long it takes does not depend on whether the
    user exists, nor on how much of the digest is right.
    """
    fields = _fields_of(authorization)
    if fields is None or fields.realm != realm or fields.algorithm not in algorithms:
        return "refused"
    password = password_of(fields.username)
    expected = _response(fields, method, password or "")
    if not hmac.compare_digest(expected.encode(), fields.response.lower().encode()) or password is None:
        return "refused"
    if not _is_fresh(fields, secret, now) or counts.full(now):
        return "stale"
    return "ok" if counts.rises(fields.nonce, fields.cnonce, int(fields.count, 16), now) else "refused"


def credentials(
    response: Response, *, user: str, password: str, method: str, uri: str, cnonce: str, count: int = 1
) -> tuple[str, str] | None:
    """Return the header that answers a 401 or 407, its name and value; None if no challenge can be answered.

    `uri` is the Request-URI, `count` how often this nonce was used, with this request.
    """
    proxy = response.status == 407
    offered = [
        _parameters(each) for each in response.headers.all("Proxy-Authenticate" if proxy else "WWW-Authenticate")
    ]
    usable = [(algorithm, each) for each in offered if each and (algorithm := _answerable(each))]
    if not usable:
        return None
    algorithm, challenge = min(usable, key=lambda pair: ALGORITHMS.index(pair[0]))
    protected = "qop" in challenge
    fields = _Fields(user, challenge["realm"], challenge["nonce"], uri, cnonce if protected else "",
                     f"{count:08x}" if protected else "", "", algorithm)  # fmt: skip
    parts = [f"username={_quoted(user)}", f"realm={_quoted(fields.realm)}", f"nonce={_quoted(fields.nonce)}",
             f"uri={_quoted(uri)}", f'response="{_response(fields, method, password)}"']  # fmt: skip
    if "algorithm" in challenge:
        parts.append(f"algorithm={algorithm}")
    if protected:
        parts += ["qop=auth", f"nc={fields.count}", f"cnonce={_quoted(cnonce)}"]
    if "opaque" in challenge:
        parts.append(f"opaque={_quoted(challenge['opaque'])}")
    return ("Proxy-Authorization" if proxy else "Authorization"), "Digest " + ", ".join(parts)


def is_stale(response: Response) -> bool:
    """Return whether a 401 or 407 says that only the nonce was too old (RFC 7616 3.3)."""
    values = (*response.headers.all("WWW-Authenticate"), *response.headers.all("Proxy-Authenticate"))
    return any((_parameters(each) or {}).get("stale", "").lower() == "true" for each in values)


def _response(fields: _Fields, method: str, password: str) -> str:
    """Return the digest (RFC 7616 3.4.1); without a count that of RFC 2069, for who offers no `qop`."""
    secret = _hash(fields.algorithm, f"{fields.username}:{fields.realm}:{password}")
    request = _hash(fields.algorithm, f"{method}:{fields.uri}")
    middle = f"{fields.nonce}:{fields.count}:{fields.cnonce}:auth" if fields.count else fields.nonce
    return _hash(fields.algorithm, f"{secret}:{middle}:{request}")


def _hash(algorithm: Algorithm, text: str) -> str:
    if algorithm == "MD5":  # for phones and exchanges that know nothing else
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return hashlib.sha256(text.encode()).hexdigest()


def _nonce(time: str, realm: str, algorithm: Algorithm, secret: bytes) -> str:
    """Return a nonce; `time` is in microseconds, in hexadecimal."""
    seal = hmac.new(secret, f"{time} {algorithm} {realm}".encode(), hashlib.sha256).hexdigest()
    return f"{time}-{seal[:32]}"


def _is_fresh(fields: _Fields, secret: bytes, now: float) -> bool:
    time = fields.nonce.partition("-")[0]
    if not _TIME.fullmatch(time):
        return False
    ours = _nonce(time, fields.realm, fields.algorithm, secret)
    age = now - int(time, 16) / 1e6
    return hmac.compare_digest(ours.encode(), fields.nonce.encode()) and -1 <= age <= NONCE_SECONDS


def _fields_of(authorization: str) -> _Fields | None:
    """Read an Authorization; None if something is missing or cannot be (RFC 7616 3.4)."""
    found = _parameters(authorization)
    if found is None or not found.keys() >= _NEEDED or found["qop"].lower() != "auth":
        return None
    algorithm = _algorithm(found)
    if algorithm is None or not _COUNT.fullmatch(found["nc"]) or any(len(each) > _LONGEST for each in found.values()):
        return None
    return _Fields(found["username"], found["realm"], found["nonce"], found["uri"], found["cnonce"], found["nc"],
                   found["response"], algorithm)  # fmt: skip


def _answerable(challenge: dict[str, str]) -> Algorithm | None:
    """Return the algorithm of a challenge that we can answer."""
    qualities = [each.strip().lower() for each in challenge.get("qop", "auth").split(",")]
    return _algorithm(challenge) if {"realm", "nonce"} <= challenge.keys() and "auth" in qualities else None


def _algorithm(parameters: dict[str, str]) -> Algorithm | None:
    name = parameters.get("algorithm", "MD5").upper()
    return next((each for each in ALGORITHMS if each == name), None)


def _parameters(value: str) -> dict[str, str] | None:
    """Read what stands behind `Digest`, without quotes; None if it is another scheme, or nothing readable."""
    scheme = _SCHEME.match(value)
    if scheme is None:
        return None
    found: dict[str, str] = {}
    at = scheme.end()
    while at < len(value):
        one = _FIELD.match(value, at)
        if one is None or one[1].lower() in found:
            return None
        found[one[1].lower()] = unquoted(one[2])
        at = one.end()
    return found


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
