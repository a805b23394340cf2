"""How soon a caller hears the next prompt after a key, and how steadily sound comes on many calls at once.

    ivr serve --dev flows/                                              in one terminal
    python -m bench.phone --bot http://127.0.0.1:8080/call/support      in another

Speech synthesis is included (pip install 'ivr[phone]'); its cache of prompts is warm after the first call, as it is for
callers of a real line, and `--cold` measures without it.
"""

import argparse
import asyncio
import json
import time

from ivr.cli.loop import fast_loop
from ivr.phone import speaking
from ivr.phone.events import PromptAudio
from ivr.phone.kit import lacking, sound_of
from ivr.phone.platform import Target, platform
from ivr.phone.session import Session

WRONG_KEY = "9"
TRIES = 2
"After which a flow gives up on a caller, mostly."
MEASURED_CALLS = 100


async def key_to_sound(session: Session, waits: list[float], *, cold: bool) -> None:
    """Press a wrong key as soon as a prompt is heard, and note how long it takes until the next one is."""
    session.dial()
    left, pressed = TRIES, 0.0
    async for event in session.events():
        if not isinstance(event, PromptAudio):
            continue
        if pressed:
            waits.append(time.perf_counter() - pressed)
        if left == 0:
            session.hang_up()
            continue
        left -= 1
        if cold:
            speaking.forget()
        pressed = time.perf_counter()
        session.press(WRONG_KEY)


async def steady(sessions: list[Session], seconds: float) -> None:
    """Let all calls listen to the menu at the same time, and hang up."""

    async def one(session: Session, delay: float) -> None:
        await asyncio.sleep(delay)
        session.dial()
        asyncio.get_running_loop().call_later(seconds, session.hang_up)
        async for _ in session.events():
            pass

    await asyncio.gather(*(one(session, number / 200) for number, session in enumerate(sessions)))


def percentile(values: list[float], share: float) -> float:
    """Give milliseconds."""
    ordered = sorted(values) or [0.0]
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


async def run(bot: str, calls: int, seconds: float, *, cold: bool) -> dict[str, object]:
    """Measure both."""
    async with platform(Target(bot)) as phone:
        sound = sound_of(phone)
        waits: list[float] = []
        for _ in range(MEASURED_CALLS):
            await key_to_sound(Session(phone, sound), waits, cold=cold)
        sessions = [Session(phone, sound, paced=True) for _ in range(calls)]
        await steady(sessions, seconds)
        frames = sum(session.player.frames for session in sessions)
        return {
            "key to first sound, ms": {name: percentile(waits, share) for name, share in SHARES.items()},
            "keys": len(waits),
            "calls at once": calls,
            "frames": frames,
            "frames over 20 ms late": sum(session.player.late for session in sessions),
            "lacking": lacking(),
        }


SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bot", default="http://127.0.0.1:8080/call/support")
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10.0, help="Seconds of sound on each call.")
    parser.add_argument("--cold", action="store_true", help="Forget every spoken prompt at once.")
    args = parser.parse_args()
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        measured = runner.run(run(args.bot, args.calls, args.seconds, cold=args.cold))
    print(json.dumps(measured, indent=2))


if __name__ == "__main__":
    main()
