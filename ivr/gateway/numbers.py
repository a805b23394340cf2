"""Which number leads to which bot.

Without a map every number leads to the one bot. With a map, what it has no entry for leads to the entry `*`, and
without that nowhere. Numbers come from strangers: what is put into an address is percent-encoded, and never a host.
"""

from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from msgspec import Struct

from ivr.errors import IvrError
from ivr.sip.caller_identity import is_number, plain_number

ANY = "*"
"The entry of a map for every other number."
NUMBER = "{number}"
"What stands in an address for the called number."
LONGEST = 128
"Characters of a number that can be called."


class UnusableTarget(IvrError):
    """A target of the map that is no address; the text says what one is."""


class NumberPlan(Struct, frozen=True):
    """A bot, and the numbers that lead elsewhere."""

    bot: str
    "The address of the calling webhook for every number, if nothing is mapped."
    targets: Mapping[str, str] = {}
    "By number in the form of `comparable`, or `*`: whole addresses, perhaps with `{number}`."

    @classmethod
    def of(cls, bot: str, mapped: Mapping[str, str]) -> "NumberPlan":
        """Make the plan of a map as an operator writes it; raise UnusableTarget."""
        return cls(bot, {number if number == ANY else comparable(number): target_url(target, bot)
                         for number, target in mapped.items()})  # fmt: skip

    def bot_for(self, number: str) -> str | None:
        """Return the address that a called number leads to; None: it is not served. Escapes in it are undone before."""
        if not self.targets:
            return self.bot
        if len(number) > LONGEST or number in {".", ".."}:  # in a path these two mean something else
            return None
        target = self.targets.get(comparable(number), self.targets.get(ANY))
        return None if target is None else target.replace(NUMBER, quote(plain_number(number), safe=""))


def comparable(number: str) -> str:
    """Return the form in which numbers are compared: E.164 with and without its plus is one, letters have no case."""
    bare = plain_number(number)
    return bare.removeprefix("+") if is_number(bare) else bare.casefold()


def target_url(target: str, bot: str) -> str:
    """Return the address that a target of the map means: a path is one at the bot's host. Raise UnusableTarget."""
    try:
        base, parts = urlsplit(bot), urlsplit(target)
        host = parts.hostname
    except ValueError as error:
        raise UnusableTarget(f"{_shown(target)} is not an address.") from error
    if target.startswith("/") and not target.startswith("//"):
        return f"{base.scheme}://{base.netloc}{target}"
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc or NUMBER in parts.netloc:
        raise UnusableTarget(
            f"{_shown(target)} must be a path at the bot's host, such as /call/support, or an http or https address "
            f"without user or password; {NUMBER} may stand in its path."
        )
    return target


def hosts(plan: NumberPlan) -> frozenset[str]:
    """Return every host that the plan leads to."""
    return frozenset(urlsplit(url).hostname or "" for url in (plan.bot, *plan.targets.values()))


def _shown(target: str) -> str:
    return target if "@" not in target else "the target"  # what stands before an @ may be a password
