"""A server of today takes over what one of an earlier version left behind, in the middle of its calls."""

import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ivr.channels.skype.wire import MESSAGE_ID
from ivr.phone.net.post import Reply
from tests.crash.process import Server
from tests.phone.calling import PUBLIC, Phone, Signer, phone_to
from tests.store.earlier_folders import VERSIONS, letters, restored


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_the_platform_sends_again_gets_the_bytes_of_before(
    tmp_path: Path, signer: Signer, version: int
) -> None:
    """Those calls have been silent for long, so they are closed meanwhile: that changes no answer."""
    server = Server(tmp_path, signer)
    restored(server.data, version)
    by_call: dict[str, list[Mapping[str, Any]]] = {}
    for letter in letters(version):
        by_call.setdefault(letter["call"], []).append(letter)
    await server.start()
    again = 0
    async with phone_to(server.port, signer) as phone:
        for sent in by_call.values():
            for letter in [one for one in sent[-12:] if one["audio"] is None and one["status"] == 200]:
                answer = await _send(phone, signer, letter)
                assert (answer.status, answer.body.decode()) == (200, letter["reply"])
                again += 1
    assert again > 2 * len(by_call)
    assert await server.stop(signal.SIGTERM) == 0
    said = [json.loads(line)["event"] for line in server.log.read_text().splitlines()]
    assert said[:2] == ["converting the database", "database converted"]
    await server.start()  # now it is of this version
    assert await server.stop(signal.SIGTERM) == 0
    assert server.log.read_text().count("converting the database") == 1


async def _send(phone: Phone, signer: Signer, letter: Mapping[str, Any]) -> Reply:
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {signer.token()}",
        MESSAGE_ID: letter["id"],
    }
    body = json.dumps(letter["json"]).encode()
    return await phone.way.send(f"{PUBLIC}{letter['path']}", body, headers, answer_time=30.0, most=1 << 20)
