"""What no phone would send: raw requests to the real server, its token check on.

Calls are made by the phone, in test_whole_call. Here somebody holds a good token, or a bad one, and does with it what
the protocol does not foresee: messages that are none, uploads for nothing, ids that hurt.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from ivr.media_storage import SMALL
from ivr.phone.net.identity import LIFETIME, Identity
from tests.phone.calling import APP, Signer
from tests.server.harness import Answer, Way, connected, form, read_answer, request, texts
from tests.server.world import World
from tests.waiting import PATIENCE

JSON = {"Content-Type": "application/json; charset=utf-8"}
FORM = {"Content-Type": 'multipart/form-data; boundary="B", application/json; charset=utf-8'}
GARBAGE = "eyJhbGciOiJSUzI1NiJ9.garbage.garbage"


class KeyInTwoHands(Signer):
    """A signer whose key signs for other bots and other times, too."""

    _key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    identity = Identity(APP, _key)

    def token_for(self, app: str = APP, *, now: float) -> str:
        return Identity(app, self._key).token(now)


class Attacker:
    """Whoever can reach the port."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token
        self._messages = 0

    async def post(self, path: str, body: bytes, headers: Mapping[str, str], *, token: str | None = None) -> Answer:
        self._messages += 1
        fields = {**headers, "X-Microsoft-Skype-Message-ID": f"m{self._messages}"}
        async with connected(self.port) as (reader, writer), asyncio.timeout(PATIENCE):
            writer.write(request("POST", path, body, fields, token=token or self.token))
            return await read_answer(reader)

    async def announce(self, call: str = "call-1", *, token: str | None = None) -> Answer:
        return await self.post("/call", json.dumps(conversation(call)).encode(), JSON, token=token)

    async def report(self, outcome: Mapping[str, Any]) -> Answer:
        return await self.post("/callback", result(outcome), JSON)

    async def upload(self, op: str, audio: bytes = b"audio" * 100) -> Answer:
        outcome = {
            "type": "recordOutcome",
            "id": op,
            "completionReason": "completedStopToneDetected",
            "lengthOfRecordingInSecs": 2.5,
            "format": "wma",
            "outcome": "success",
        }
        return await self.post("/callback", form(audio, message=result(outcome)), FORM)


def result(outcome: Mapping[str, Any]) -> bytes:
    return json.dumps({"id": "call-1", "operationOutcome": outcome, "callState": "established"}).encode()


def conversation(call: str) -> dict[str, Any]:
    return {
        "id": call,
        "participants": [{"identity": "29:caller", "originator": True}, {"identity": "28:bot", "originator": False}],
        "presentedModalityTypes": ["audio"],
        "callState": "incoming",
    }


@pytest.fixture
async def signer() -> AsyncIterator[KeyInTwoHands]:
    signer = KeyInTwoHands()
    await signer.start()
    yield signer
    await signer.stop()


@pytest.fixture
def world(tmp_path: Path, signer: Signer, way: Way) -> World:
    """Both ways are tried."""
    return World(tmp_path, signer, way=way)


@pytest.fixture
async def attacker(world: World, signer: KeyInTwoHands) -> AsyncIterator[Attacker]:
    async with world.server() as phone:
        yield Attacker(phone.port, signer.token())


# --- tokens ----------------------------------------------------------------------------------------------------------


async def test_a_token_that_is_garbage_for_another_bot_or_expired_opens_nothing(
    attacker: Attacker, signer: KeyInTwoHands
) -> None:
    now = time.time()
    expired = signer.token_for(now=now - 2 * LIFETIME)
    for token in ("garbage", GARBAGE, signer.token_for("another-app", now=now), expired):
        answer = await attacker.announce(token=token)
        assert answer.status in {401, 403}
        assert answer.code
    assert (await attacker.announce(token=signer.token_for(now=now))).status == 200


async def test_without_keys_even_a_good_token_is_told_when_to_come_back(world: World, signer: KeyInTwoHands) -> None:
    await signer.stop()
    async with world.server() as phone:
        answer = await Attacker(phone.port, signer.token()).announce()
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


async def test_a_token_of_a_key_that_came_up_since_the_last_fetch_is_told_when_to_come_back(attacker: Attacker) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    answer = await attacker.announce(token=Identity(APP, key).token(time.time()))
    assert (answer.status, answer.code) == (503, "key-not-known-yet")
    assert answer.headers["retry-after"] == "1"


async def test_a_token_that_is_garbage_does_not_get_into_the_log(
    attacker: Attacker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await attacker.announce(token=GARBAGE)
    log = texts(record for record in caplog.records if record.name.startswith("ivr"))
    assert "refused" in log
    assert GARBAGE.rpartition(".")[0] not in log


# --- uploads ---------------------------------------------------------------------------------------------------------


UPLOADS = pytest.mark.parametrize("audio", [b"audio", bytes(SMALL + 1)], ids=["small", "larger"])


@UPLOADS
async def test_an_upload_for_an_old_operation_is_not_kept_and_the_last_reply_comes_again(
    attacker: Attacker, world: World, audio: bytes
) -> None:
    first = await attacker.announce()
    assert (await attacker.upload("stale-op", audio)).body == first.body
    assert not world.recordings


@UPLOADS
async def test_an_upload_for_no_call_is_404_and_not_kept(attacker: Attacker, world: World, audio: bytes) -> None:
    answer = await attacker.upload("1.2", audio)
    assert (answer.status, answer.code) == (404, "unknown-call")
    assert not world.recordings


# --- JSON ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"id": ' + b"9" * 5000 + b"}",
        b'{"id": 1e5000}',
        b'{"id": "\\ud800"}',
        b"\xff\xfe",
        b'{"id": "a\\u0000b"}',
        b"null",
    ],
    ids=range(7),
)
async def test_json_that_is_no_message_is_400_and_reaches_no_store(
    attacker: Attacker, world: World, body: bytes
) -> None:
    answer = await attacker.post("/callback", body, JSON)
    assert answer.status == 400
    assert answer.code
    assert not await world.calls()


@pytest.mark.parametrize("call", ["x" * 10_000, "a\u0000b", "a\nb"], ids=range(3))
async def test_a_hostile_call_id_is_400(attacker: Attacker, world: World, call: str) -> None:
    assert (await attacker.announce(call)).status == 400
    assert not await world.calls()


# --- outcomes --------------------------------------------------------------------------------------------------------


def chosen(word: str, **choice: str) -> dict[str, Any]:
    return {"type": "recognizeOutcome", "outcome": word, "choiceOutcome": choice}


@pytest.mark.parametrize(
    "outcome",
    [
        chosen("success", completionReason="dtmfOptionMatched", choiceName="never offered"),
        chosen("failure", completionReason="nonsense"),
        {"type": "worfklowValidationOutcome", "outcome": "failure", "failureReason": "invalid"},
    ],
    ids=["never offered", "nonsense", "refused"],
)
async def test_an_outcome_that_our_workflow_cannot_have_is_the_flows_error(
    attacker: Attacker, world: World, outcome: dict[str, Any]
) -> None:
    asked = json.loads((await attacker.announce()).body)["actions"][-1]
    answer = await attacker.report(outcome | {"id": asked["operationId"]})
    assert answer.status == 200
    assert "Goodbye." in answer.body.decode()
    (record,) = await world.calls()
    assert record.steps == 2
