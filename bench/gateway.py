"""How many telephone calls one core carries through the gateway, and how soon a caller hears something after a key.

`make bench-gateway`, or `python -m bench.gateway [--quick] [--calls N] [--json]`. The gateway has one core for itself;
the bot (a server of ours) and the callers (`ivr.softphone`) share the other. Every caller hears prompts, presses keys,
and leaves recordings, over and over. Steps of more and more calls are made until frames are late. Speech synthesis is
part of it (pip install 'ivr[phone]'). Then one caller answers by voice, once with each speech engine that is here.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.request import urlopen

from msgspec import Struct, to_builtins
from rich.console import Console
from rich.table import Table

from bench import spoken_choices
from bench.run import SCRATCH
from bench.spoken_choices import Answers
from bench.subject import Subject, cores, free_port, running
from ivr.cli.event_loop import fast_loop
from ivr.media.sound import tone
from ivr.phone.callers.load_test import Latency, latency
from ivr.setting_sources import SettingsError
from ivr.softphone.dial_target import dial_target
from ivr.softphone.softphone import Softphone, softphone
from ivr.softphone.softphone_call import SoftphoneCall

AIM_CALLS, AIM_KEY = 200, 150.0
"Calls at once on one core with every frame in time; milliseconds from a key to the next sound, at p99."
LATE = 0.02
"Seconds after which a frame is late."
STEPS = (50, 100, 150, 200, 250, 300)
A_SECOND = 40
"Calls begun a second: a step is to measure calls, not their beginnings."
SPEECH = 4.0
"Seconds of each recording."
QUIET = 0.5
"Seconds without a sound after which a caller goes on; prompts pause for less."
PATIENCE = 60.0
FLOW = Path(__file__).with_name("gateway.flow.yaml")


class Step(Struct, frozen=True):
    """What so many calls at once have shown. Times are in milliseconds."""

    calls: int
    seconds: float
    frames: int
    "That the gateway sent."
    late: int
    "Of these, more than 20 ms late."
    worst: float | None
    "An upper bound: that of the highest bucket that was filled; None: above all of them."
    processor: float
    "Percent of the core that the gateway took."
    a_call: float
    "Percent of a core for each call."
    memory: float
    "MiB of the gateway."
    key_to_sound: Latency | None
    "From the end of a key to the next prompt."
    recording_to_sound: Latency | None
    "From the beginning of the key that ends a recording, which is encoded and sent to the bot before."
    lost: int
    "Packets on the way to the callers."
    callers_late: int
    "Frames of the callers, more than 20 ms late: many, and the other core is the one that is too busy."
    gone: int
    "Calls that ended before they should."

    @property
    def steady(self) -> bool:
        """Whether every frame was in time, and every call lasted."""
        return self.late == 0 and self.gone == 0


class Results(Struct, frozen=True):
    """Everything that one run found."""

    steps: Sequence[Step]
    calls_at_once: int
    "The most that were steady; 0: none."
    cores: Sequence[int]
    answers: Sequence[Answers] = ()
    "By voice, on one call."
    missing: Sequence[str] = ()
    "What could not be measured, and why."


class Waits:
    """What callers note, while it counts."""

    def __init__(self) -> None:
        self.counts = False
        self.keys: list[float] = []
        self.recordings: list[float] = []


async def one_caller(call: SoftphoneCall, speech: Sequence[bytes], waits: Waits, now: Callable[[], float]) -> None:
    """Listen, press 1, speak, press pound, and again, until the call is over.

    A menu takes a key when it is released; a recording ends when the key is pressed.
    """
    while not call.over:
        for key, noted in (("1", waits.keys), ("#", waits.recordings)):
            if not await call.until(lambda each: each.quiet >= QUIET and not each.leg.queued, PATIENCE):
                return
            if key == "#":
                call.play(speech)
                await call.until(lambda each: not each.leg.queued, PATIENCE)
            call.listen_anew()
            pressed = now()
            call.press(key)
            heard = await call.until(lambda each: each.first_loud and each.released_at, PATIENCE)
            if heard and waits.counts and call.first_loud and call.released_at:
                noted.append(call.first_loud - (call.released_at if key == "1" else pressed))


async def measure(phone: Softphone, gateway: Subject, status: str, calls: int, seconds: float) -> Step:
    waits, made = Waits(), [*await asyncio.gather(*(begun(phone, number) for number in range(calls)))]
    speech = await phone.encoded(tone(300.0, SPEECH), "PCMA")
    callers = [asyncio.create_task(one_caller(call, speech, waits, phone.agent.now)) for call in made]
    await asyncio.sleep(2.0)
    waits.counts = True
    before, used, own = await lateness(status), gateway.cpu(), phone.agent.lateness.later_than(LATE)
    await asyncio.sleep(seconds)
    after, used = await lateness(status), gateway.cpu() - used
    waits.counts = False
    gone = sum(call.over for call in made)
    memory = gateway.memory() / 2**20
    for task in callers:
        task.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    for call in made:
        call.hang_up()
    await asyncio.gather(*(call.leg.ended() for call in made))
    statistics = [call.leg.statistics for call in made]
    found = {bound: after[bound] - before[bound] for bound in after}
    worst = min(bound for bound, count in found.items() if count == found[float("inf")])
    return Step(
        calls=calls,
        seconds=seconds,
        frames=found[float("inf")],
        late=found[float("inf")] - found[LATE],
        worst=None if worst == float("inf") else 1000 * worst,
        processor=round(100 * used / seconds, 1),
        a_call=round(100 * used / seconds / calls, 3),
        memory=round(memory, 1),
        key_to_sound=latency(waits.keys),
        recording_to_sound=latency(waits.recordings),
        lost=sum(each.lost for each in statistics if each),
        callers_late=phone.agent.lateness.later_than(LATE) - own,
        gone=gone,
    )


async def begun(phone: Softphone, number: int) -> SoftphoneCall:
    """Begin one of many calls, each at its time."""
    await asyncio.sleep(number / A_SECOND)
    return await phone.dial(lambda _: None)


async def lateness(status: str) -> dict[float, int]:
    """Read how many frames were at most so late, by bound in seconds."""
    text = await asyncio.to_thread(lambda: urlopen(f"http://{status}/metrics", timeout=10).read().decode())
    found = re.findall(r'frame_lateness_seconds_bucket\{le="([^"]+)"\} (\d+)', text)
    return {float(bound): int(count) for bound, count in found}


@asynccontextmanager
async def subjects(
    most: int, one: int, other: int, flow: Path = FLOW, stt: str = "none"
) -> AsyncIterator[tuple[Subject, str, str]]:
    """Run a gateway on core `one` and a bot on the `other`; gives the gateway, its SIP address, and its metrics'."""
    bot = flow.name.split(".")[0].replace("gateway", "bench")
    scratch, ports = SCRATCH / str(os.getpid()), [free_port() for _ in range(3)]
    scratch.mkdir(parents=True)
    bot_port, sip_port, status_port = ports
    serve = ["ivr", "serve", "--dev", "--port", str(bot_port), str(flow)]
    gateway = [
        *("ivr", "gateway", "--bot", f"http://127.0.0.1:{bot_port}/call/{bot}", "--status", f"127.0.0.1:{status_port}"),
        *("--sip", f"udp://127.0.0.1:{sip_port}", "--rtp", "20000-29999", "--calls", str(most + 10)),
        *("--ringing-per-address", str(most + 10), "--invites-per-second", "1000", "--log-level", "warning"),
    ]
    environment = {"IVR_DATA": str(scratch / "data"), "IVR_LOG_LEVEL": "warning"}
    try:
        async with (
            running(serve, port=bot_port, core=other, log=scratch / "bot.log", environment=environment),
            running(
                gateway, port=status_port, core=one, log=scratch / "gateway.log", environment={"IVR_STT": stt}
            ) as subject,
        ):
            yield subject, f"sip:{bot}@127.0.0.1:{sip_port}", f"127.0.0.1:{status_port}"
    finally:
        shutil.rmtree(scratch)


async def run(steps: Sequence[int], seconds: float, answers_by_voice: int, console: Console) -> Results:
    found: list[Step] = []
    one, other = cores()  # before this process has but one
    os.sched_setaffinity(0, {other})
    async with (
        subjects(max(steps), one, other) as (gateway, address, status),
        softphone(dial_target(address), most_calls=max(steps) + 10) as phone,
    ):
        await measure(phone, gateway, status, 1, 12.0)  # all is loaded, and the prompts are spoken
        for calls in steps:
            console.print(f"{calls} calls at once, {seconds:g} s")
            found.append(await measure(phone, gateway, status, calls, seconds))
            if found[-1].late > found[-1].frames / 20:
                break
    answers, missing = await by_voice(answers_by_voice, one, other, console)
    steady = max((step.calls for step in found if step.steady), default=0)
    return Results(found, steady, (one, other), answers, missing)


async def by_voice(number: int, one: int, other: int, console: Console) -> tuple[Sequence[Answers], Sequence[str]]:
    """Answer by voice with each engine; return what could not be measured, too."""
    if not spoken_choices.utterances():
        return (), ["Answers by voice. flite speaks them (apt-get install flite)."]
    found, missing = [], []
    for engine in spoken_choices.ENGINES:
        try:
            spoken_choices.check(engine)
        except SettingsError as error:
            missing.append(spoken_choices.not_measured(engine, error))
            continue
        console.print(f"Answers by voice, understood by {engine}")
        async with (
            subjects(1, one, other, spoken_choices.FLOW, engine) as (_, address, _),
            softphone(dial_target(address)) as phone,
        ):
            found.append(await spoken_choices.on_the_gateway(phone, engine, number, phone.agent.now))
    return found, missing


def show(found: Results, console: Console) -> None:
    """Print the tables."""
    table = Table(title=f"Calls at once on one core (aim: {AIM_CALLS} with every frame less than 20 ms late)")
    for heading in (
        "calls",
        "frames",
        "late",
        "worst",
        "of a core",
        "a call",
        "memory",
        "lost",
        "callers late",
        "gone",
    ):
        table.add_column(heading, justify="right")
    for step in found.steps:
        worst = "above all" if step.worst is None else f"{step.worst:g} ms"
        table.add_row(
            str(step.calls), f"{step.frames:,}", f"{step.late:,}", worst, f"{step.processor:g} %",
            f"{step.a_call:g} %", f"{step.memory:g} MiB", f"{step.lost:,}", f"{step.callers_late:,}", str(step.gone),
        )  # fmt: skip
    console.print(table)
    table = Table(title=f"From a key to the next sound, in ms (aim: {AIM_KEY:g} at p99)")
    for heading in ("calls", "", "p50", "p90", "p99", "max"):
        table.add_column(heading, justify="right")
    for step in found.steps:
        for name, waits in (("a key is released", step.key_to_sound), ("a recording ends", step.recording_to_sound)):
            if waits:
                row = (f"{each:.1f}" for each in (waits.p50, waits.p90, waits.p99, waits.max))
                table.add_row(str(step.calls), name, *row)
    console.print(table)
    console.print(f"Steady with {found.calls_at_once} calls at once.")
    for line in spoken_choices.lines(found.answers):
        console.print(line)
    for each in found.missing:
        console.print(f"Not measured: {each}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.gateway", description="Measure how many calls the gateway carries.")
    parser.add_argument("--calls", type=int, help="only one step, of so many calls")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter steps; less exact")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    arguments = parser.parse_args()
    wanted = (arguments.calls,) if arguments.calls else STEPS[:2] if arguments.quick else STEPS
    screen = Console(stderr=True)
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        results = runner.run(run(wanted, *((10.0, 10) if arguments.quick else (20.0, 40)), screen))
    if arguments.json:
        print(json.dumps(to_builtins(results), indent=2))
    else:
        show(results, Console())
