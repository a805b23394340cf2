"""The REST API by which a bot orders calls, and those calls: each is a task of its own, until it is over.

`POST /v1/Accounts/<sid>/Calls` with the account's key places one; `POST …/Calls/<call>` with
`{"call_status": "completed"}` hangs up; `GET …/Calls` lists those that there are.
"""

import asyncio
import hmac
import re
from collections.abc import Callable, Mapping

import msgspec

from ivr.carriers.jambonz.call_order import BadOrder, Callee, CallOrder, number_of, read_order
from ivr.carriers.jambonz.jambonz_carrier import JambonzCarrier
from ivr.carriers.rest import ApiReply, ApiRequest
from ivr.phone.handset import Handset
from ivr.phone.phone_events import Ended

MOST_CALLS = 1000
"At once."
_PATH = re.compile(r"/v1/Accounts/([0-9A-Za-z-]{1,64})/Calls(?:/([0-9a-f-]{36}))?", re.ASCII)


class JambonzOrders:
    """The calls that the bots of one account have ordered."""

    def __init__(
        self,
        carrier: JambonzCarrier,
        *,
        account: str,
        key: str,
        answer: Callable[[str], tuple[Callee, Handset]],
        over: Callable[[Handset, Ended], None] = lambda handset, ended: None,
    ) -> None:
        """`answer`: who is at a number, and their handset, once for each call; `over` is told what became of it."""
        self._carrier = carrier
        self._account = account
        self._key = key
        self._answer = answer
        self._over = over
        self._calls: dict[str, tuple[Handset, asyncio.Task[None]]] = {}

    def handle(self, request: ApiRequest) -> ApiReply:
        """Answer a request (`ivr.carriers.rest.Api`)."""
        found = _PATH.fullmatch(request.path)
        if found is None:
            return _problem(404, "there is no such resource")
        given = request.authorization.encode("utf-8", "replace")  # a header may have bytes that are no characters
        if not hmac.compare_digest(given, f"Bearer {self._key}".encode()) or found[1] != self._account:
            return _problem(401, "unauthorized")
        match request.method, found[2]:
            case "POST", None:
                return self._place(request)
            case "GET", None:
                return _json(200, [{"call_sid": sid} for sid in self._calls])
            case "POST" | "PUT", str(sid):
                return self._update(sid, request.body)
        return _problem(405, "this method is not known here")

    async def all_over(self) -> None:
        """Wait until no call is left."""
        while self._calls:
            await asyncio.wait([call for _, call in self._calls.values()])

    async def close(self) -> None:
        """Drop whatever is left."""
        left = [call for _, call in self._calls.values()]
        for call in left:
            call.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _place(self, request: ApiRequest) -> ApiReply:
        if "application/json" not in request.content_type:
            return _problem(415, "an order is application/json")
        if len(self._calls) >= MOST_CALLS:
            return _problem(503, "there are too many calls")
        try:
            order = read_order(request.body)
        except BadOrder as error:
            return _problem(400, str(error))
        sid = self._carrier.new_id()
        callee, handset = self._answer(number_of(order))
        call = asyncio.create_task(self._hold(sid, order, callee, handset))
        self._calls[sid] = handset, call
        call.add_done_callback(lambda _: self._calls.pop(sid, None))
        return _json(201, {"sid": sid, "callId": f"sip-{sid}"})

    def _update(self, sid: str, body: bytes) -> ApiReply:
        if sid not in self._calls:
            return _problem(404, "there is no such call")
        try:
            wanted = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError):
            return _problem(400, "the body is not JSON")
        if wanted not in ({"call_status": "completed"}, {"call_status": "no-answer"}):
            return _problem(400, "this emulator updates a call_status to completed or no-answer, and nothing else")
        self._calls[sid][0].hang_up()
        return ApiReply(202)

    async def _hold(self, sid: str, order: CallOrder, callee: Callee, handset: Handset) -> None:
        self._over(handset, await self._carrier.make(order, callee, handset, sid=sid))


def _json(status: int, found: object) -> ApiReply:
    return ApiReply(status, msgspec.json.encode(found))


def _problem(status: int, text: str) -> ApiReply:
    found: Mapping[str, str] = {"msg": text}
    return _json(status, found)
