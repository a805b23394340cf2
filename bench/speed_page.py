"""The figures in docs/speed.md: each version of Python has its table there, which a run replaces."""

import re
from pathlib import Path

from bench.compared import A_CALL, AN_UPLOAD, Compared, Memory, Results

PAGE = Path(__file__).parents[1] / "docs" / "speed.md"


def written(page: str, results: Results) -> str:
    """Return the page with the table of this Python replaced; raise SystemExit if it has no place for one."""
    version = ".".join(results.machine.python.split(".")[:2])
    place = re.compile(rf"(?<=<!-- Python {re.escape(version)} -->\n).*?(?=<!-- end -->)", re.DOTALL)
    if not place.search(page):
        raise SystemExit(f"docs/speed.md has no place for Python {version}: <!-- Python {version} --> to <!-- end -->.")
    return place.sub(lambda _: f"\n{table(results)}\n", page, count=1)


def table(results: Results) -> str:
    """Return what was found, in Markdown."""
    lines = [
        f"**{results.machine}**; medians of {results.rounds} rounds of {results.seconds:g} s.",
        "",
        "| | requests/s | calls/s | p50 | p99 | processor time of a request | rate beside it | aim |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(line for compared in results.compared for line in _scenario(compared)),
        "",
        *results.missing,
        _memory(results.memory),
    ]
    return "\n".join(lines) + "\n"


def _scenario(compared: Compared) -> list[str]:
    rows = {f"**{compared.name}**": (compared.server, "", "")}
    for name, beside in compared.others.items():
        rows[name] = (beside.rates, f"{beside.rate:.2f}", "" if beside.aim is None else f"{beside.aim:.2f}")
    return [
        f"| {name} | {rates.requests_per_second:,.0f} | {rates.calls_per_second:,.0f} | {rates.p50_ms:.1f} ms "
        f"| {rates.p99_ms:.1f} ms | {rates.cpu_us:.0f} µs | {rate} | {aim} |"
        for name, (rates, rate, aim) in rows.items()
    ]


def _memory(memory: Memory) -> str:
    return (
        f"A call in progress takes {memory.per_call / 1024:.1f} KiB (aim: {A_CALL // 1024}), and a recording of 60 MB, "
        f"while it comes in, {memory.during_upload / 2**20:.1f} MiB (aim: {AN_UPLOAD // 2**20})."
    )
