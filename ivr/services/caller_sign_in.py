"""The service `signIn`: what the action of that name orders, carried out by whoever lets callers sign in.

It only translates: an order of a call into the terms of `ivr.sign_in_ports`, and what comes of it into an event.
"""

from collections.abc import Mapping

from ivr.engine.commands import Argument
from ivr.engine.events import SignInBegun, SignInChecked, SignInWay
from ivr.engine.sign_in_orders import AWAIT, BEGIN
from ivr.services.service import ServiceError
from ivr.sign_in_ports import DirectoryUser, SignInCaller, SignInOrder, SignInRefused, SignIns
from ivr.storage import Order

AT_ONCE = 1_000
"Orders at the same time: one that awaits a caller who signs in does nothing for minutes."
_WAYS: Mapping[str, SignInWay] = {"code": "code", "link": "link", "device": "device"}


class SignInService:
    """Carries out what flows order of a sign-in."""

    def __init__(self, sign_ins: SignIns) -> None:
        self._sign_ins = sign_ins

    async def run(self, order: Order) -> SignInBegun | SignInChecked:
        """Begin a sign-in, judge a code, or wait for the caller; raise ServiceError where nobody can sign in."""
        arguments = {**order.request.arguments, **order.request.private}
        try:
            if arguments["do"] == BEGIN:
                return await self._begin(order, arguments)
            attempt = str(arguments["attempt"])
            if arguments["do"] == AWAIT:
                result = await self._sign_ins.settled(order.call, attempt)
            else:
                result = await self._sign_ins.check(order.call, attempt, _text(arguments, "code"))
        except SignInRefused as error:
            raise ServiceError(error.code) from error
        return SignInChecked(order.request.job, result)

    async def _begin(self, order: Order, arguments: Mapping[str, Argument]) -> SignInBegun:
        scopes = arguments["scopes"]
        wanted = SignInOrder(
            order.request.job,
            str(arguments["name"]),
            _WAYS[str(arguments["by"])],
            tuple(scopes) if isinstance(scopes, tuple | list) else (),
            str(arguments["language"]),
        )
        tenant, _, user = (_text(arguments, "identity") or "").partition("/")
        directory = DirectoryUser(tenant, user) if tenant and user else None
        caller = SignInCaller(order.key.channel, _text(arguments, "caller"), directory)
        begun = await self._sign_ins.begin(order.call, wanted, caller)
        return SignInBegun(order.request.job, begun.by, begun.attempt, begun.page, begun.ticket, begun.link, begun.code)


def _text(arguments: Mapping[str, Argument], name: str) -> str | None:
    found = arguments.get(name)
    return None if found is None else str(found)
