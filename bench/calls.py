"""Calls as the platform makes them: written as a conversation, learned from one real run, repeated as bytes.

A conversation is a generator that yields messages and is sent replies. `learn` drives it once against a server, keeps
each request as it went out, and notes by what its reply is known, so that the load generator only has to fill in the
call's id. Our operation ids are counted, so every later call of the same kind gets the same ones, and a reply is known
by its last. The peer draws its ids by chance, and looks at none; its replies are known by what they say last.
"""

import http.client
import json
import secrets
import time
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any

from msgspec import Struct

CALL_ID = b"@" * 32
"Stands for the call's id in learned requests; as long as the ids that replace it, so that lengths stay right."
CHAIN = "X-Microsoft-Skype-Chain-ID: {id}\r\nX-Microsoft-Skype-Message-ID: {id}-{number}\r\n"
BOUNDARY = "c8ca7e2a-1d1b-4b4a-9b0a-0e2f3a4d5c6b"

Reply = Any
"A workflow as parsed JSON; none where the body was empty."


class Message(Struct, frozen=True):
    """What is posted."""

    path: str
    body: bytes
    content_type: str = "application/json; charset=utf-8"


class Exchange(Struct, frozen=True):
    """One learned request, and a few bytes that its right reply holds."""

    pieces: tuple[bytes, ...]
    "The request, cut where the call's id goes."
    known_by: bytes
    seconds: float
    "What it took the one time."


Conversation = Generator[Message, Reply, None]
KnownBy = Callable[[Reply], bytes]
"Returns bytes that the right reply to a message holds in every call."


def incoming() -> Message:
    return _json(
        "/call",
        {
            "id": CALL_ID.decode(),
            "participants": [
                {"identity": "29:bench-caller", "languageId": "en-US", "originator": True},
                {"identity": "28:bench-app", "originator": False},
            ],
            "isMultiparty": False,
            "presentedModalityTypes": ["audio"],
            "callState": "incoming",
        },
    )


def chose(reply: Reply, choice: str) -> Message:
    """Press the key of a choice that a workflow offers."""
    choice_outcome = {"completionReason": "dtmfOptionMatched", "choiceName": choice}
    return _outcome(reply, "recognize", {"choiceOutcome": choice_outcome})


def recorded(reply: Reply, audio: bytes) -> Message:
    """Leave the recording that a workflow asks for."""
    ended = {"completionReason": "completedStopToneDetected", "lengthOfRecordingInSecs": 2.5, "format": "wma"}
    result = _outcome(reply, "record", ended)
    return Message("/callback", envelope(result.body, audio), f'multipart/form-data; boundary="{BOUNDARY}"')


def envelope(result: bytes, audio: bytes) -> bytes:
    """Wrap a result and its audio as the platform does (protocol 9)."""
    part = f"--{BOUNDARY}\r\nContent-Type: %s\r\nContent-Disposition: form-data; name=%s\r\n\r\n"
    return b"".join(
        (
            (part % ("application/json; charset=utf-8", "conversationResult")).encode(),
            result,
            b"\r\n",
            (part % ("audio/x-ms-wma", "recordedAudio")).encode(),
            audio,
            f"\r\n--{BOUNDARY}--\r\n".encode(),
        )
    )


def hung_up(reply: Reply) -> Message:
    """Report that the line was hung up on, as a workflow ordered."""
    return _outcome(reply, "hangup", {}, state="terminated")


def json_call(turns: int) -> Conversation:
    """Talk to a menu that leads back to itself: JSON both ways, no audio."""
    reply = yield incoming()
    for _ in range(turns):
        reply = yield chose(reply, "again")
    reply = yield chose(reply, "bye")
    yield hung_up(reply)


def full_call(audio: bytes) -> Conversation:
    """Answer, choose, leave a recording, hang up: four requests, the third with audio."""
    reply = yield incoming()
    reply = yield chose(reply, "message")
    reply = yield recorded(reply, audio)
    yield hung_up(reply)


def open_call() -> Conversation:
    """Call and be answered, no more: the call stays in progress."""
    yield incoming()


def operation(reply: Reply, action: str) -> str:
    """Return the id of an action of a workflow."""
    found: list[str] = [each["operationId"] for each in reply["actions"] if each["action"] == action]
    if not found:
        raise SystemExit(f"The server answered without a {action}: {json.dumps(reply)[:400]}")
    return found[-1]


def last_operation(reply: Reply) -> bytes:
    """Return the id of the last action of a reply, as it stands there."""
    return b"" if reply is None else json.dumps(reply["actions"][-1]["operationId"]).encode()


def last_words(reply: Reply) -> bytes:
    """Return what a reply says last, as it stands there."""
    if reply is None:
        return b""
    plays = [action.get("playPrompt") or action for action in reply["actions"]]
    return json.dumps([play["prompts"][-1]["value"] for play in plays if play.get("prompts")][-1]).encode()


def learn(
    port: int, token: str, conversation: Conversation, *, known_by: KnownBy = last_operation
) -> tuple[Exchange, ...]:
    """Hold the conversation once, for real, and keep it for repetition."""
    call = secrets.token_hex(16).encode()
    learned: list[Exchange] = []
    message = next(conversation)
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        while True:
            request = raw(message, port=port, token=token, number=len(learned))
            start = time.perf_counter()
            body = _post(connection, request.replace(CALL_ID, call)).replace(call, CALL_ID)
            reply = json.loads(body) if body else None
            learned.append(Exchange(tuple(request.split(CALL_ID)), known_by(reply), time.perf_counter() - start))
            try:
                message = conversation.send(reply)
            except StopIteration:
                return tuple(learned)


def raw(message: Message, *, port: int, token: str, number: int) -> bytes:
    """Return a message as it goes over the socket."""
    head = (
        f"POST {message.path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Accept: application/json\r\nContent-Type: {message.content_type}\r\n"
        f"{CHAIN.format(id=CALL_ID.decode(), number=number)}Content-Length: {len(message.body)}\r\n\r\n"
    )
    return head.encode() + message.body


def _post(connection: http.client.HTTPConnection, request: bytes) -> bytes:
    if connection.sock is None:
        connection.connect()
    connection.sock.sendall(request)
    response = http.client.HTTPResponse(connection.sock, method="POST")
    response.begin()
    body = response.read()
    if response.status != 200:
        raise SystemExit(f"The server answered {response.status}: {body[:400]!r}")
    return body


def _json(path: str, value: object) -> Message:
    return Message(path, json.dumps(value, separators=(",", ":")).encode())


def _outcome(reply: Reply, action: str, outcome: dict[str, object], state: str = "established") -> Message:
    """Report what became of an action; the workflow's `appState` comes back with it."""
    whole = {"type": f"{action}Outcome", "id": operation(reply, action), **outcome, "outcome": "success"}
    echoed = {"appState": reply["appState"]} if reply.get("appState") else {}
    return _json("/callback", {"id": CALL_ID.decode(), "operationOutcome": whole, "callState": state, **echoed})
