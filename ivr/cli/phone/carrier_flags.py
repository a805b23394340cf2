"""Flags of `ivr phone --as`: the carrier that is played, and what it does."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, get_args

import click
from msgspec import Struct

from ivr.carriers.misbehaviour import MISDEEDS, Misdeed
from ivr.carriers.twiml.call_plan import Callee
from ivr.carriers.twiml.twiml_profile import PROFILES
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.placed_call import Caller

CARRIERS = (*PROFILES, "jambonz")
SECRET = "CARRIER_SECRET"  # noqa: S105  # the name of a variable
ANSWERS = ("human", "machine", "fax", "busy", "noAnswer", "rejected", "unreachable")
NEEDS_CARRIER = ("secret", "account", "called", "status", "fallback", "misbehave", "api_port", "orders", "callee")
WITH_CARRIER = frozenset(
    {*NEEDS_CARRIER, "carrier", "bot", "caller", "sound", "wire", "scripts", "calls", "concurrency", "rate"}
    | {"as_json", "allow", "workflows", "call_length", "answer_time"}
)
"Flags that mean something where a carrier is played."


class CarrierFlags(Struct, frozen=True):
    """What the command line says of a carrier."""

    carrier: str
    bot: str
    secret: str | None = None
    account: str | None = None
    caller: str | None = None
    called: str | None = None
    status: str | None = None
    fallback: str | None = None
    misdeeds: frozenset[Misdeed] = frozenset()
    api_port: int | None = None
    "None: the usual one, or any that is free."
    orders: bool = False
    callee: Callee = Callee()
    allowed: tuple[str, ...] = ()
    limits: PhoneLimits = PhoneLimits()

    def caller_of(self, who: Caller | None) -> str | None:
        """Return the number that calls: that of the flags, else that of a script; None: neither names one."""
        return self.caller or (who.caller if who is not None else None) or None


def carrier_played(
    carrier: str,
    bot: str,
    flags: Mapping[str, Any],
    *,
    caller: str | None,
    allowed: tuple[str, ...],
    limits: PhoneLimits,
) -> CarrierFlags:
    """Put together what the command line says."""
    return CarrierFlags(
        carrier,
        bot,
        flags["secret"],
        flags["account"],
        caller,
        flags["called"],
        flags["status"],
        flags["fallback"],
        flags["misbehave"] or frozenset(),
        flags["api_port"],
        flags["orders"],
        Callee(flags["callee"] or "human"),
        allowed,
        limits,
    )


class _Misdeeds(click.ParamType[frozenset[Misdeed]]):
    """Misdeeds, with commas between."""

    name = "kinds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> frozenset[Misdeed]:
        """Read what was typed; fail as click does."""
        if isinstance(value, frozenset):
            return value
        named = [word.strip() for word in str(value).split(",")]
        known = {str(misdeed): misdeed for misdeed in get_args(Misdeed)}
        for word in named:
            if word not in known:
                self.fail(f"{word} is not one of {', '.join(known)}", param, ctx)
        return frozenset(known[word] for word in named)


def carrier_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the flags to a command, which gets them as `flags_of_carrier`, a dictionary."""

    @wraps(command)
    def with_carrier(**flags: Any) -> None:
        command(flags_of_carrier={name: flags.pop(name) for name in NEEDS_CARRIER}, **flags)

    for option in reversed(_OPTIONS):
        with_carrier = option(with_carrier)
    return with_carrier


_OPTIONS = (
    click.option(
        "--secret",
        metavar="TEXT",
        envvar=SECRET,
        help="With --as: what its requests are signed with: the auth token, or the signing key (telnyx: base64 of 32"
        f" bytes). Others on this machine can read command lines: better set {SECRET}. Default: one that is printed.",
    ),
    click.option("--account", metavar="SID", help="With --as: the account's id."),
    click.option("--to", "called", metavar="NUMBER", help="With --as: the number that is called."),
    click.option("--status", metavar="URL", help="With --as: the bot's status callback."),
    click.option("--fallback", metavar="URL", help="With --as: asked when a document cannot be had."),
    click.option(
        "--misbehave",
        type=_Misdeeds(),
        metavar="KINDS",
        help="With --as, separated by commas: " + "; ".join(f"{name}: {what}" for name, what in MISDEEDS.items()) + ".",
    ),
    click.option(
        "--api-port",
        type=click.IntRange(0, 65_535),
        help="With --as: the port of the carrier's API, where recordings are, too. "
        "Default: 9080, where a server with --dev looks for it, or any free one.",
    ),
    click.option("--orders", is_flag=True, help="With --as: call nobody, and wait for calls that the bot orders."),
    click.option(
        "--callee",
        type=click.Choice(ANSWERS),
        help="With --orders: who answers the calls that the bot orders. Default: human.",
    ),
)
