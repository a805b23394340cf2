"""Flags of `ivr phone`: which values make sense, and which flags make sense together."""

import math
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import click
from click.core import ParameterSource

from ivr.cli.phone.carrier_flags import NEEDS_CARRIER, WITH_CARRIER
from ivr.engine.pretend import read_time
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.wire.transfer_targets import is_target

DAY = 86_400.0
PORT = click.IntRange(0, 65_535)

FACES = {"browser": "--browser", "scripts": "--script", "calls": "--calls", "sound": "--sound"}
"The faces of the phone, but for the terminal, which is there when none is asked for; by the name of the parameter."
ONLY_WITH = {"port": "browser", "concurrency": "calls", "rate": "calls", "think": "calls", "as_json": "calls"}
"Flags that mean something to one of them."
NOT_WITH = {"wire": ("browser", "scripts", "calls")}
NEEDS_SIP = ("sip_user", "sip_password", "sip_ca", "record")
WITH_SIP = frozenset({*NEEDS_SIP, "sip", "caller", "scripts", "calls", "concurrency", "rate", "as_json"})
"Flags that mean something where a SIP address is called. All others are about a bot, or about other faces."


class _Time(click.ParamType[str]):
    """A time that it is to be, as it was written."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read what was typed; fail as click does."""
        try:
            read_time(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value)


TIME = _Time()


class _TransferTargets(click.ParamType[str]):
    """A pattern of the addresses that a call may be transferred to."""

    name = "pattern"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read what was typed; fail as click does."""
        if not is_target(str(value)):
            self.fail(f"{value} is not an address like sip:*@pbx.example or tel:+4930*", param, ctx)
        return str(value)


TARGETS = _TransferTargets()


class Finite(click.FloatRange):
    """A number above 0: neither infinite nor NaN, which compares as if it were within any range."""

    def __init__(self, most: float | None = None) -> None:
        super().__init__(0, most, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read what was typed; fail as click does."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


_LIMITS: Mapping[str, tuple[click.IntRange | click.FloatRange, str]] = {
    "workflows": (click.IntRange(1), "Replies of one call, at most."),
    "call_length": (Finite(DAY), "Seconds of a call, at most."),
    "answer_time": (Finite(DAY), "Seconds for a reply."),
    "retries": (click.IntRange(0, 100), "Repeats of a message that got no reply."),
}
"The limits that can be set here; `ivr.phone.net.limits` has more."


def limited(command: Callable[..., None]) -> Callable[..., None]:
    """Add a flag for each limit to a command, which gets all of them as `limits`."""

    @wraps(command)
    def with_limits(**flags: Any) -> None:
        command(limits=PhoneLimits(**{name: flags.pop(name) for name in _LIMITS}), **flags)

    for name, (kind, meaning) in reversed(list(_LIMITS.items())):
        default = getattr(PhoneLimits(), name)
        flag = "--" + name.replace("_", "-")
        with_limits = click.option(flag, type=kind, default=default, help=meaning, show_default=True)(with_limits)
    return with_limits


def given(context: click.Context, name: str) -> bool:
    """Return whether a parameter was set, rather than left at its default."""
    return context.get_parameter_source(name) is not ParameterSource.DEFAULT


def check_together(context: click.Context) -> None:
    """Refuse flags of which one would be ignored; raise UsageError."""
    set_here = {
        name: next(parameter.opts[0] for parameter in context.command.params if parameter.name == name)
        for name in context.params
        if given(context, name)
    }
    _check_faces(context, set_here)
    if "sip" in set_here:
        _check_sip(context, set_here)
        return
    if "carrier" in set_here:
        _check_carrier(context, set_here)
        set_here = {name: flag for name, flag in set_here.items() if name not in NEEDS_CARRIER}
    for name in NEEDS_CARRIER:
        if name in set_here and context.get_parameter_source(name) is not ParameterSource.ENVIRONMENT:
            raise click.UsageError(f"{set_here[name]} has no effect without --as.", context)
    for name in NEEDS_SIP:
        # A password in the environment is there for other calls, too.
        if name in set_here and context.get_parameter_source(name) is not ParameterSource.ENVIRONMENT:
            raise click.UsageError(f"{set_here[name]} has no effect without --sip.", context)


def _check_faces(context: click.Context, set_here: Mapping[str, str]) -> None:
    faces = [name for name in FACES if name in set_here]
    if len(faces) > 1:
        first, second = (FACES[name] for name in faces[:2])
        raise click.UsageError(f"{first} and {second} cannot be used together.", context)
    for name, face in ONLY_WITH.items():
        if name in set_here and face not in set_here:
            raise click.UsageError(f"{set_here[name]} has no effect without {FACES[face]}.", context)
    for name, others in NOT_WITH.items():
        for face in others:
            if name in set_here and face in set_here:
                raise click.UsageError(
                    f"{set_here[name]} is for the terminal and has no effect with {FACES[face]}.", context
                )


def _check_carrier(context: click.Context, set_here: Mapping[str, str]) -> None:
    for name, flag in set_here.items():
        if name not in WITH_CARRIER:
            raise click.UsageError(f"{flag} has no effect with --as.", context)
    for face in ("calls", "sound"):
        if "orders" in set_here and face in set_here:
            raise click.UsageError(f"{FACES[face]} and --orders cannot be used together.", context)
    if "fallback" in set_here and context.params["carrier"] == "jambonz":
        raise click.UsageError("--fallback has no effect with --as jambonz.", context)
    if "callee" in set_here and "orders" not in set_here:
        raise click.UsageError("--callee has no effect without --orders.", context)


def _check_sip(context: click.Context, set_here: Mapping[str, str]) -> None:
    for name, flag in set_here.items():
        if name not in WITH_SIP:
            raise click.UsageError(f"{flag} has no effect with --sip.", context)
    if ("sip_user" in set_here) != ("sip_password" in set_here):
        raise click.UsageError("--sip-user and --sip-password belong together.", context)
    for face in ("calls", "scripts"):
        if "record" in set_here and face in set_here:
            raise click.UsageError(f"--record is for one call and has no effect with {FACES[face]}.", context)
