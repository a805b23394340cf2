"""Who may begin a conversation on a page, as whom, and for how long it can be gone on with.

A site's server gets a token for each of its visitors (`for_visitor`); the page that has it begins a conversation, or
goes on with the one that it had (`begun`). Of a page of this very server, in development, no token is asked.
"""

import re
import secrets
from collections.abc import Callable, Collection
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ivr.auth.page_tokens import Grant, PageTokens
from ivr.errors import WebhookError
from ivr.rate_limit import RateLimit

TALK_LIFE: Final = 1800.0
"Seconds for which the token of a conversation is good; whoever is still there has it renewed."
LONGEST_TALK: Final = 86_400.0
"Seconds after its beginning in which a conversation can be gone on with."
VISITOR: Final = "visitor"
"Who writes on a page of this server itself."
_USER = re.compile(r"[^\x00-\x1f\x7f]{1,128}")


class Begun(Struct, frozen=True, rename="camel"):
    """A conversation, for the browser that has it."""

    conversation: str
    user: str
    flow: str
    token: str
    life: float
    "Seconds for which the token is good."


class VisitLimits(Struct, frozen=True):
    """How often conversations may be begun; each is a number for a minute, and how many at once."""

    of_user: tuple[float, float] = (10.0, 10.0)
    of_address: tuple[float, float] = (60.0, 60.0)


class Visits:
    """Hands out tokens."""

    def __init__(
        self,
        tokens: PageTokens,
        flows: Callable[[], Collection[str]],
        *,
        default: Callable[[], str | None],
        sites: Collection[str] = (),
        life: float = 600.0,
        own: bool = False,
        limits: VisitLimits = VisitLimits(),  # noqa: B008  # frozen
    ) -> None:
        """`flows` are the names of those that are served; `sites` may show the chat.

        `life`: seconds in which a visitor's token is good; `own`: pages of this server need none.
        """
        self._tokens = tokens
        self._flows = flows
        self._default = default
        self._sites = frozenset(sites)
        self._life = life
        self._own = own
        self._by_user = _limit(limits.of_user)
        self._by_address = _limit(limits.of_address)

    def for_visitor(self, user: str, flow: str, site: str, *, now: float) -> tuple[str, float]:
        """Return a token for a visitor of a site, and for how many seconds it is good; raise WebhookError (422)."""
        if not _USER.fullmatch(user):
            raise WebhookError(422, "user", "user is a name of 1 to 128 characters: who the visitor is for your site.")
        if site not in self._sites:
            raise WebhookError(422, "site", "site is none of those in IVR_CHAT_PAGE_SITES.")
        grant = Grant("begin", user, self._known(flow), site, now + self._life)
        return self._tokens.issue(grant), self._life

    def begun(self, token: str, *, site: str, flow: str, before: str, address: str, now: float) -> Begun:
        """Return a conversation for the bearer of a visitor's token; raise WebhookError: 401, 403, 422 or 429.

        `site` is where the page says that it is, `before` the token of the conversation that it had: if that is of the
        same visitor, flow and site, it is gone on with. `address`: where the visitor is connected from.
        """
        grant = self.grant(token, now=now)
        if grant is None:
            grant = Grant("begin", VISITOR, self._known(flow), "", now + self._life)
        if grant.site != site:
            raise WebhookError(403, "token-site", "The token is for a page of another site.")
        earlier = self._earlier(before, grant, now)
        if earlier is not None:
            return self._renewed(earlier, now)
        if not (self._by_address.take(address, now) and self._by_user.take(_visitor(grant), now)):
            raise WebhookError(429, "too-often", "Too many conversations. Wait a moment.")
        conversation = secrets.token_urlsafe(24)
        return self._renewed(replace(grant, purpose="talk", conversation=conversation, begun=now), now)

    def grant(self, token: str, *, now: float) -> Grant | None:
        """Return what a visitor's token grants, before anything else of a request is read; raise WebhookError (401).

        None: it is a page of this server, which needs none.
        """
        return self._tokens.read(token, "begin", now=now) if token or not self._own else None

    def renewed(self, token: str, *, now: float) -> Begun:
        """Return a conversation with another token, for one that is still good; raise WebhookError (401)."""
        return self._renewed(self._tokens.read(token, "talk", now=now), now)

    def reader(self, token: str, *, now: float) -> tuple[str, str]:
        """Return the conversation that the bearer of a token may read, and who that is; raise WebhookError (401)."""
        grant = self._tokens.read(token, "talk", now=now)
        return grant.conversation, _visitor(grant)

    def _earlier(self, before: str, grant: Grant, now: float) -> Grant | None:
        """Return the conversation that this very visitor had; None: there is none that can be gone on with."""
        try:
            earlier = self._tokens.read(before, "talk", now=now)
        except WebhookError:
            return None
        same = (earlier.user, earlier.flow, earlier.site) == (grant.user, grant.flow, grant.site)
        return earlier if same and now < earlier.begun + LONGEST_TALK else None

    def _renewed(self, grant: Grant, now: float) -> Begun:
        ends = min(now + TALK_LIFE, grant.begun + LONGEST_TALK)
        token = self._tokens.issue(replace(grant, ends=ends))
        return Begun(grant.conversation, grant.user, grant.flow, token, ends - now)

    def _known(self, flow: str) -> str:
        if flow and flow not in self._flows():
            raise WebhookError(422, "flow", "No flow of this name is served.")
        if not flow and self._default() is None:
            raise WebhookError(422, "flow", "Say which flow: there is no default one (IVR_DEFAULT_FLOW).")
        return flow


def _visitor(grant: Grant) -> str:
    return f"{grant.site} {grant.user}"


def _limit(rate: tuple[float, float]) -> RateLimit:
    per_minute, burst = rate
    return RateLimit(per_minute / 60, burst, most=16_384)
