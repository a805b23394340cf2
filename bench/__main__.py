"""Everything that `make bench` measures: `python -m bench [--quick] [--json] [--rates] [--write] [--profile]`.

First the server beside others, then the replay, then a full store.
"""

import argparse
import json

import uvloop
from msgspec import to_builtins
from rich.console import Console

from bench import compared, profile, replay, run, speed_page, stored


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description="Measure the server, the replay, and a full store.")
    parser.add_argument("--quick", action="store_true", help="a minute or two, and less exact")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    parser.add_argument("--write", action="store_true", help="put the rates into docs/speed.md, too")
    parser.add_argument("--rates", action="store_true", help="only the server beside the others, and its memory")
    parser.add_argument("--profile", action="store_true", help="only where the processor time of a request goes")
    chosen = parser.parse_args()
    screen, out = Console(stderr=True), Console()
    if chosen.profile:
        found = uvloop.run(profile.main(run.QUICK if chosen.quick else run.FULL, screen))
        if chosen.json:
            print(json.dumps(to_builtins(found), indent=2))
        else:
            profile.show(found, out)
        return
    rates = uvloop.run(run.main(run.QUICK if chosen.quick else run.FULL, screen))
    if chosen.write:
        page = speed_page.PAGE
        page.write_text(speed_page.written(page.read_text("utf-8"), rates), "utf-8")
    if not chosen.json:
        compared.show(rates, out)
    everything: dict[str, object] = {"rates": rates}
    if not chosen.rates:
        everything["replay"] = replayed = replay.measure(*(replay.QUICK if chosen.quick else replay.FULL))
        if not chosen.json:
            replay.show(replayed, out)
        everything["stored"] = full = uvloop.run(
            stored.measure(*(stored.QUICK if chosen.quick else stored.FULL), screen)
        )
        if not chosen.json:
            stored.show(full, out)
    if chosen.json:
        print(json.dumps(to_builtins(everything), indent=2))


if __name__ == "__main__":
    main()
