"""The table of `make bench-many` in docs/speed.md, and what it means on paper for many more calls."""

import re
from collections.abc import Iterator

from bench.many_results import SCENARIOS, Found, Growth
from bench.speed_page import PAGE

_PLACE = re.compile(r"(?<=<!-- many -->\n).*?(?=<!-- end -->)", re.DOTALL)
PACE = 8.0
"Seconds between two messages of a live call: a prompt, and a key or a few words."
MANY = 1_000_000
"Live calls."
BUSY = 0.6
"The share of a core that is planned with: the rest is for the bad minute."


def write(found: Growth) -> None:
    """Put what was found into the page; raise SystemExit if it has no place for it."""
    page = PAGE.read_text("utf-8")
    if not _PLACE.search(page):
        raise SystemExit("docs/speed.md has no place for it: <!-- many --> to <!-- end -->.")
    PAGE.write_text(_PLACE.sub(lambda _: f"\n{growth_table(found)}\n", page, count=1), "utf-8")


def growth_table(found: Growth) -> str:
    """Return what was found, in Markdown."""
    lines = [
        f"**{found.machine}, PostgreSQL {found.postgres}**; medians of {found.rounds} rounds of {found.seconds:g} s.",
        "",
        "| | requests/s | p50 | p99 | processor time of a request | of the database for it | its log for it |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for scenario in SCENARIOS:
        lines.append(f"| **{scenario}** | | | | | | |")
        lines += [_row(one) for one in found.found if one.scenario == scenario]
    return "\n".join([*lines, "", *found.missing, *_on_paper(found)]) + "\n"


def _row(one: Found) -> str:
    database = f"{one.database_us:.0f} µs | {one.wal_bytes / 1024:.1f} KiB" if one.database_us else " | "
    return (
        f"| {one.setup} | {one.requests_per_second:,.0f} | {one.p50_ms:.1f} ms | {one.p99_ms:.1f} ms "
        f"| {one.cpu_us:.0f} µs | {database} |"
    )


def _on_paper(found: Growth) -> Iterator[str]:
    live = found.live
    largest = [one for one in found.found if one.database_us and one.scenario == SCENARIOS[-1]]
    if live is None or not largest:
        return
    one = largest[-1]
    turns = MANY / PACE
    servers, database = (turns * us / 1e6 / BUSY for us in (one.cpu_us, one.database_us))
    yield (
        f"A call in progress takes {live.table_bytes / 1024:.1f} KiB of the database; with {live.calls:,} of them a "
        f"process has {live.memory / 2**20:.0f} MiB."
    )
    yield ""
    yield (
        f"**{MANY:,} live calls, on paper**: with a message every {PACE:g} s they are {turns:,.0f} turns a second. At "
        f"{one.cpu_us:.0f} µs each, and cores that are busy for {BUSY:.0%} of their time, the servers need "
        f"{servers:,.0f} cores, and the database {database:,.0f}, with {turns * one.wal_bytes / 1e6:,.0f} MB of log "
        f"a second and {MANY * live.table_bytes / 1e9:,.0f} GB of live calls."
    )
