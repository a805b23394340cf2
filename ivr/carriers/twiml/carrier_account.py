"""Who a carrier's customer is: the account, its secrets, its calls and recordings."""

import secrets
from collections.abc import Callable

from msgspec import Struct

from ivr.carriers.twiml.call_plan import CallNumbers, CallStatus
from ivr.carriers.twiml.signing import Signer
from ivr.carriers.twiml.twiml_profile import TwimlProfile

MOST_KEPT = 1000
"Recordings and calls that are kept; the oldest goes first."


class KeptRecording(Struct, frozen=True):
    """A recording at the carrier."""

    sid: str
    call: str
    data: bytes
    "The WAV file."
    seconds: int


class KnownCall(Struct, frozen=True):
    """A call, as the API shows it."""

    numbers: CallNumbers
    status: CallStatus
    seconds: int
    "From the answer on."


class CarrierAccount:
    """An account at a carrier; any number of calls share it."""

    def __init__(
        self,
        profile: TwimlProfile,
        *,
        sid: str,
        token: str,
        signer: Signer,
        api: str = "https://api.carrier.invalid",
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        """`token` is the password of the REST API; `api` the address under which recordings are served.

        `new_id` draws 32 hexadecimal digits.
        """
        self.profile = profile
        self.sid = sid
        self.token = token
        self.signer = signer
        self.api = api.rstrip("/")
        self.new_id = new_id
        self.not_ready = 0
        "How often a new recording is asked for before it is there (404)."
        self._recordings: dict[str, KeptRecording] = {}
        self._asked: dict[str, int] = {}
        self.deleted: list[str] = []
        "Recordings that were deleted, by sid."
        self.calls: dict[str, KnownCall] = {}

    def keep(self, sid: str, call: str, data: bytes, seconds: int) -> KeptRecording:
        """Keep a recording."""
        kept = KeptRecording(sid, call, data, seconds)
        self._recordings[kept.sid] = kept
        while len(self._recordings) > MOST_KEPT:
            del self._recordings[next(iter(self._recordings))]
        return kept

    def note(self, numbers: CallNumbers, status: CallStatus, seconds: int) -> None:
        """Note how far a call is."""
        self.calls[numbers.sid] = KnownCall(numbers, status, seconds)
        while len(self.calls) > MOST_KEPT:
            del self.calls[next(iter(self.calls))]

    def address(self, sid: str) -> str:
        """Return where a recording is served, without the suffix that says as what."""
        profile = self.profile
        return f"{self.api}{profile.api_path}{profile.recordings.format(account=self.sid, recording=sid)}"

    def recording(self, sid: str) -> KeptRecording | None:
        """Return a recording; None: there is none, or not yet."""
        self._asked[sid] = self._asked.get(sid, 0) + 1
        return self._recordings.get(sid) if self._asked[sid] > self.not_ready else None

    def delete(self, sid: str) -> bool:
        """Delete a recording; False: there is none."""
        if self._recordings.pop(sid, None) is None:
            return False
        self.deleted.append(sid)
        return True

    @property
    def recordings(self) -> list[KeptRecording]:
        """All that are kept, oldest first."""
        return list(self._recordings.values())
