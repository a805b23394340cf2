"""What differs between the carriers that speak TwiML. All that is said of a carrier stands here, with where it is from.

Nothing here was tried on a live account: what a carrier's own pages or packages say is taken as they say it, and where
they say nothing, the way is taken that works in either case.
"""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from ivr.capabilities import Capabilities
from ivr.channels.twiml.voices import SPEAKS, UNDERSTANDS


class TwimlRules(Struct, frozen=True, kw_only=True):
    """How a carrier reads a document of TwiML."""

    tells_empty: bool
    """`actionOnEmptyResult` is known: silence is told at the question's own address. Else the document goes on, to an
    address of ours that means silence."""
    first_silence_by_pause: bool
    """A nested `Pause` stops at the first key, and the time between keys begins after it: so a caller may think for
    longer than between two keys. Else the longer of both times counts for both."""
    record_timeout: Literal["from the start", "after speech"]
    "Whether the silence that ends a recording counts before anything was said, too."
    single_channel: bool
    "A recording has to be asked for with one channel alone."
    trims: bool
    "It trims recordings unless it is told not to."
    speech_timeout: str
    "`speechTimeout` of a `Gather`: seconds of silence after which what was said is whole, or `auto`."


class Profile(Struct, frozen=True, kw_only=True):
    """One carrier's dialect."""

    name: str
    "The channel's name, and the first part of its addresses."
    can: Capabilities
    twiml: TwimlRules | None
    "How it reads documents; None: its documents, and the fields that it posts, are Plivo's."
    most_bytes: int = 64_000
    """Bytes of a document. Twilio refuses one of "more than 64 kB" (error 11750), whichever of both it means. The pages
    of the others do not name a limit."""
    recordings: str
    "The path of its API at which a recording is deleted, with `{account}` and `{recording}`."
    recording_suffix: str
    "What is added to the address of a recording to get it as WAV."
    calls: str
    "The path of its API at which calls are placed, with `{account}`."
    orders: Literal["form", "TeXML", "Plivo"] = "form"
    "How a call is ordered there: by Twilio's form, or by JSON with names of its own."


def _can(**differences: object) -> Capabilities:
    """Return what all carriers of this family can do, but for some differences."""
    common: dict[str, object] = {
        "push": False,
        "recording": "later",
        "reply_within": 12.0,  # carriers wait for 15 s or more; theirs is not all of that time
        "reject": True,
        "terminators": 1,
        "later_terminators": True,  # they come as part of the input, and we find them there
        "record_terminators": 12,
        "separate_record_silence": False,
        "rejection": "busy",  # the other word has a voice say that the number is not in service
        "speech": True,
        "languages": SPEAKS,
        "understands": UNDERSTANDS,
        "transfer": True,
        # Keys always interrupt what is nested in a Gather; whether speech does, can be said.
        "barge_in_by_kind": True,
        "type_ahead": False,
        "free_speech": True,
        "long_keys": True,
        "whole_seconds": True,
        "recording_formats": frozenset({"wav"}),
        "min_record_silence": 1.0,
        "any_transfer_failure": False,
        "tells_place_left": False,
        "tells_language": False,
        "passes_over_words": False,
    }
    return Capabilities(**(common | differences))  # type: ignore[arg-type]


TWILIO: Final = Profile(
    name="twilio",
    can=_can(),
    twiml=TwimlRules(
        tells_empty=True,
        first_silence_by_pause=True,
        record_timeout="from the start",
        single_channel=False,
        trims=True,
        speech_timeout="auto",
    ),
    recordings="/2010-04-01/Accounts/{account}/Recordings/{recording}.json",
    recording_suffix=".wav",
    calls="/2010-04-01/Accounts/{account}/Calls.json",
)

TELNYX: Final = Profile(
    name="telnyx",
    can=_can(separate_first_timeout=False, lone_terminator=False, tells_silence=False, separate_record_silence=True),
    twiml=TwimlRules(
        tells_empty=False,  # its page of Gather does not name the attribute
        first_silence_by_pause=False,  # nor does it say that a Pause can be nested
        record_timeout="after speech",
        single_channel=True,
        trims=False,
        speech_timeout="2",
    ),
    recordings="/v2/recordings/{recording}",
    recording_suffix="",
    calls="/v2/texml/Accounts/{account}/Calls",
    orders="TeXML",
)

SIGNALWIRE: Final = Profile(
    name="signalwire",
    can=_can(separate_first_timeout=False, lone_terminator=False),
    twiml=TwimlRules(
        tells_empty=True,
        first_silence_by_pause=False,
        record_timeout="from the start",
        single_channel=False,
        trims=True,
        speech_timeout="auto",
    ),
    recordings="/api/laml/2010-04-01/Accounts/{account}/Recordings/{recording}.json",
    recording_suffix=".wav",
    calls="/api/laml/2010-04-01/Accounts/{account}/Calls.json",
)

PLIVO: Final = Profile(
    name="plivo",
    # Its times have bounds: 5 to 60 s for the first key, 2 to 10 s between two.
    can=_can(lone_terminator=False, tells_silence=False, barge_in_by_kind=False),
    twiml=None,
    recordings="/v1/Account/{account}/Recording/{recording}/",
    recording_suffix="",
    calls="/v1/Account/{account}/Call/",
    orders="Plivo",
)

PROFILES: Final[Mapping[str, Profile]] = {profile.name: profile for profile in (TWILIO, TELNYX, SIGNALWIRE, PLIVO)}
