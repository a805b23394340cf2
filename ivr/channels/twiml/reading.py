"""Read what a carrier posts: a form, whose every field is hostile until it is looked at."""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl

from msgspec import Struct

from ivr.channels.twiml import wire
from ivr.channels.twiml.addresses import Place, Step
from ivr.errors import WebhookError

MAX_FIELDS: Final = 200
_MAX_TEXT = 256
"Characters of a field that names somebody."
_CALL = re.compile(r"[!-~]{1,128}", re.ASCII)


class Posted(Struct, frozen=True):
    """One request, as `decode` hands it to `hear`."""

    place: Place
    fields: Mapping[str, str]
    step: Step | None = None


def pairs(body: bytes) -> Sequence[tuple[str, str]]:
    """Return the fields of a form in order; raise WebhookError (400) if it is none, or too large to be a carrier's."""
    try:
        return parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, encoding="utf-8", errors="strict"
        )
    except ValueError:  # its text holds what was posted
        raise WebhookError(400, "malformed", "The body is no form that can be read.") from None


def fields_of(body: bytes) -> Mapping[str, str]:
    """Return the fields of a form, each once; raise WebhookError (400) if one that matters is there twice."""
    found: dict[str, str] = {}
    for name, value in pairs(body):
        if found.setdefault(name, value) != value:
            raise WebhookError(400, "malformed", "A field of the form is there twice.")
    return found


def call_of(fields: Mapping[str, str], *, name: str = wire.CALL) -> str:
    """Return the carrier's id of a call; raise WebhookError (400) for one that must not reach store or log."""
    call = fields.get(name, "")
    if not _CALL.fullmatch(call):
        raise WebhookError(400, "bad-id", f"{name} must be 1 to 128 visible ASCII characters.")
    return call


def text_of(fields: Mapping[str, str], name: str) -> str:
    """Return a field that names somebody or something, as plain text on one line."""
    text = fields.get(name, "")[:_MAX_TEXT]
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def number_of(fields: Mapping[str, str], name: str, *, most: float) -> float | None:
    """Return a field that is a number from 0 to `most`; None: it is none."""
    try:
        value = float(fields.get(name, ""))
    except ValueError:
        return None
    return value if 0 <= value <= most else None
