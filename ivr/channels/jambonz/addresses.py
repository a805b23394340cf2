"""The addresses that jambonz is given, and what those mean that it comes back to.

Each holds a token, an HMAC over account, call and step (`ivr.channels.address_token`), so that nobody can make one. A
call that comes in has jambonz's own name, which stands in each request; one that we place has ours, which stands in the
address: it is known before jambonz has a name for the call.
"""

import re
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from ivr.channels.address_token import AddressTokens
from ivr.ports import CallKey

CHANNEL: Final = "jambonz"
"The channel's name in stored calls."
CALL: Final = "/jambonz/call"
"A call comes in; `/NAME` may follow."
STEP: Final = "/jambonz/step"
"A verb has ended; the token tells which."
STATUS: Final = "/jambonz/status"
"The call has changed its state."
WHISPER: Final = "/jambonz/whisper"
"Somebody answers a transfer, and hears something first."
LISTEN: Final = "/jambonz/listen/"
"The beginning of the addresses of WebSockets."

ANSWERED: Final = "answered"
"The step at which somebody answers a call that we place."
DETECTED: Final = "detected"
"The step at which it is known whether a machine has answered."
UNDETECTED: Final = "undetected"
"The step at which that is waited for no longer."
TOLD: Final = "status"
"The step of the states of a call that we place."

_TOKEN, _WORDS, _PLACED = "t", "w", "c"
_RETRIES = "#rc=2&rp=ct,rt,5xx"
"Two more attempts: if no connection came about, none answered in time, or the server failed. jambonz reads it itself."
_LISTENS, _WHISPERS = "listen.", "whisper."
"Before the name of a step: the token of a step is none of a WebSocket, and the other way round."
_OURS = re.compile(r"[0-9a-f]{32}", re.ASCII)


class JambonzAddresses:
    """Makes addresses, and reads them. Pure."""

    def __init__(self, public: str, tokens: AddressTokens) -> None:
        """Make addresses below `public`, where jambonz reaches this server."""
        self._public = public.rstrip("/")
        self._tokens = tokens

    # --- out ---

    def step(self, call: CallKey, name: str, *, placed: bool = False) -> str:
        """Return where the outcome of a step is posted to."""
        return self._address(STEP, call, name, placed=placed) + _RETRIES

    def status(self, call: CallKey) -> str:
        """Return where the states of a call that we place are posted to."""
        return self._address(STATUS, call, TOLD, placed=True) + _RETRIES

    def listen(self, call: CallKey, op: str) -> str:
        """Return the address of the WebSocket for a recording."""
        scheme, _, rest = self._public.partition("://")
        token = self._tokens.make(call, _LISTENS + op)
        return f"{'wss' if scheme == 'https' else 'ws'}://{rest}{LISTEN}{call.account}/{call.id}/{token}"

    def whisper(self, call: CallKey, words: str, *, placed: bool = False) -> str:
        """Return where to ask for what whoever answers a transfer hears; the words are in the address."""
        return self._address(WHISPER, call, _whisper(words), placed=placed) + f"&{urlencode({_WORDS: words})}"

    def message(self, call: CallKey, name: str) -> str:
        """Return the id of the message that comes to a step's address."""
        return f"step:{self._tokens.make(call, name)}"

    # --- in ---

    def meant(self, target: str, account: str, call: str) -> tuple[CallKey, str] | None:
        """Return whose step an address is; None: it was not given out for that call. `call`: jambonz's name for it."""
        key = self._key(target, account, call)
        name = None if key is None else self._tokens.read(key, _query(target, _TOKEN))
        return None if key is None or name is None or name.startswith((_LISTENS, _WHISPERS)) else (key, name)

    def listens(self, path: str) -> tuple[CallKey, str] | None:
        """Return the call and the operation that a WebSocket's address is for; None: it is not one of ours."""
        parts = path.removeprefix(LISTEN).split("/")
        if len(parts) != 3:
            return None
        key = CallKey(CHANNEL, *parts[:2])
        name = self._tokens.read(key, parts[2])
        return (key, name.removeprefix(_LISTENS)) if name is not None and name.startswith(_LISTENS) else None

    def words(self, target: str, account: str, call: str) -> str | None:
        """Return the words of a whisper's address; None: it was not given out for that call."""
        key, words = self._key(target, account, call), _query(target, _WORDS)
        right = key is not None and self._tokens.read(key, _query(target, _TOKEN)) == _whisper(words)
        return words if right else None

    # ---

    def _address(self, path: str, call: CallKey, name: str, *, placed: bool) -> str:
        ours = f"{_PLACED}={call.id}&" if placed else ""
        return f"{self._public}{path}?{ours}{_TOKEN}={self._tokens.make(call, name)}"

    def _key(self, target: str, account: str, call: str) -> CallKey | None:
        placed = _query(target, _PLACED)
        if not placed:
            return CallKey(CHANNEL, account, call)
        return CallKey(CHANNEL, account, placed) if _OURS.fullmatch(placed) else None


def _query(target: str, name: str) -> str:
    """Return a part of an address's query; empty: it is not there, or more than once."""
    try:
        found = parse_qs(urlsplit(target).query, max_num_fields=8).get(name, [])
    except ValueError:
        return ""
    return found[0] if len(found) == 1 else ""


def _whisper(words: str) -> str:
    """Return the step that a whisper's token names: the words are in the address, and must not be changed."""
    return _WHISPERS + sha256(words.encode()).hexdigest()[:32]
