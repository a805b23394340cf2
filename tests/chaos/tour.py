"""A grand tour: everything that can go wrong, one after the other, while so many callers are on the phone."""

import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.chaos.books import Tally, judged
from tests.chaos.faults import REPEATABLE, fail_over
from tests.chaos.world import world
from tests.phone.calling import Signer

THINKING = 3.0
"Seconds between two messages of a call, on average: 200 calls are some 70 messages a second then."

Say = Callable[[str], None]


async def tour(folder: Path, signer: Signer, *, calls: int, seed: int, say: Say) -> Tally:
    """Let everything go wrong in an order that the seed says, and the primary die at the end; return what was counted.

    Raises AssertionError where something is lost, doubled or mixed up.
    """
    faults = list(REPEATABLE.items())
    Random(seed).shuffle(faults)
    began = time.monotonic()

    def tell(what: str) -> None:
        say(f"{time.monotonic() - began:6.1f} s  {what}")

    async with world(folder, signer, calls=calls, seed=seed, standby=True, thinking=THINKING) as one:
        async with one.callers():
            await one.more()
            for name, fault in (*faults, (fail_over.__name__, fail_over)):
                await fault(one)
                tell(
                    f"{len(one.line.acknowledged):6} messages, {len(one.crowd.ended):5} calls over, "
                    f"the longest wait {one.doubling.longest():4.1f} s; {name}"
                )
            tell(f"{len(one.line.acknowledged):6} messages; everybody hangs up")
        tell("the books are compared")
        tally = await judged(one)
        tell("done")
    return tally
