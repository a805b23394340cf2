"""The grand tour, again and again: `make chaos`."""

import argparse
import asyncio
import tempfile
from pathlib import Path

from tests.chaos.tour import tour
from tests.phone.calling import Signer


def main() -> None:
    """Run so many rounds, each with a seed of its own; a failure names the one that repeats it."""
    options = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seed", type=int, default=1, help="of the first round")
    options.add_argument("--calls", type=int, default=200, help="at once")
    asked = options.parse_args()
    for seed in range(asked.seed, asked.seed + asked.rounds):
        print(f"==> Round {seed - asked.seed + 1} of {asked.rounds}, seed {seed}", flush=True)
        try:
            asyncio.run(_round(seed, asked.calls))
        except BaseException:
            print(f"==> It failed. To repeat it: make chaos SEED={seed} ROUNDS=1 CALLS={asked.calls}", flush=True)
            raise
    print("==> Nothing was lost, doubled or mixed up.")


async def _round(seed: int, calls: int) -> None:
    signer = Signer()
    await signer.start()
    try:
        with tempfile.TemporaryDirectory(prefix="ivr-chaos-") as folder:
            print(await tour(Path(folder), signer, calls=calls, seed=seed, say=lambda line: print(line, flush=True)))
    finally:
        await signer.stop()


main()
