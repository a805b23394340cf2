"""A connector and the identity provider beside it, for one bot, without a socket (activity protocol, A3 to A5).

It knows its conversations, takes what the bot sends into them, and holds against the bot what a connector of the vendor
would refuse, or would pass on to nobody. Ids are matched as they are once decoded, since some clients encode them.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from ivr.carriers.rest import ApiReply, ApiRequest
from ivr.carriers.token_endpoint import TokenEndpoint
from ivr.phone.net.identity import Identity

_ACTIVITIES = re.compile(r"/v3/conversations/(.+)/activities(?:/(.+))?", re.DOTALL)
_OURS = ("id", "serviceUrl", "callerId", "localTimestamp")
"Members that a connector writes itself."
_CARD = "application/vnd.microsoft.card."
_BUTTONS = frozenset(
    {
        "openUrl",
        "imBack",
        "postBack",
        "messageBack",
        "playAudio",
        "playVideo",
        "showImage",
        "downloadFile",
        "signin",
        "call",
    }
)


class Shown(Struct, frozen=True):
    """An activity that the bot has sent."""

    conversation: str
    activity: Mapping[str, Any]
    reply_to: str | None
    "The activity in whose address it came; None: it answers none."


class Connector:
    """`ivr.carriers.rest.Api`: the connector, its tokens, and the keys by which a bot knows it."""

    def __init__(
        self,
        app_id: str,
        secret: str,
        identity: Identity,
        *,
        now: Callable[[], float],
        shown: Callable[[Shown], None] = lambda _: None,
    ) -> None:
        """`shown` is told each activity as it is taken."""
        self._tokens = TokenEndpoint(app_id, secret, now=now)
        self._identity = identity
        self.now = now
        "Gives seconds since 1970."
        self._show = shown
        self.base = ""
        "Its address, once it is served."
        self.conversations: set[str] = set()
        self.findings: list[str] = []
        "What is held against the bot."
        self.away = False
        "It answers everything that is sent with 503."

    def __call__(self, request: ApiRequest) -> ApiReply:
        """Answer a request."""
        document = self._identity.documents(self.base).get(request.path)
        if document is not None and request.method == "GET":
            return ApiReply(200, document)
        if request.method != "POST":
            return _error(405, "MethodNotAllowed", "Only POST is known here.")
        if self._tokens.has(request.path):
            return self._tokens.answer(request)
        found = _ACTIVITIES.fullmatch(request.path)
        if found is None:
            return _error(404, "NotFound", "There is nothing at this address.")
        return self._taken(request, found[1], found[2])

    @property
    def tokens_asked(self) -> int:
        """How often a token was asked for."""
        return self._tokens.asked

    def expire(self) -> None:
        """Let all tokens end."""
        self._tokens.expire()

    # --- activities ---

    def _taken(self, request: ApiRequest, conversation: str, reply_to: str | None) -> ApiReply:
        if self.away:
            return _error(503, "ServiceError", "The connector is away.")
        if not self._tokens.knows(request.authorization):
            return _error(401, "Unauthorized", "The token is missing, or is not known.")
        if conversation not in self.conversations:
            return _error(404, "ConversationNotFound", "There is no such conversation.")
        try:
            activity = msgspec.json.decode(request.body)
        except (msgspec.DecodeError, UnicodeError):
            activity = None
        if not isinstance(activity, dict) or not isinstance(activity.get("type"), str):
            self.findings.append("what was sent is no activity")
            return _error(400, "BadSyntax", "This is no activity.")
        self.findings += judged(activity, conversation, reply_to)
        self._show(Shown(conversation, activity, reply_to))
        return ApiReply(201, msgspec.json.encode({"id": secrets.token_hex(8)}))


def judged(activity: Mapping[str, Any], conversation: str, reply_to: str | None) -> list[str]:
    """Return what a connector holds against an activity that is sent into a conversation."""
    found = [f"{name} is written by the connector alone" for name in _OURS if name in activity]
    if activity.get("conversation", {}).get("id", conversation) != conversation:
        found.append("it names another conversation than its address")
    if activity.get("replyToId", reply_to) != reply_to:
        found.append("it answers another activity than its address")
    if activity["type"] == "message":
        if not (activity.get("text") or activity.get("attachments") or activity.get("channelData")):
            found.append("a message without anything in it")
        found += [wrong for one in activity.get("attachments", ()) for wrong in _attachment(one)]
    return found


def _attachment(one: Mapping[str, Any]) -> list[str]:
    kind = one.get("contentType", "")
    if not kind.startswith(_CARD):
        return [] if one.get("contentUrl") else ["a file without an address"]
    buttons = one.get("content", {}).get("buttons", ())
    good = all(button.get("type") in _BUTTONS and button.get("title") and button.get("value") for button in buttons)
    return [] if good else ["a button without type, title or value"]


def _error(status: int, code: str, message: str) -> ApiReply:
    return ApiReply(status, msgspec.json.encode({"error": {"code": code, "message": message}}))
