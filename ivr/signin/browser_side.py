"""Sign-in as browsers see it: a ticket or a link, the way to the provider and back, and the code that is shown.

Whoever has the link has nothing yet: what they get is a page that says who asks, a sign-in of their own, and a code
that is of use in one call alone. What a browser proves itself with is a cookie of ours, by its digest.
"""

import logging
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from ivr.errors import IvrError
from ivr.sign_in_ports import SignInResult
from ivr.sign_in_storage import Attempt, Tokens
from ivr.signin.attempt_rules import confirmed, ended, may_confirm, proved, redeeming, shown
from ivr.signin.attempts import Attempts, Held
from ivr.signin.authority import Authority, AuthorityAway, AuthorityRefused, Redirect
from ivr.signin.drawing import Digests, challenge, new_code, new_link, new_secret, new_verifier, only_digits, same
from ivr.tally import Tally

log = logging.getLogger(__name__)

WRONG_TICKETS: Final = 10
"Of one address within `WINDOW`."
WRONG_TICKETS_OF_ALL: Final = 300
"With 100 attempts open, so many guesses find one of them once in 30,000 windows."
WINDOW: Final = 600.0
"Seconds."
_ALL: Final = ""


class WrongTicket(IvrError):
    """No attempt has this ticket."""


class TooManyTickets(IvrError):
    """So many wrong tickets were entered that no more are looked at for a while."""


class Returned(Struct, frozen=True):
    """What a browser brings back from the provider, as it stands in the address: nothing of it is believed."""

    state: str
    code: str = ""
    error: str = ""
    issuer: str | None = None
    "`iss` (RFC 9207); None: it does not say."


class Seen(Struct, frozen=True):
    """How an attempt stands, for its page."""

    attempt: Attempt
    standing: SignInResult
    code: str = ""
    "What the caller is to key or type."


class BrowserSignIns:
    """What browsers may do."""

    def __init__(self, attempts: Attempts, digests: Digests, authority: Authority) -> None:
        self._attempts = attempts
        self._digests = digests
        self._authority = authority
        self._tickets = Tally(WRONG_TICKETS, WINDOW)
        self._all_tickets = Tally(WRONG_TICKETS_OF_ALL, WINDOW)

    async def enter(self, ticket: str, address: str) -> str:
        """Return the end of a new link for a ticket; raise WrongTicket or TooManyTickets. `address` is the browser's.

        The ticket stays good until a browser uses the link, so whoever loses the page can enter it again; the link of
        the last time is good no longer then.
        """
        now = self._attempts.now()
        if self._tickets.is_full(address, now) or self._all_tickets.is_full(_ALL, now):
            raise TooManyTickets("too many wrong tickets")
        held = self._attempts.known(self._digests.of("ticket", only_digits(ticket)))
        if held is not None:
            async with held.lock:
                if held.attempt.ticket and self._attempts.standing(held) == "pending":
                    link = new_link()
                    if await self._attempts.save(held, replace(held.attempt, entry=self._digests.of("link", link))):
                        return link
        self._tickets.count(address, now)
        self._all_tickets.count(_ALL, now)
        if self._all_tickets.is_full(_ALL, now):
            log.warning("many wrong sign-in tickets")
        raise WrongTicket("no attempt has this ticket")

    def look(self, link: str, browser: str) -> Attempt | None:
        """Return the attempt of a link that this browser may use; None: there is none. Nothing is used up.

        `browser` is what its cookie holds, here as everywhere; empty: it has none.
        """
        held = self._attempts.known(self._digests.of("link", link))
        usable = held is not None and may_confirm(held.attempt, self._browser(browser), self._attempts.now())
        return held.attempt if held is not None and usable else None

    async def confirm(self, link: str, browser: str) -> str | None:
        """Return where a browser that uses a link is sent; None: this one may not use it."""
        held = self._attempts.known(self._digests.of("link", link))
        if held is None or not browser:
            return None
        digest = self._browser(browser)
        async with held.lock:
            if held.gone or not may_confirm(held.attempt, digest, self._attempts.now()):
                return None
            state, nonce, verifier = new_secret(), new_secret(), new_verifier()
            sent = confirmed(
                held.attempt, browser=digest, state=self._digests.of("state", state), nonce=nonce, verifier=verifier
            )
            if not await self._attempts.save(held, sent):
                return None
            return self._authority.address(Redirect(sent.scopes, state, nonce, challenge(verifier)))

    async def returned(self, returned: Returned, browser: str) -> str | None:
        """Take a browser back from the provider; return the id of its attempt, None: there is none of this state.

        The state is used up before anything else is looked at.
        """
        held = self._attempts.known(self._digests.of("state", returned.state))
        if held is None:
            return None
        async with held.lock:
            before = held.attempt
            if held.gone or before.phase != "sent" or self._attempts.standing(held) != "pending":
                return None
            if not await self._attempts.save(held, redeeming(before)):
                return None
        if not same(before.browser, self._browser(browser)):
            await self._end(held, "failed", "browser")
            return None
        await self._redeem(held, before, returned)
        return before.id

    async def page(self, attempt: str, browser: str) -> Seen | None:
        """Return how an attempt stands, for the browser that is its own; None: this one's is none. A code may be drawn.

        A page that is loaded again shows the same code. After a restart it shows another one, since the first is known
        by its digest alone.
        """
        held = self._attempts.of_page(attempt)
        if held is None or not same(held.attempt.browser, self._browser(browser)):
            return None
        async with held.lock:
            standing = self._attempts.standing(held)
            if standing == "pending" and held.attempt.phase == "proved" and not held.code:
                code = new_code()
                digest = self._digests.of("code", held.attempt.id, code)
                after = shown(held.attempt, digest, self._attempts.now())
                if await self._attempts.save(held, after, held.tokens):
                    held.code = code
            return Seen(held.attempt, standing, held.code if standing == "pending" else "")

    def _browser(self, cookie: str) -> str:
        return self._digests.of("browser", cookie) if cookie else ""

    async def _redeem(self, held: Held, sent: Attempt, returned: Returned) -> None:
        """Fetch the tokens that a browser has come back for, and note whose they are."""
        if returned.issuer is not None and not self._authority.is_issuer(returned.issuer):
            await self._end(held, "failed", "issuer")
            return
        if not returned.code:
            declined = returned.error == "access_denied"
            await self._end(held, "declined" if declined else "failed", "declined" if declined else "provider")
            return
        try:
            tokens = await self._authority.redeem(
                returned.code, verifier=sent.verifier, nonce=sent.nonce, scopes=sent.scopes
            )
        except AuthorityRefused as error:
            await self._end(held, "failed", error.error)
        except AuthorityAway:
            await self._end(held, "failed", "unreachable")
        else:
            await self._keep(held, tokens)

    async def _keep(self, held: Held, tokens: Tokens) -> None:
        async with held.lock:
            if held.attempt.phase != "redeeming" or self._attempts.standing(held) != "pending":
                return  # the call is over, or its time
            after = proved(held.attempt, tokens.user)
            await self._attempts.save(held, after, tokens if after.phase != "failed" else None)
        if after.phase == "failed":
            log.warning("sign-in ended", extra={"call": after.call, "reason": "another person"})
        elif after.phase == "signedIn":
            log.info("signed in", extra={"call": after.call})

    async def _end(self, held: Held, end: Literal["declined", "failed"], reason: str) -> None:
        async with held.lock:
            if held.attempt.phase == "redeeming":
                await self._attempts.save(held, ended(held.attempt, end))
        log.warning("sign-in ended", extra={"call": held.attempt.call, "reason": reason})
