"""Whom this server may call: a telephone number or a SIP address that a pattern of its operator names.

Closed by default: without a pattern nobody is called. Numbers are written with `+` and the code of their country, since
calls that cost money are meant by whoever steals a token (toll fraud): `+43*` is a country, `!+43900*` its expensive
numbers, `sip:*@pbx.example.com` a telephone system. What begins with `!` is never called, whatever else names it.
"""

import re
from collections.abc import Sequence
from typing import Final

from ivr.engine.destinations import address

MOST: Final = 200
"Characters of a target, and of a pattern."

_NUMBER = re.compile(r"\+[1-9][0-9]{4,14}", re.ASCII)
_SIP = re.compile(r"sips?:[A-Za-z0-9\-_.!~*'()&=+$,]+@[A-Za-z0-9\-.]+(:[0-9]{1,5})?", re.ASCII)
"""Without parameters and header fields: they could send the call elsewhere. Without escapes: `%2B43900` is `+43900` for
who takes the call, and no pattern would know it."""
_DIALLED = re.compile(r"\+?[0-9*().\-]*[0-9][0-9*().\-]*", re.ASCII)
"A user part that is a number."
_BETWEEN_DIGITS = re.compile(r"[().\-]")
"What has no meaning in a number (RFC 3966 5); it is left out, or it would hide a number from a pattern."
_LETTER, _NO_DIGIT = re.compile("[A-Za-z]"), re.compile("[^0-9]")
_NUMBERS = re.compile(r"\+[1-9][0-9]{0,14}\*?", re.ASCII)
_ADDRESSES = re.compile(r"sips?:(\*|[A-Za-z0-9\-_.+]+\*?)@(\*\.)?[A-Za-z0-9\-.]+(:[0-9]{1,5})?", re.ASCII)


def read_target(written: str) -> str | None:
    """Return a target as it is called: `+436601234567`, `sip:desk@pbx.example.com`; None: it is neither."""
    if len(written) > MOST:
        return None
    found = address(written)
    if found is None:
        return None
    number = found.removeprefix("tel:")
    if _NUMBER.fullmatch(number):
        return number
    if not _SIP.fullmatch(found):
        return None
    scheme_and_user, _, host = found.rpartition("@")
    scheme, _, user = scheme_and_user.partition(":")
    return f"{scheme}:{_BETWEEN_DIGITS.sub('', user) if _DIALLED.fullmatch(user) else user}@{host.lower()}"


def read_target_pattern(written: str) -> str:
    """Return a pattern as it was meant; raise ValueError for what is none."""
    pattern = written.removeprefix("!")
    if len(written) <= MOST and (_NUMBERS.fullmatch(pattern) or _ADDRESSES.fullmatch(pattern)):
        return written
    raise ValueError("must be patterns such as +43*, +436601234567, sip:*@pbx.example.com or !+43900*")


def read_callers(written: Sequence[str]) -> tuple[str, ...]:
    """Return whom placed calls may show as their caller, each as `read_target` does; raise ValueError."""
    callers = [read_target(one) for one in written]
    if None in callers:
        raise ValueError("must be numbers such as +4315550100 or addresses such as sip:desk@pbx.example.com")
    return tuple([caller for caller in callers if caller is not None])


class CallableTargets:
    """The targets that some patterns name."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Take what `read_target_pattern` returned."""
        self._allowed = [_compiled(pattern) for pattern in patterns if not pattern.startswith("!")]
        self._never = [_compiled(pattern[1:]) for pattern in patterns if pattern.startswith("!")]

    def allows(self, target: str) -> bool:
        """Return whether a target, as `read_target` returned it, may be called.

        A number that is never called is not called through a telephone system either.
        """
        user = target.partition(":")[2].rpartition("@")[0]
        names = (target, user, *_numbers_of(user))
        return any(one.fullmatch(target) for one in self._allowed) and not any(
            one.fullmatch(name) for one in self._never for name in names
        )


def _numbers_of(user: str) -> Sequence[str]:
    """Return the numbers for which the user of a SIP address may be taken, however that is written.

    A telephone system may take `43900123`, `0043900123`, `011…` (from North America) and `(+43)900123` for `+43900123`.
    """
    if _LETTER.search(user):
        return ()
    digits = _NO_DIGIT.sub("", user)
    return [f"+{digits.removeprefix(prefix)}" for prefix in ("", "00", "011")]


def _compiled(pattern: str) -> re.Pattern[str]:
    user, at, host = pattern.rpartition("@")
    parts = (f"{user}@", host.lower()) if at else (pattern,)
    return re.compile("".join(re.escape(part).replace(r"\*", "[^@]*") for part in parts))
