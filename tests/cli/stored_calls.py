"""A data folder with calls in it, and a project folder with flows, for the commands that read both."""

import asyncio
import shutil
from pathlib import Path

from click.testing import CliRunner, Result
from msgspec.structs import replace

from ivr.call_record import Commit
from ivr.cli import main
from ivr.engine.line_facts import LineFacts
from ivr.flowfile.load import load_flow
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_calls import SqliteStore
from tests.trace.recorded_calls import ROOT, random_bot

CALLERS = ("29:anna", "29:bert")
LINED = 2
"The call whose line told of itself."
LINE = LineFacts(kind="sip", trunk="192.0.2.7:5060", transport="udp", codec="PCMA", encrypted=False, loss=0.4)


def project(folder: Path, calls: int = 12) -> Path:
    """Make a folder with the shipped flows, and a data folder in it with calls to flight-desk."""
    shutil.copytree(ROOT / "flows", folder / "flows")
    asyncio.run(_store(folder, calls))
    return folder


async def _store(folder: Path, calls: int) -> None:
    loaded = load_flow(folder / "flows" / "flight-desk.yaml", named="flows/flight-desk.yaml")
    assert loaded.bundle is not None
    with DataFolder.open(folder / "data") as data:
        store = await SqliteStore.open(data.database, seal_key="00" * 32, seal_file=data.seal_key)
        await store.save_flow(loaded.served().hash, loaded.bundle.encode())
        for number in range(calls):
            bot = random_bot(loaded.served(), number)
            facts = replace(bot.record.call.facts, caller=CALLERS[number % 2], id=call_id(number))
            first, *rest = bot.trace
            trace = (replace(first, event=replace(first.event, caller=facts.caller)), *rest)
            record = replace(
                bot.record, id=facts.id, key=replace(bot.record.key, id=f"call-{number}"),
                call=replace(bot.record.call, facts=facts), line=LINE if number == LINED else None,
            )  # fmt: skip
            for turn, step in enumerate(trace, 1):
                await store.commit(Commit(replace(record, version=turn, steps=turn), (step,)))
        await store.close()


def call_id(number: int) -> str:
    """Return the id of a stored call."""
    return f"{number:02x}" * 16


def ivr(*arguments: str | Path) -> Result:
    """Run a command as in a terminal, in the working directory."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result
