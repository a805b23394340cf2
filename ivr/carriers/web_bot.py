"""A bot on the network: requests over HTTP, to where the phone's guard lets them."""

from ivr.carriers.bot import BotFailed, BotReply, BotRequest
from ivr.phone.net.post import NoReply, WebPost

MOST_REPLY = 1024 * 1024
"Bytes of an answer."


class WebBot:
    """`Bot` by HTTP."""

    def __init__(self, web: WebPost, *, most_reply: int = MOST_REPLY) -> None:
        self._web = web
        self._most = most_reply

    async def send(self, request: BotRequest, *, within: float) -> BotReply:
        """Return the answer to a request; raise BotFailed."""
        data = request.body if request.method == "POST" else None
        try:
            reply = await self._web.ask(
                request.method, request.url, data, dict(request.headers), answer_time=within, most=self._most
            )
        except NoReply as error:
            raise BotFailed(error.code, str(error)) from error
        return BotReply(reply.status, reply.content_type, reply.body)
