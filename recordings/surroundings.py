"""Around the calls of the shipped cases: who calls and when, what is said, keyed, answered by services, connected."""

from collections.abc import Mapping

from msgspec import Struct

from ivr.engine.events import TransferFailure

SAID: Mapping[str, str | None] = {
    "words": "My flight was late.",
    "cancel": "Please cancel that.",
    "nothing": None,
    "slow": "My flight was late.",
}
"What the speech engine understands, by the recording's name."
NOT_UNDERSTOOD = ("failed", "timeout", "recording")
"Recordings with which the engine fails so."
SLOW = frozenset({"slow"})
"Recordings that take the engine longer than a reply waits: the caller hears the `holdPrompt`."
LATE, GONE = "timeout", "connect"
"A service that does not answer in time, or closes the connection: how often it is asked again is the server's affair."
SERVED: Mapping[str, Mapping[str, tuple[int, object] | str]] = {
    "/orders": {
        "shipped": (200, {"number": "4711", "state": "shipped", "total": 129.9, "day": "2026-12-03"}),
        "slow": (200, {"number": "4711", "state": "shipped", "total": 129.9, "day": "2026-12-03"}),
        "day not known": (200, {"number": "4711", "state": "shipped", "total": 129.9, "day": None}),
        "paid": (200, {"number": "4712", "state": "paid", "total": 1204.5, "day": None}),
        "cancelled": (200, {"number": "4713", "state": "cancelled", "total": 20, "day": None}),
        "unknown": (404, {"error": "there is no such order"}),
        "broken": (500, None),
        "late": LATE,
        "gone": GONE,
        "no order": (200, ["moved"]),
    },
    "/slots": {
        "many": (200, {"slots": [{"id": str(n), "day": "2026-12-01", "time": f"{8 + n:02}:30"} for n in range(1, 6)]}),
        "slow": (200, {"slots": [{"id": "1", "day": "2026-12-01", "time": "09:30"}]}),
        "none": (200, {"slots": []}),
        "broken": (500, None),
        "late": LATE,
        "gone": GONE,
        "no slots": (200, {"error": "moved"}),
    },
    "/appointments": {
        "booked": (201, {"reference": "A7"}),
        "taken": (409, {"error": "this time is taken"}),
        "broken": (500, None),
        "late": LATE,
        "gone": GONE,
        "no reference": (201, {}),
    },
}
"What the web service of the flows answers, by path and name: status and JSON, or how it fails."
CONNECTS: Mapping[str, tuple[TransferFailure, int] | None] = {
    "is connected": None,
    "busy": ("busy", 486),
    "does not answer": ("noAnswer", 408),
    "declines": ("rejected", 603),
    "is not there": ("unreachable", 404),
}
"What comes of a transfer: connected, or why it failed, with the SIP status of the other side."
KEYS = ("2468", "1357", "5", "1", "11202026", "15550100", "12*50", "")
COMMANDS = ("0", "*")
"Keys that are commands of a flow wherever they are no answer."


SOMEBODY_ELSE = "29:other"
"A caller who gets another share of an experiment than the usual one."


class Beginning(Struct, frozen=True):
    """Who calls, and when."""

    language: str = "en"
    at: str | None = None
    "The time that it is to be for the flow; None: any."
    caller: str | None = "29:caller"
    transfers: bool = True
    "The line can connect the caller with somebody else."


BEGINNINGS: Mapping[str, Beginning] = {
    "": Beginning(),
    "in German": Beginning("de"),
    "at noon": Beginning(at="2026-11-24 11:00"),
    "in German at noon": Beginning("de", at="2026-11-24 11:00"),
    "at night": Beginning(at="2026-11-24 22:00"),
    "in German at night": Beginning("de", at="2026-11-24 22:00"),
    "at Christmas": Beginning(at="2026-12-25 11:00"),
    "in German at Christmas": Beginning("de", at="2026-12-25 11:00"),
    "withheld": Beginning(caller=None),
    "somebody else": Beginning(caller=SOMEBODY_ELSE),
    "somebody else in German": Beginning("de", caller=SOMEBODY_ELSE),
    "on a plain line": Beginning(transfers=False),
    "on a plain line at noon": Beginning(at="2026-11-24 11:00", transfers=False),
    "on a plain line at night": Beginning(at="2026-11-24 22:00", transfers=False),
}
"How a call can begin, by what the name of a step says of it."
