"""Many calls at once, by callers who behave differently: how fast a bot answers, and what goes wrong."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from ivr.audio.formats import RATE
from ivr.engine.commands import RecordingFormat, Segment
from ivr.media.recorder import Recorder
from ivr.media.sound import EncodedRecording, Sound, SoundPiece, tone
from ivr.phone.callers.dialler import Dialler, LoadPlan
from ivr.phone.callers.random_caller import RandomCaller
from ivr.phone.callers.turn_based import TurnBased
from ivr.phone.phone_events import Ended, PhoneEvent, Replied, Sent, WorkflowRefused
from ivr.phone.platform import PlacesCalls

RECORDING = 1.0
"Seconds of what is recorded."


class Latency(Struct, frozen=True):
    """Reply times in milliseconds."""

    p50: float
    p90: float
    p99: float
    max: float


class LoadResult(Struct, frozen=True):
    """What a load has shown."""

    calls: int
    requests: int
    seconds: float
    calls_per_second: float
    requests_per_second: float
    reply: Latency | None
    "To all messages but recordings; None: there was no reply."
    reply_to_recordings: Latency | None
    "Apart, since a bot saves the audio, and may wait for its words."
    repeats: int
    "Messages that were sent once more, since they got a 5xx or no answer."
    longest_wait: float
    "Milliseconds from the first try of a message to its reply, at most: for so long a caller heard nothing new."
    errors: Mapping[str, int]
    "By kind: `timeout`, `connect`, `status.500`, `workflow` (a refused one), `ended.unreachable` and so on."
    endings: Mapping[str, int]
    "How the calls ended."
    phone_microseconds: float
    "Processor time of this phone for one request."


class _Tally:
    """Counts over all calls."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        "Of replies to all but recordings."
        self.to_recordings: list[float] = []
        self.errors: Counter[str] = Counter()
        self.endings: Counter[str] = Counter()
        self.repeats = 0
        self.longest_wait = 0.0
        self._recordings: set[str] = set()
        "Messages that hold one."
        self._sent: dict[str, float] = {}
        "Messages without a good reply so far, and when they were sent first."

    def take(self, event: PhoneEvent) -> None:
        """Count what happened."""
        match event:
            case Sent():
                self._send(event)
            case Replied(status=0, failure=failure):
                self.errors[failure] += 1
            case Replied(message=message, status=status, seconds=seconds):
                (self.to_recordings if message in self._recordings else self.seconds).append(seconds)
                if not 200 <= status < 300:
                    self.errors[f"status.{status}"] += 1
                elif (first := self._sent.pop(message, None)) is not None:
                    self.longest_wait = max(self.longest_wait, time.perf_counter() - first)
            case WorkflowRefused():
                self.errors["workflow"] += 1
            case Ended(by=by, reason=reason):
                self.endings[reason] += 1
                if by == "platform":
                    self.errors[f"ended.{reason}"] += 1

    def _send(self, sent: Sent) -> None:
        if sent.audio:
            self._recordings.add(sent.message)
        if sent.attempt > 1:
            self.repeats += 1
        self._sent.setdefault(sent.message, time.perf_counter())


class _InstantRenderer:
    """A `PromptRenderer` that takes no time."""

    async def render(self, segments: Sequence[Segment]) -> AsyncGenerator[SoundPiece, None]:
        for _ in ():
            yield _

    async def prepare(self, segments: Sequence[Segment]) -> None:
        pass


class _CannedEncoder:
    """An `Encoder` that makes each kind of file once."""

    def __init__(self, made: Mapping[str, EncodedRecording | None]) -> None:
        self._made = made

    @classmethod
    async def make(cls) -> "_CannedEncoder":
        recorder, samples = Recorder.installed(), tone(300.0, RECORDING)
        forms: Sequence[RecordingFormat] = ("wma", "wav", "mp3")
        return cls({form: await recorder.encode(samples, form) for form in forms})

    async def encode(self, samples: bytes, form: RecordingFormat, rate: int = RATE) -> EncodedRecording | None:
        return self._made[form]


async def run_load_test(
    phone: PlacesCalls,
    plan: LoadPlan,
    *,
    progress: Callable[[int], None] = lambda _: None,
    stop: asyncio.Event | None = None,
) -> LoadResult:
    """Place all calls of a plan; `progress` is told how many are over.

    With `stop` no more calls are begun, those that are under way are hung up, and what there is is measured.
    """
    tally, sound = _Tally(), Sound(_InstantRenderer(), await _CannedEncoder.make())
    begun, used = time.perf_counter(), time.process_time()

    async def place(number: int) -> None:
        random = Random(f"{plan.seed}.{number}")  # noqa: S311  # the same callers in each run
        await phone.place(TurnBased(RandomCaller(random, tally.take, think=plan.think), sound))

    dialler = Dialler(plan, place, progress)
    await dialler.run(stop)
    placed = replace(plan, calls=dialler.begun)
    return _measured(placed, tally, time.perf_counter() - begun, time.process_time() - used)


def _measured(plan: LoadPlan, tally: _Tally, seconds: float, used: float) -> LoadResult:
    requests = len(tally.seconds) + len(tally.to_recordings)
    return LoadResult(
        calls=plan.calls,
        requests=requests,
        seconds=round(seconds, 3),
        calls_per_second=round(plan.calls / seconds, 1),
        requests_per_second=round(requests / seconds, 1),
        reply=latency(tally.seconds),
        reply_to_recordings=latency(tally.to_recordings),
        repeats=tally.repeats,
        longest_wait=round(1000 * tally.longest_wait, 2),
        errors=dict(tally.errors),
        endings=dict(tally.endings),
        phone_microseconds=round(1e6 * used / max(1, requests), 1),
    )


def latency(seconds: Sequence[float]) -> Latency | None:
    """Sum up reply times."""
    ordered = sorted(1000 * each for each in seconds)
    if not ordered:
        return None

    def share(part: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(part * len(ordered)))], 2)

    return Latency(share(0.5), share(0.9), share(0.99), round(ordered[-1], 2))
