"""The addresses at which a carrier reaches us, and those that stand in our documents.

    /twilio/call, /twilio/call/FLOW   a call has come in
    /twilio/step?c=…&t=…              what we asked for is done, and we are asked what comes next
    /twilio/recording?c=…&t=…         a recording has been written, or there is none
    /twilio/dialled?c=…&t=…           whoever was called by `Dial` has answered
    /twilio/whisper?c=…&t=…           and is told something, before the caller is connected
    /twilio/status                    what has become of a call
    /twilio/fallback                  a document or a file could not be used

`c` is the call as its key has it, `t` the token of the step (`ivr.channels.address_token`). Addresses without a token
are those that an operator sets at the carrier.
"""

from typing import Final, Literal, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec import Struct

from ivr.channels.address_token import AddressTokens
from ivr.errors import WebhookError
from ivr.ports import CallKey

Place: TypeAlias = Literal["call", "step", "recording", "dialled", "whisper", "status", "fallback"]

EMPTY: Final = ".empty"
"Of a step: the document went on, since the caller gave no answer."
_PART: Final = ".part"
"Of a step: what is still to be said is asked for; the number of the document follows."
_CALL, _TOKEN = "c", "t"
"Names of parameters."
_PLACES: Final[dict[str, Place]] = {
    "call": "call",
    "step": "step",
    "recording": "recording",
    "dialled": "dialled",
    "whisper": "whisper",
    "status": "status",
    "fallback": "fallback",
}
PLACES: Final[tuple[Place, ...]] = tuple(_PLACES.values())
_MOST_PARAMETERS = 20
"Of the query of an address."


class Step(Struct, frozen=True):
    """The step that an address of ours stands for."""

    call: str
    "The call, as its key has it."
    token: str
    op: str
    "The operation."
    empty: bool = False
    part: int = 0
    "Of what is said in several documents, the one that is asked for; 0: the step is done."


class Addresses:
    """Makes addresses for one channel, and reads them."""

    def __init__(self, *, public: str, name: str, account: str, tokens: AddressTokens) -> None:
        """`public` is where the carrier reaches this server; `name` is the channel's, `account` that of its calls."""
        self._public = public.rstrip("/")
        self._name = name
        self._account = account
        self._tokens = tokens

    def path(self, place: Place) -> str:
        """Return the path of a place."""
        return f"/{self._name}/{place}"

    def step(self, call: str, op: str, *, empty: bool = False) -> str:
        """Return where the outcome of an operation is told."""
        return self._made("step", call, f"{op}{EMPTY}" if empty else op)

    def part(self, call: str, op: str, part: int) -> str:
        """Return where another document is to be had of what is said."""
        return self._made("step", call, f"{op}{_PART}{part}")

    def beside(self, place: Place, call: str, op: str) -> str:
        """Return another place for news of an operation."""
        return self._made(place, call, op)

    def placed(self, place: Place, call: str) -> str:
        """Return where news of a call that we make are told; it has no operation yet."""
        return self._made(place, call, "placed")

    def place_of(self, path: str) -> Place:
        """Return what a path is for; raise WebhookError (404) for one that is none of this channel's."""
        parts = path.split("/")
        if len(parts) >= 3 and parts[1] == self._name and parts[2] in _PLACES:
            return _PLACES[parts[2]]
        raise WebhookError(404, "not-found", "There is nothing at this address.")

    def step_of(self, place: Place, target: str) -> Step | None:
        """Return the step of an address; None: it has none. Raise WebhookError (400, 403) if it is none of ours."""
        try:
            query = dict(parse_qsl(urlsplit(target).query, max_num_fields=_MOST_PARAMETERS))
        except ValueError:  # not all carriers sign the address, so anybody's query may stand in it
            raise WebhookError(400, "malformed", "The query cannot be read.") from None
        call, token = query.get(_CALL), query.get(_TOKEN)
        if call is None and token is None:
            return None
        prefix = f"{place}."
        step = self._tokens.read(CallKey(self._name, self._account, call or ""), token or "")
        if call is None or token is None or step is None or not step.startswith(prefix):
            raise WebhookError(403, "address", "This address was not made here.")
        op, _, part = step.removeprefix(prefix).partition(_PART)
        return Step(call, token, op.removesuffix(EMPTY), op.endswith(EMPTY), int(part or 0))

    def _made(self, place: Place, call: str, op: str) -> str:
        token = self._tokens.make(CallKey(self._name, self._account, call), f"{place}.{op}")
        query = urlencode({_CALL: call, _TOKEN: token})
        return f"{self._public}{self.path(place)}?{query}"
