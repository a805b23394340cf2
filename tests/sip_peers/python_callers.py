"""Callers by baresip-python, many at once, in a process of their own: it is alpha, and has one runtime a process.

    python -m tests.sip_peers.python_callers '{"callers": [{"user": "a", "uri": "sip:support@127.0.0.1:5070"}, …]}'

Each caller goes through the support menu; a line of JSON says how it went.
"""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec
from baresip import Account, AudioNotActive, AudioRestarted, Config, Event, Runtime, StackEvent, UserAgent
from baresip.call import Call

from tests.sip_peers.listening import Levels, Listener, resampled
from tests.sip_peers.programs import PATIENCE
from tests.sip_peers.python_process import Order, PythonCaller, Walked
from tests.sip_peers.support_menu import RATE, SupportMenu

_PATIENT = "audio_jitter_buffer_type fixed\naudio_jitter_buffer_ms 200-1200\naudio_buffer 200-2000\n"
"A busy machine brings sound late."
FRAME = 0.02
"Seconds between two looks at a call's sound: the library is asked, it does not tell."


class CallInHand:
    """A `support_menu.Caller` on one call."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._ear: Listener | None = None
        self._heard = asyncio.Event()
        self._over = asyncio.Event()
        call.on(lambda event: self._over.set() if event.event is Event.CALL_CLOSED else None)
        self._reading = asyncio.create_task(self._read())

    async def hears(self, *wanted: Levels) -> tuple[int, float]:
        """Wait until one of these was said; return which, and how like it was."""
        async with asyncio.timeout(PATIENCE):
            await self._heard.wait()
        assert self._ear
        return await self._ear.hears(*wanted)

    async def says(self, samples: bytes) -> None:
        """Speak 16 kHz samples, and return when they were sent."""
        info = self._call.audio.info()
        left = resampled(samples, RATE, info.tx_sample_rate)
        if info.tx_channels == 2:
            left = b"".join(left[at : at + 2] * 2 for at in range(0, len(left), 2))
        async with asyncio.timeout(PATIENCE):
            while left or self._call.audio.info().tx_buffered:
                left = left[self._call.audio.write(left) :]
                await asyncio.sleep(FRAME)

    async def presses(self, keys: str) -> None:
        """Press keys, one after the other."""
        await self._call.send_dtmf(keys)

    async def holds(self) -> None:
        """Put the line on hold, and take it back."""
        await self._settled(self._call.hold)
        await self._settled(self._call.resume)

    async def left_alone(self) -> None:
        """Wait until the other side has hung up."""
        async with asyncio.timeout(PATIENCE):
            await self._over.wait()

    async def close(self) -> None:
        """Leave nothing running."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        with suppress(Exception):  # it is over, mostly
            await self._call.hangup()

    async def _settled(self, act: Callable[[], Awaitable[None]]) -> None:
        """Do something by a re-INVITE, and wait for its answer."""
        answered = asyncio.Event()

        def listener(event: StackEvent) -> None:
            if event.event is Event.CALL_REMOTE_SDP:
                answered.set()

        self._call.on(listener)
        await act()
        async with asyncio.timeout(PATIENCE):
            await answered.wait()
        self._call.off(listener)

    async def _read(self) -> None:
        channels = 1
        while not self._over.is_set():
            with suppress(AudioNotActive, AudioRestarted):
                if self._ear is None and (info := self._call.audio.info()).rx_ready:
                    self._ear, channels = Listener(info.rx_sample_rate), info.rx_channels
                    self._heard.set()
                if self._ear and (data := self._call.audio.read(65536)):
                    self._ear.hear(data if channels == 1 else _left_of(data))
            await asyncio.sleep(FRAME)
        if self._ear:
            self._ear.hung_up()


def _left_of(data: bytes) -> bytes:
    return memoryview(data).cast("h")[::2].tobytes()


async def _walk(runtime: Runtime, caller: PythonCaller, menu: SupportMenu) -> Walked:
    await asyncio.sleep(caller.after)
    agent = await UserAgent.create(
        runtime,
        Account(
            caller.user,
            "127.0.0.1",
            caller.password,
            transport=caller.transport,
            reg_interval=0,
            audio_codecs=(caller.codec,),
            extra_params=("mediaenc=srtp-mand",) if caller.encrypted else (),
        ),
    )
    call = await agent.dial(caller.uri)
    hand = CallInHand(call)
    try:
        await call.wait_established(PATIENCE)
        if caller.goes == "nowhere":
            return Walked(caller.user)
        go = menu.walk if caller.goes == "all" else menu.half
        return Walked(caller.user, await go(hand, holds=caller.holds))
    except Exception:
        return Walked(caller.user, failed=traceback.format_exc())
    finally:
        await hand.close()


async def _main(order: Order) -> None:
    menu = await SupportMenu.spoken()
    trust = f"sip_cafile {order.authority}\nsip_verify_server yes\n" if order.authority else ""
    runtime = Runtime()
    await runtime.start(
        Config(net_interface="127.0.0.1", max_concurrent_calls=None, extra_config_text=trust + _PATIENT)
    )
    try:
        for done in asyncio.as_completed([_walk(runtime, caller, menu) for caller in order.callers]):
            sys.stdout.write(json.dumps(msgspec.to_builtins(await done)) + "\n")
            sys.stdout.flush()
    finally:
        await runtime.close()


if __name__ == "__main__":
    asyncio.run(_main(msgspec.json.decode(sys.argv[1], type=Order)))
