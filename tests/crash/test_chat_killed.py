"""The server is killed (SIGKILL) in a conversation: what was written counts once, and what it leads to comes once."""

import signal
from pathlib import Path

from ivr.engine.events import CallReceived, ChoiceMade, KeysPressed
from ivr.phone.net.identity import METADATA_PATH
from tests.chat.chat_world import APP, DESK, SECRET, ChatWorld
from tests.crash.process import Server
from tests.phone.calling import Signer
from tests.waiting import until

QUESTION = "To leave a message, press 1 or say message. To hear a number, press 2."


async def sent(server: Server, count: int) -> None:
    """Return once it is noted that so much was sent: before that, the connector alone knows."""
    await until(lambda: server.log.read_bytes().count(b"platform asked") == count, within=server.log.parent)


async def test_a_conversation_goes_on_after_a_kill_and_nothing_is_lost_or_doubled(
    tmp_path: Path, signer: Signer
) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/desk.yaml").write_text(DESK)
    async with ChatWorld(tmp_path, []).connected() as world:
        base = world.connector.base
        server = Server(
            tmp_path,
            signer,
            flows=tmp_path / "flows",
            IVR_CHAT_APP_ID=APP,
            IVR_CHAT_PASSWORD=SECRET,
            IVR_CHAT_LOGIN_URL=base,
            IVR_CHAT_OPENID_METADATA=base + METADATA_PATH,
            IVR_CHAT_HOSTS=base.removeprefix("http://"),
            IVR_OPENID_LOOPBACK="true",
        )
        await server.start()
        chat = world.chat_at(f"http://127.0.0.1:{server.port}/api/messages")
        await chat.write("hello")
        assert await world.read(chat, 1) == [QUESTION]
        world.connector.away = True
        pressed = chat.activity("message", text="2")
        assert (await chat.post("", again=pressed)).status == 202
        await until(lambda: b"platform not asked" in server.log.read_bytes(), within=tmp_path)
        await server.stop(signal.SIGKILL)
        world.connector.away = False
        await server.start()
        assert (await chat.post("", again=pressed)).status == 202  # the connector repeats it
        assert (await world.read(chat, 2))[1:] == ["Which room?"]
        await sent(server, 2)
        await server.stop(signal.SIGKILL)
        await server.start()
        await chat.write("12")
        assert (await world.read(chat, 3))[2:] == ["Room 1 2 it is. Goodbye."]
        await sent(server, 3)
        await server.stop(signal.SIGKILL)
        await server.start()
        assert (await chat.post("", again=pressed)).status == 202
        await server.stop(signal.SIGTERM)
        assert world.connector.findings == []
        assert len(chat.texts) == 3
        ((record, trace),) = await world.calls()
    assert (record.call.phase, record.call.outcome) == ("over", "resolved")
    counted = (CallReceived, ChoiceMade, KeysPressed)
    events = [type(one.event) for one in trace if one.ignored is None and isinstance(one.event, counted)]
    assert events == [CallReceived, ChoiceMade, KeysPressed]
