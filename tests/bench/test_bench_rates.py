"""The server is measured beside others that do the work, and a table says what came of it. Nothing is timed here."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from bench import profile, run, speed_page
from bench.calls import full_call, json_call, last_words, learn
from bench.compared import Beside, Compared, Memory, Rates, Results, Run, show
from bench.load import Load, drive
from bench.machine import Machine
from bench.peer_bot import peer_program
from bench.stages import MESSAGES
from bench.subject import free_port, running

try:
    PEER = peer_program()
    WITHOUT = ""
except LookupError as missing:
    PEER, WITHOUT = (), str(missing)

MACHINE = Machine("2026-01-02", "Processor X", 2, "3.11.9", "3.45.0", "20.1.0")


def a_run(requests: int, cpu: float) -> Run:
    return Run(Load(requests, requests // 4, 1.0, [0.001 * (1 + each) for each in range(requests)]), cpu)


def some_results() -> Results:
    ours = [a_run(100, 0.05), a_run(300, 0.05), a_run(200, 0.05)]
    its = [a_run(200, 0.04), a_run(200, 0.04), a_run(400, 0.04)]
    compared = Compared("full calls", Rates.of(ours), {"peer": Beside.of(ours, its, 0.85)})
    return Results(MACHINE, 3, 1.0, [compared], Memory(2**20, 3072.0, 10, 2**21, 80.0), ["Without Z."])


def test_others_are_compared_round_by_round_with_all_their_threads() -> None:
    beside = some_results().compared[0].others["peer"]
    assert beside.rate == 0.5  # of 0.5, 1.5 and 0.5
    assert beside.cpu == 2.5  # of 500/200, 167/200 and 250/100
    assert beside.rates.requests_per_second == 200


@pytest.mark.skipif(not PEER, reason=WITHOUT)
async def test_the_peer_holds_the_same_calls_and_has_read_the_audio(tmp_path: Path) -> None:
    port = free_port()
    core = min(os.sched_getaffinity(0))
    async with running([str(port)], port=port, core=core, log=tmp_path / "log", program=PEER) as peer:
        full = learn(port, "", full_call(os.urandom(8192)), known_by=last_words)
        again = learn(port, "", json_call(2), known_by=last_words)
        load = await drive(port, full, connections=4, calls=8)
        with pytest.raises(RuntimeError, match="wrong reply"):  # its replies are looked at: this call has no audio
            await drive(port, [*full[:2], replace(again[1], known_by=full[2].known_by)], connections=1, calls=1)
        assert peer.threads()["node"] > 0
        assert peer.cpu() > 0
    menu = b'"To hear this again, press 1. To leave a message, press 2. To finish, press 3."'
    assert [each.known_by for each in full] == [
        menu,
        b'"Please speak after the beep."',
        b'"Thank you for 8192 bytes. Goodbye."',
        b"",
    ]
    assert [each.known_by for each in again] == [menu, menu, menu, b'"Thank you. Goodbye."', b""]
    assert (load.calls, load.requests) == (8, 32)


def test_what_is_missing_for_the_peer_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("bench.peer_bot.FOLDER", tmp_path)
    if PEER:
        with pytest.raises(LookupError, match="npm install"):
            peer_program()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LookupError, match="Node is not installed"):
        peer_program()


async def test_everything_is_measured_in_one_run() -> None:
    extent = run.Extent(rounds=2, seconds=0.05, warm=0.05, open_calls=64, long_audio=200_000)
    found = await run.main(extent, Console(quiet=True))
    names = ["peer", "echo"] if PEER else ["echo"]
    assert [(each.name, list(each.others)) for each in found.compared] == [("JSON turns", names), ("full calls", names)]
    assert found.missing == ([] if PEER else [WITHOUT])
    assert found.memory.calls == 64
    assert min(each.server.cpu_us for each in found.compared) > 0


async def test_a_profile_has_every_stage_and_every_thread(capsys: pytest.CaptureFixture[str]) -> None:
    extent = run.Extent(rounds=1, seconds=0.3, warm=0.05)
    found = await profile.main(extent, Console(quiet=True))
    *parts, whole, _, _, _ = found.stages  # those of the store are not in the sum
    assert whole.name == "sum"
    assert whole.us == pytest.approx([sum(each) for each in zip(*(part.us for part in parts), strict=True)])
    assert all(len(part.us) == len(MESSAGES) for part in found.stages)
    json_turns, full_calls = found.threads
    assert {"MainThread", "store-writer"} <= json_turns.us.keys() & full_calls.us.keys()
    assert found.sockets.keys() == {json_turns.call, full_calls.call}
    profile.show(found, Console(width=200))
    assert "store-writer" in capsys.readouterr().out


def test_the_page_keeps_a_table_for_each_python(capsys: pytest.CaptureFixture[str]) -> None:
    page = "before\n<!-- Python 3.11 -->\nold\n<!-- end -->\n<!-- Python 3.13 -->\nother\n<!-- end -->\n"
    new = speed_page.written(page, some_results())
    assert new.startswith("before\n<!-- Python 3.11 -->\n\n**2026-01-02, Processor X")
    assert "| **full calls** | 200 | 50 |" in new
    assert "| peer | 200 | 50 | 101.0 ms | 199.0 ms | 200 µs | 0.50 | 0.85 |" in new
    assert "old" not in new
    assert new.endswith("<!-- Python 3.13 -->\nother\n<!-- end -->\n")
    assert speed_page.written(new, some_results()) == new
    assert speed_page.written(page.replace("old\n", ""), some_results()) == new
    with pytest.raises(SystemExit, match=r"no place for Python 3\.11"):
        speed_page.written("nothing", some_results())
    show(some_results(), Console())
    assert "full calls, peer = 1" in capsys.readouterr().out


def test_the_shipped_page_has_a_place_for_every_python_that_is_measured() -> None:
    page = speed_page.PAGE.read_text("utf-8")
    for version in ("3.11", "3.13"):
        assert f"<!-- Python {version} -->\n" in page
