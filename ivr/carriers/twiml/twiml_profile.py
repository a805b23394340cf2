"""Carriers of the TwiML family: what each does otherwise than the first."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct


class TwimlProfile(Struct, frozen=True):
    """One carrier."""

    name: str
    dialect: Literal["TwiML", "Plivo XML"] = "TwiML"
    extended: bool = False
    "Its documents have voices, languages and attributes of their own."
    unknown: tuple[str, ...] = ()
    "Attributes of `Gather` that its pages do not name."
    patient_records: bool = False
    "Silence before the first word does not end a recording."
    call_prefix: str = "CA"
    "Of a call's id; 32 hexadecimal digits follow."
    recordings: str = "/Accounts/{account}/Recordings/{recording}"
    "Where a recording is served, below `api_path`."
    api_path: str = "/2010-04-01"
    "Under which its REST API has `/Accounts`."
    bearer: bool = False
    "Its API takes a bearer token, rather than Basic credentials."
    applications: bool = False
    "Calls are ordered for an application of the account, with names of fields that are its own."
    idempotency: str = ""
    "The header that is the same for every try of one request; empty: it has none."


PROFILES: Mapping[str, TwimlProfile] = {
    one.name: one
    for one in (
        TwimlProfile("twilio", idempotency="I-Twilio-Idempotency-Token"),
        TwimlProfile(
            "telnyx",
            extended=True,
            unknown=("actionOnEmptyResult", "debug", "enhanced", "maxSpeechTime"),
            patient_records=True,
            call_prefix="v3:",
            api_path="/v2/texml",
            bearer=True,
            applications=True,
        ),
        TwimlProfile("signalwire", extended=True, call_prefix="", api_path="/api/laml/2010-04-01"),
        TwimlProfile(
            "plivo",
            dialect="Plivo XML",
            call_prefix="",
            recordings="/Account/{account}/Recording/{recording}.wav",
            api_path="/v1",
        ),
    )
}
