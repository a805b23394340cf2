"""Many calls at once over SIP: how many are answered, how soon, and how soon and how steadily they hear something.

Each caller listens until it is quiet, presses a key, and waits for what is heard next, a few times; then it hangs up.
The keys are the same in each run.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from random import Random

from msgspec import Struct

from ivr.engine.events import PHONE_KEYS
from ivr.errors import IvrError
from ivr.phone.callers.dialler import Dialler, LoadPlan
from ivr.phone.callers.load_test import Latency, latency
from ivr.softphone.call_news import CallNews, NotReached, Over
from ivr.softphone.softphone import Softphone
from ivr.softphone.softphone_call import SoftphoneCall

KEYS = 3
"Keys that each caller presses."
QUIET = 0.3
"Seconds of quiet after which a key is pressed."
NO_SOUND = 10.0
"Seconds without a sound after which a call has failed."
LONGEST_PROMPT = 120.0
"Seconds that a caller listens at most before it presses a key."
LATE = 0.02
"Seconds after which a frame is late."


class SipLoadResult(Struct, frozen=True):
    """What a load has shown. Times are in milliseconds."""

    calls: int
    answered: int
    failed: Mapping[str, int]
    "Calls that came to nothing, or to silence, by why."
    endings: Mapping[str, int]
    "How answered calls ended: `remote` (the other side hung up), `local`, `timeout`, `error`."
    seconds: float
    answer: Latency | None
    "From dialling to the answer."
    first_sound: Latency | None
    "From the answer to the first sound."
    key_to_sound: Latency | None
    "From the end of a key, as it was sent, to the next sound."
    keys: int
    "Keys that were answered by sound."
    packets: int
    "That the other side sent."
    lost: int
    frames: int
    "Packets of sound that this side sent."
    late: int
    "Of these, over 20 ms late: this machine is too busy to measure more."
    processor: float
    "Seconds of processor time of this side."


class _Tally:
    """Counts over all calls."""

    def __init__(self) -> None:
        self.answer: list[float] = []
        self.first_sound: list[float] = []
        self.key_to_sound: list[float] = []
        self.failed: Counter[str] = Counter()
        self.endings: Counter[str] = Counter()
        self.packets = self.lost = 0

    def take(self, news: CallNews) -> None:
        match news:
            case NotReached(status=status, reason=reason):
                self.failed[f"{status} {reason}".strip() if status else reason] += 1
            case Over(by=by, statistics=statistics):
                self.endings[by] += 1
                self.packets += statistics.expected
                self.lost += statistics.lost


async def run_sip_load(
    phone: Softphone,
    plan: LoadPlan,
    *,
    progress: Callable[[int], None] = lambda _: None,
    stop: asyncio.Event | None = None,
) -> SipLoadResult:
    """Place all calls of a plan; `progress` is told how many are over. With `stop` the open ones are hung up."""
    tally = _Tally()
    begun, used = time.perf_counter(), time.process_time()

    async def place(number: int) -> None:
        await _one_call(phone, Random(f"{plan.seed}.{number}"), tally)  # noqa: S311  # the same keys in each run

    dialler = Dialler(plan, place, progress)
    await dialler.run(stop)
    lateness = phone.agent.lateness
    return SipLoadResult(
        calls=dialler.begun,
        answered=len(tally.answer),
        failed=dict(tally.failed),
        endings=dict(tally.endings),
        seconds=round(time.perf_counter() - begun, 3),
        answer=latency(tally.answer),
        first_sound=latency(tally.first_sound),
        key_to_sound=latency(tally.key_to_sound),
        keys=len(tally.key_to_sound),
        packets=tally.packets,
        lost=tally.lost,
        frames=lateness.frames,
        late=lateness.later_than(LATE),
        processor=round(time.process_time() - used, 2),
    )


async def _one_call(phone: Softphone, random: Random, tally: _Tally) -> None:
    """Hold one call to its end; cancelled, it is hung up."""
    now = phone.agent.now
    dialled = now()
    try:
        call = await phone.dial(tally.take)
    except (IvrError, OSError):
        return  # the news of it was told
    answered = now()
    tally.answer.append(answered - dialled)
    try:
        if not await call.until(lambda each: each.first_loud is not None, NO_SOUND):
            if not call.over:
                tally.failed["no sound"] += 1
            return
        tally.first_sound.append(max(0.0, (call.first_loud or answered) - answered))
        for _ in range(KEYS):
            if not await _press(call, random, tally):
                return
    finally:
        call.hang_up()
        with suppress(asyncio.CancelledError):
            await call.leg.ended()


async def _press(call: SoftphoneCall, random: Random, tally: _Tally) -> bool:
    """Press a key once it is quiet, and note when the next sound comes; False: the call goes on no further."""
    if not await call.until(lambda each: not each.active and each.quiet >= QUIET, LONGEST_PROMPT):
        return False
    call.listen_anew()
    call.press(random.choice(sorted(PHONE_KEYS)))
    if not await call.until(lambda each: each.released_at is not None and each.first_loud is not None, NO_SOUND):
        return False
    if call.first_loud is not None and call.released_at is not None and call.first_loud >= call.released_at:
        tally.key_to_sound.append(call.first_loud - call.released_at)
    return True
