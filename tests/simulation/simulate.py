"""Plays many schedules of servers that share a database: `make simulate`."""

import argparse
import logging
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence

from tests.simulation.promises import violations
from tests.simulation.simulated_flow import FLOW, is_later
from tests.simulation.simulated_world import World

PORTION = 200
"Schedules between two signs of life."


def played(seeds: Sequence[int]) -> tuple[Counter[str], dict[int, list[str]]]:
    """Play these schedules; return what has happened, and what did not hold, by the seed."""
    logging.disable(logging.CRITICAL)
    seen: Counter[str] = Counter()
    failed: dict[int, list[str]] = {}
    for seed in seeds:
        world = World(seed, FLOW, later=is_later(seed)).run()
        seen += world.counts()
        if found := violations(world):
            failed[seed] = [*found, *(f"at {fault}" for fault in world.faults)]
    return seen, failed


def main() -> int:
    parser = argparse.ArgumentParser(description="Plays schedules of servers that share a database.")
    parser.add_argument("--schedules", type=int, default=600_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    wanted = parser.parse_args()
    last = wanted.first + wanted.schedules
    portions = [range(seed, min(seed + PORTION, last)) for seed in range(wanted.first, last, PORTION)]
    seen: Counter[str] = Counter()
    failures = done = 0
    began = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(min(wanted.jobs, len(portions))) as pool:
        for number, (more, failed) in enumerate(pool.imap(played, portions)):
            seen += more
            done += len(portions[number])
            failures += len(failed)
            for seed, found in failed.items():
                print(f"\nseed {seed}; again: make simulate FIRST={seed} SCHEDULES=1", *found, sep="\n  ", flush=True)
            if sys.stdout.isatty() or number == len(portions) - 1 or number % 50 == 49:
                end = "\r" if sys.stdout.isatty() and number < len(portions) - 1 else "\n"
                print(f"{done:,} of {wanted.schedules:,}, {failures} failed", end=end, flush=True)
    told = ", ".join(f"{count:,} {what}" for what, count in seen.items())
    print(f"{told}; {time.monotonic() - began:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
