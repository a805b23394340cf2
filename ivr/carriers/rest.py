"""What a bot asks a carrier's REST API, and the answer: plain data, so that an API is a function without a socket."""

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct


class ApiRequest(Struct, frozen=True):
    """One request."""

    method: str
    path: str
    "Without the query."
    authorization: str
    "The header; empty: there is none."
    content_type: str
    body: bytes


class ApiReply(Struct, frozen=True):
    """One answer."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"


Api: TypeAlias = Callable[[ApiRequest], ApiReply]
"Answers at once, and raises nothing."
