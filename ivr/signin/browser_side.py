"""Sign-in as browsers see it: a ticket or a link, the way to the provider and back, and the code that is shown.

Whoever has the link has nothing yet: what they get is a page that says who asks, a sign-in of their own, and a code
that is of use in one call alone. What a browser proves itself with is a cookie of ours, by its digest.
"""

import logging
from contextlib import suppress
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from ivr.coordination import Bound
from ivr.errors import IvrError, StoreUnavailable
from ivr.sign_in_ports import SignInResult
from ivr.sign_in_storage import Attempt, SignIn, Tokens
from ivr.signin.attempt_rules import confirmed, ended, may_confirm, proved, redeeming, shown
from ivr.signin.attempts import WAITED_FOR, Attempts
from ivr.signin.authority import Authority, AuthorityAway, AuthorityRefused, Redirect
from ivr.signin.drawing import Digests, challenge, new_id, new_link, new_secret, new_verifier, only_digits, same

log = logging.getLogger(__name__)

WRONG_TICKETS: Final = Bound("wrong ticket", most=10, window=600.0)
"Of one address."
WRONG_TICKETS_OF_ALL: Final = Bound("wrong tickets", most=300, window=600.0)
"With 100 attempts open, so many guesses find one of them once in 30,000 windows."
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
        self._coordination = attempts.coordination

    async def enter(self, ticket: str, address: str) -> str:
        """Return the end of a new link for a ticket; raise WrongTicket or TooManyTickets. `address` is the browser's.

        The ticket stays good until a browser uses the link, so whoever loses the page can enter it again; the link of
        the last time is good no longer then.
        """
        who, shared = self._digests.of("address", address), self._coordination
        if await shared.is_full(WRONG_TICKETS, who) or await shared.is_full(WRONG_TICKETS_OF_ALL, _ALL):
            raise TooManyTickets("too many wrong tickets")
        digest, link = self._digests.of("ticket", only_digits(ticket)), new_link()

        def entered(now: SignIn) -> SignIn | None:
            if now.attempt.ticket != digest or self._attempts.standing(now) != "pending":
                return None
            return replace(now, attempt=replace(now.attempt, entry=self._digests.of("link", link)))

        found = await self._attempts.known(digest)
        if found is not None and await self._attempts.change(found.attempt.id, entered) is not None:
            return link
        await shared.count(WRONG_TICKETS, who)
        await shared.count(WRONG_TICKETS_OF_ALL, _ALL)
        if await shared.is_full(WRONG_TICKETS_OF_ALL, _ALL):
            log.warning("many wrong sign-in tickets")
        raise WrongTicket("no attempt has this ticket")

    async def look(self, link: str, browser: str) -> Attempt | None:
        """Return the attempt of a link that this browser may use; None: there is none. Nothing is used up.

        `browser` is what its cookie holds, here as everywhere; empty: it has none.
        """
        found = await self._attempts.known(self._digests.of("link", link))
        usable = found is not None and may_confirm(found.attempt, self._browser(browser), self._attempts.now())
        return found.attempt if found is not None and usable else None

    async def confirm(self, link: str, browser: str) -> str | None:
        """Return where a browser that uses a link is sent; None: this one may not use it."""
        found = await self._attempts.known(self._digests.of("link", link))
        if found is None or not browser:
            return None
        digest, state, nonce, verifier = self._browser(browser), new_secret(), new_secret(), new_verifier()

        def sent(now: SignIn) -> SignIn | None:
            if not may_confirm(now.attempt, digest, self._attempts.now()):
                return None
            of_state = self._digests.of("state", state)
            attempt = confirmed(now.attempt, browser=digest, state=of_state, nonce=nonce, verifier=verifier)
            return replace(now, attempt=attempt)

        changed = await self._attempts.change(found.attempt.id, sent)
        if changed is None:
            return None
        return self._authority.address(Redirect(changed.attempt.scopes, state, nonce, challenge(verifier)))

    async def returned(self, returned: Returned, browser: str) -> str | None:
        """Take a browser back from the provider; return the id of its attempt, None: there is none of this state.

        The state is used up before anything else is looked at.
        """
        digest = self._digests.of("state", returned.state)
        found = await self._attempts.known(digest)
        if found is None:
            return None
        sent, server = found.attempt, new_id()

        def back(now: SignIn) -> SignIn | None:
            if now.attempt.state != digest or self._attempts.standing(now) != "pending":
                return None
            return replace(now, attempt=redeeming(now.attempt))

        # The lease comes first: who fetches tokens without one is taken to be killed.
        if not await self._coordination.lease("redeem", sent.id, owner=server, lasts=WAITED_FOR):
            return None
        try:
            if await self._attempts.change(sent.id, back) is None:
                return None
            if not same(sent.browser, self._browser(browser)):
                await self._end(sent, "failed", "browser")
                return None
            await self._redeem(sent, returned)
        finally:
            with suppress(StoreUnavailable):  # it ends by itself
                await self._coordination.release("redeem", sent.id, owner=server)
        return sent.id

    async def page(self, attempt: str, browser: str) -> Seen | None:
        """Return how an attempt stands, for the browser that is its own; None: this one's is none. A code may be drawn.

        A page that is loaded again shows the same code.
        """
        found = await self._attempts.of_page(attempt)
        if found is None or not same(found.attempt.browser, self._browser(browser)):
            return None
        code = self._digests.code(attempt)

        def show(now: SignIn) -> SignIn | None:
            if self._attempts.standing(now) != "pending" or now.attempt.phase != "proved" or now.attempt.code:
                return None
            digest = self._digests.of("code", attempt, code)
            return replace(now, attempt=shown(now.attempt, digest, self._attempts.now()))

        seen = await self._attempts.change(attempt, show) or await self._attempts.of_page(attempt)
        if seen is None:
            return None
        standing = self._attempts.standing(seen)
        return Seen(seen.attempt, standing, code if standing == "pending" and seen.attempt.code else "")

    def _browser(self, cookie: str) -> str:
        return self._digests.of("browser", cookie) if cookie else ""

    async def _redeem(self, sent: Attempt, returned: Returned) -> None:
        """Fetch the tokens that a browser has come back for, and note whose they are."""
        if returned.issuer is not None and not self._authority.is_issuer(returned.issuer):
            await self._end(sent, "failed", "issuer")
            return
        if not returned.code:
            declined = returned.error == "access_denied"
            await self._end(sent, "declined" if declined else "failed", "declined" if declined else "provider")
            return
        try:
            tokens = await self._authority.redeem(
                returned.code, verifier=sent.verifier, nonce=sent.nonce, scopes=sent.scopes
            )
        except AuthorityRefused as error:
            await self._end(sent, "failed", error.error)
        except AuthorityAway:
            await self._end(sent, "failed", "unreachable")
        else:
            await self._keep(sent, tokens)

    async def _keep(self, sent: Attempt, tokens: Tokens) -> None:
        def keep(now: SignIn) -> SignIn | None:
            if now.attempt.phase != "redeeming" or self._attempts.standing(now) != "pending":
                return None  # the call is over, or its time
            attempt = proved(now.attempt, tokens.user)
            return replace(now, attempt=attempt, tokens=tokens if attempt.phase != "failed" else None)

        kept = await self._attempts.change(sent.id, keep)
        if kept is not None and kept.attempt.phase == "failed":
            log.warning("sign-in ended", extra={"call": sent.call, "reason": "another person"})
        elif kept is not None and kept.attempt.phase == "signedIn":
            log.info("signed in", extra={"call": sent.call})

    async def _end(self, sent: Attempt, end: Literal["declined", "failed"], reason: str) -> None:
        def over(now: SignIn) -> SignIn | None:
            if now.attempt.phase != "redeeming":
                return None
            return replace(now, attempt=ended(now.attempt, end), tokens=None)

        await self._attempts.change(sent.id, over)
        log.warning("sign-in ended", extra={"call": sent.call, "reason": reason})
