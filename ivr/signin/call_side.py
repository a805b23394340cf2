"""Sign-in as calls see it: attempts begun, codes judged, tokens given out. Browsers have `browser_side`."""

import logging
import re
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ivr.coordination import Bound
from ivr.sign_in_ports import Begun, SignInCaller, SignInOrder, SignInRefused, SignInResult, SignInWay
from ivr.sign_in_storage import Attempt, AttemptPhase, SignIn
from ivr.signin.attempt_rules import (
    DEVICE_LASTS,
    LINK_LASTS,
    SHORTEST_INTERVAL,
    judged,
)
from ivr.signin.attempts import Attempts
from ivr.signin.authority import Authority, AuthorityAway, AuthorityRefused
from ivr.signin.device_poller import DevicePoller
from ivr.signin.drawing import Digests, new_id, new_link, new_ticket, only_digits, same
from ivr.signin.token_vault import TokenVault

log = logging.getLogger(__name__)

BEGUN_BY_CALLER: Final = Bound("sign-in", most=10, window=3600.0)
"Attempts of one caller."
MOST_ATTEMPTS: Final = 2000
"Attempts that there are at the same time; each takes some kilobytes."
ALARM: Final = Bound("wrong codes", most=20, window=600.0)
"Wrong codes of all calls, from which on the log says that somebody may be guessing."
_ALL: Final = ""

_NUMBER = re.compile(r"(?:sips?:|tel:)?\+?([0-9]{4,20})(?:@.*)?", re.ASCII)
"A party that is a telephone number."


class Offered(Struct, frozen=True):
    """What the operator offers."""

    public: str
    "The address of this server, as browsers reach it."
    device: bool = False
    "Whether a code may be entered at the provider."


class CallSignIns:
    """`SignIns`."""

    def __init__(
        self,
        attempts: Attempts,
        digests: Digests,
        authority: Authority | None,
        *,
        vault: TokenVault,
        poller: DevicePoller,
        offered: Offered,
    ) -> None:
        """Without an authority, nobody signs in."""
        self._attempts = attempts
        self._digests = digests
        self._authority = authority
        self._vault = vault
        self._poller = poller
        self._offered = offered

    async def begin(self, call: str, order: SignInOrder, caller: SignInCaller) -> Begun:
        """Begin an attempt, which takes the place of the call's last one of that name; raise SignInRefused."""
        if self._authority is None:
            raise SignInRefused("off", "no identity provider is set up")
        way = _way(order, caller, self._authority)
        if way == "device" and not self._offered.device:
            raise SignInRefused("off", "IVR_SIGN_IN_DEVICE is not set")
        await self._count(call, caller)
        before = await self._attempts.of_call(call)
        await self._attempts.erase([one.attempt.id for one in before if one.attempt.name == order.name])
        log.info("sign-in begun", extra={"call": call, "reason": way})
        if way == "device":
            return await self._begin_device(call, order, caller, self._authority)
        link, ticket = new_link(), await self._unused_ticket()
        attempt = self._new(call, order, caller, way, lasts=LINK_LASTS, phase="open")
        digests = self._digests
        attempt = replace(attempt, link=digests.of("link", link), ticket=digests.of("ticket", ticket))
        await self._attempts.add(attempt)
        public = self._offered.public
        return Begun(attempt.id, way, _sayable(f"{public}/s"), ticket, f"{public}/s/{link}")

    async def check(self, call: str, attempt: str, code: str | None) -> SignInResult:
        """Judge a code that a caller entered, or (None) say how the attempt stands."""
        sign_in = await self._attempts.get(attempt, call)
        if sign_in is None or code is None:
            return self._attempts.standing(sign_in)
        digest = self._digests.of("code", attempt, only_digits(code))

        def judge(now: SignIn) -> SignIn | None:
            if self._attempts.standing(now) != "pending" or now.attempt.phase != "proved" or not now.attempt.code:
                return None
            after = judged(now.attempt, right=same(now.attempt.code, digest))
            return replace(now, attempt=after, tokens=now.tokens if after.phase in {"proved", "signedIn"} else None)

        changed = await self._attempts.change(attempt, judge)
        if changed is None:  # nothing was to be judged
            return self._attempts.standing(await self._attempts.get(attempt, call))
        phase = changed.attempt.phase
        await self._note(call, right=phase == "signedIn")
        return "wrong" if phase == "proved" else self._attempts.standing(changed)

    async def settled(self, call: str, attempt: str) -> SignInResult:
        """Wait until an attempt is decided, which is minutes at most, and return how."""
        return await self._attempts.decided(call, attempt)

    async def close(self, call: str) -> None:
        """End all attempts of a call that is over, and erase its tokens. May be told twice."""
        await self._attempts.erase([one.attempt.id for one in await self._attempts.of_call(call)])

    async def bearer(self, call: str, name: str, *, address: str, refused: str | None = None) -> str | None:
        """Return the access token for one request to an address, renewed where that is due; None: nobody is signed in.

        Raises SignInRefused.
        """
        return await self._vault.bearer(call, name, address=address, refused=refused)

    async def _count(self, call: str, caller: SignInCaller) -> None:
        # Callers who withhold who they are have a limit for each call.
        who = self._digests.of("caller", caller.channel, caller.party or f"call {call}")
        too_many = await self._attempts.count() >= MOST_ATTEMPTS
        if too_many or not await self._attempts.coordination.count(BEGUN_BY_CALLER, who):
            log.warning("sign-in refused", extra={"call": call, "reason": "throttled"})
            raise SignInRefused("throttled", "too many attempts to sign in")

    async def _begin_device(self, call: str, order: SignInOrder, caller: SignInCaller, authority: Authority) -> Begun:
        try:
            given = await authority.device_code(order.scopes)
        except AuthorityRefused as error:
            log.warning("sign-in refused", extra={"call": call, "reason": error.error})
            raise SignInRefused("refused", "the identity provider gives no device code") from error
        except AuthorityAway as error:
            raise SignInRefused("unreachable", "the identity provider does not answer") from error
        lasts = min(given.lasts, DEVICE_LASTS)
        attempt = self._new(call, order, caller, "device", lasts=lasts, phase="polling")
        interval = max(given.interval, SHORTEST_INTERVAL)
        attempt = replace(attempt, device_code=given.device_code, interval=interval)
        await self._attempts.add(attempt)
        self._poller.begin(attempt)
        return Begun(attempt.id, "device", _sayable(given.page), code=given.user_code)

    def _new(
        self, call: str, order: SignInOrder, caller: SignInCaller, way: SignInWay, *, lasts: float, phase: AttemptPhase
    ) -> Attempt:
        now = self._attempts.now()
        return Attempt(
            new_id(),
            call,
            order.job,
            order.name,
            way,
            tuple(order.scopes),
            order.language,
            _last_digits(caller.party),
            now,
            now + lasts,
            phase,
            wanted=caller.directory if way == "link" else None,
        )

    async def _unused_ticket(self) -> str:
        """Return a ticket that leads to no other attempt."""
        while True:
            ticket = new_ticket()
            if await self._attempts.known(self._digests.of("ticket", ticket)) is None:
                return ticket

    async def _note(self, call: str, *, right: bool) -> None:
        if right:
            log.info("signed in", extra={"call": call})
            return
        log.info("wrong sign-in code", extra={"call": call})
        await self._attempts.coordination.count(ALARM, _ALL)
        if await self._attempts.coordination.is_full(ALARM, _ALL):
            log.warning("many wrong sign-in codes", extra={"call": call})


def _way(order: SignInOrder, caller: SignInCaller, authority: Authority) -> SignInWay:
    """Return the way that is gone: a link alone is for whom the channel knows by the directory (B2)."""
    if order.by != "link":
        return order.by
    return "link" if caller.directory is not None and authority.trusts(caller.directory.tenant) else "code"


def _last_digits(party: str | None) -> str:
    found = _NUMBER.fullmatch(party or "")
    return found[1][-2:] if found else ""


def _sayable(address: str) -> str:
    """Return an address as it is said and typed: browsers know what stands before it."""
    return address.removeprefix("https://")
