"""The platform and the identity provider beside it, for one bot, without a socket (protocol E).

It knows its conversations, takes what the bot sends into them, and holds against the bot what Skype would refuse or
show otherwise than it was meant. Its own address ends with a slash; many clients leave it out, so both are taken.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from ivr.carriers.rest import ApiReply, ApiRequest
from ivr.carriers.skype_v2.skype_xml import shown as as_shown
from ivr.carriers.token_endpoint import TokenEndpoint
from ivr.phone.net.identity import Identity

_ACTIVITIES = re.compile(r"/(v2|v3)/conversations/(.+)/activities/?", re.DOTALL)


class Said(Struct, frozen=True):
    """A message that the bot has sent."""

    conversation: str
    content: str
    "As it was sent."
    text: str
    "What there is to read."
    by: Literal["v2", "v3"]
    "At which of the two addresses."


class SkypeService:
    """`ivr.carriers.rest.Api`: the platform, its tokens, and the keys by which a bot knows it."""

    def __init__(
        self,
        app_id: str,
        secret: str,
        identity: Identity,
        *,
        now: Callable[[], float],
        said: Callable[[Said], None] = lambda _: None,
    ) -> None:
        """`said` is told each message as it is taken."""
        self.tokens = TokenEndpoint(app_id, secret, now=now)
        self._identity = identity
        self.now = now
        "Gives seconds since 1970."
        self._said = said
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
            return _error(405, "only POST is known here")
        if self.tokens.has(request.path):
            return self.tokens.answer(request)
        found = _ACTIVITIES.fullmatch(request.path)
        if found is None:
            return _error(404, "there is nothing at this address")
        return self._taken(request, found[2], "v2" if found[1] == "v2" else "v3")

    def _taken(self, request: ApiRequest, conversation: str, by: Literal["v2", "v3"]) -> ApiReply:
        if self.away:
            return _error(503, "the platform is away")
        if not self.tokens.knows(request.authorization):
            return _error(401, "the token is missing, or is not known")
        if conversation not in self.conversations:
            return _error(404, "there is no such conversation")
        content = content_of(request.body, by)
        if not content:
            self.findings.append("what was sent is no message")
            return _error(400, "this is no message")
        read = as_shown(content)
        self.findings += read.findings
        self._said(Said(conversation, content, read.text, by))
        return ApiReply(201)


def content_of(body: bytes, by: Literal["v2", "v3"]) -> str:
    """Return what a message holds: `{"message":{"content":…}}` or, at v3, a `text` of the kind `message/text`."""
    try:
        tree = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError):
        return ""
    if not isinstance(tree, dict):
        return ""
    if by == "v3":
        return _text(tree, "text") if tree.get("type") == "message/text" else ""
    inner = tree.get("message")
    return _text(inner, "content") if isinstance(inner, dict) else ""


def _text(tree: Mapping[str, Any], member: str) -> str:
    value = tree.get(member)
    return value if isinstance(value, str) else ""


def _error(status: int, message: str) -> ApiReply:
    return ApiReply(status, msgspec.json.encode({"message": message}))
