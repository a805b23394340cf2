"""What is erased is nowhere in the files of the data folder: no word, no number, no byte of a recording."""

from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from ivr.call_record import CallRecord, Stepped
from ivr.engine.commands import Notify
from ivr.media_storage import SMALL
from ivr.ports import Outbound, WebhookReply
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.database_file import open_database
from ivr.store.sqlite.sqlite_calls import SqliteStore
from ivr.user_values import KeptValue
from tests.cli.stored_calls import ivr
from tests.store.earlier_folders import VERSIONS, letters, restored, rows
from tests.store.store_examples import after, answered, key, line, recorded, request
from tests.store.store_examples import record as fresh
from tests.store.store_worlds import claim

CALLS, TURNS = 12, 6


def held(folder: Path, words: Iterable[bytes]) -> set[bytes]:
    """Return which of these words stand in a file of the data folder."""
    contents = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return {word for word in words if any(word in content for content in contents)}


@pytest.mark.parametrize("version", VERSIONS)
def test_of_a_folder_of_an_earlier_version_too(tmp_path: Path, version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = restored(tmp_path / "data", version)
    words = {b"29:phone", b"audio of small", b"audio of endless-held", b"9:40 AM"}
    words |= {call.encode() for (call,) in rows(folder / "calls.db", "SELECT id FROM call")}
    words |= {letter["json"]["id"].encode() for letter in letters(version)}
    words |= {letter["id"].encode() for letter in letters(version) if version == 1}
    assert held(folder, words) == words
    open_database(folder / "calls.db").close()
    assert held(folder, words) == words
    receipt = ivr("calls", "erase", "--caller", "29:phone", "--yes", "--data", folder)
    assert receipt.exit_code == 0
    assert held(folder, words) == set()
    assert list((folder / "audio").iterdir()) == []
    assert rows(folder / "calls.db", "SELECT count(*) FROM call") == [(0,)]
    assert rows(folder / "calls.db", "SELECT count(*) FROM turn") == [(0,)]


class _Callers:
    """Two callers whose calls lie one beside the other, in every page."""

    def __init__(self, folder: DataFolder, store: SqliteStore, seed: int) -> None:
        self.calls: dict[str, CallRecord] = {}
        self._folder = folder
        self._store = store
        self._random = Random(seed)

    async def call(self) -> None:
        """Let them take turns, and end half of their calls; nothing of it is long enough to have pages for itself."""
        for turn in range(TURNS):
            for number in range(CALLS):
                await self._turn(f"{('anna', 'bert')[number % 2]}-{number}", over=turn == TURNS - 1 and number % 4 > 1)
        for order in await claim(self._store):
            who = order.key.id.split("-")[0]
            await self._store.finish(order.call, order.request.job, answered(order.request.job, f"{who}-said-this"))

    async def _turn(self, name: str, *, over: bool) -> None:
        who = name.split("-", maxsplit=1)[0]
        record = self.calls.get(name) or _of(who, fresh(name))
        media = f"{record.version:032x}{name}.wma"
        sound = (f"{who}-sounds-" * SMALL)[: self._random.choice([0, 300, 9000, SMALL, SMALL + 1])].encode()
        steps: tuple[Stepped, ...] = (line(record.version),)
        if sound:
            steps += (recorded(media),)
        if len(sound) > SMALL:
            (self._folder.audio / media).write_bytes(sound)
        reply = WebhookReply(200, f"{who}-hears-".encode() * self._random.randrange(1, 200))
        commit = after(
            record, *steps, reply=reply, message=f"{who}-wrote-{record.version}", over=over,
            audio=sound if 0 < len(sound) <= SMALL else None,
            jobs=(request(f"{record.version}.1"),) if record.version == 1 else (),
        )  # fmt: skip
        told = Notify(f"{record.version}.9", "mail", f"{who}-address@example.com", text=f"{who}-told-them")
        asked = Outbound(f"{record.version}.8", "POST", "/calls", {"to": f"{who}-asked-for"})
        value = KeptValue(f"user.v{self._random.randrange(9)}", f"{who}-kept" * self._random.randrange(1, 300), 9e9)
        await self._store.commit(replace(commit, notifications=(told,), outbound=(asked,), kept=(value,)))
        self.calls[name] = commit.record


def _of(who: str, record: CallRecord) -> CallRecord:
    facts = replace(record.call.facts, caller=f"{who}-number")
    return replace(record, call=replace(record.call, facts=facts))


@pytest.mark.parametrize("seed", range(3))
async def test_of_one_caller_nothing_is_left_and_of_the_other_all(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVR_SEAL_KEY", "00" * 32)
    left = ("number", "sounds-", "hears-", "wrote-", "said-this", "address", "told-them", "asked-for", "kept")
    words = {who: {f"{who}-{what}".encode() for what in left} for who in ("anna", "bert")}
    with DataFolder.open(tmp_path / "data") as folder:
        store = await SqliteStore.open(folder.database, seal_key="00" * 32, seal_file=folder.seal_key)
        callers = _Callers(folder, store, seed)
        await callers.call()
        await store.close()
    assert held(folder.path, words["anna"] | words["bert"]) == words["anna"] | words["bert"]
    kept = rows(folder.database, "SELECT * FROM turn JOIN call ON row = call WHERE name LIKE 'bert%' ORDER BY seq")
    receipt = ivr("calls", "erase", "--caller", "anna-number", "--yes", "--data", folder.path)
    assert f"Erased: {CALLS // 2} calls" in receipt.output
    assert "what flows had kept of the caller: " in receipt.output
    assert held(folder.path, words["anna"]) == set()
    assert held(folder.path, words["bert"]) == words["bert"]
    after_it = rows(folder.database, "SELECT * FROM turn JOIN call ON row = call WHERE name LIKE 'bert%' ORDER BY seq")
    assert after_it == kept
    store = await SqliteStore.open(folder.database, seal_key="00" * 32, seal_file=folder.seal_key)
    for name, record in callers.calls.items():
        assert await store.load(key(name)) == (record if name.startswith("bert") else None)
    await store.close()


async def test_without_the_key_the_receipt_says_what_it_could_not_find(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DataFolder.open(tmp_path / "data") as folder:
        store = await SqliteStore.open(folder.database, seal_key="00" * 32, seal_file=folder.seal_key)
        commit = after(_of("anna", fresh("anna-1")), line(0), over=True)
        await store.commit(replace(commit, kept=(KeptValue("user.name", "Anna-herself", 9e9),)))
        await store.close()
    for key_there in ("11" * 32, "no key", None):
        if key_there is not None:
            folder.seal_key.write_text(key_there)
        receipt = ivr("calls", "erase", "--caller", "anna-number", "--yes", "--data", folder.path)
        assert receipt.exit_code == 1
        assert "STILL ON THE DISK: what flows have kept of callers." in receipt.output
        folder.seal_key.unlink(missing_ok=True)
    monkeypatch.setenv("IVR_SEAL_KEY", "00" * 32)
    receipt = ivr("calls", "erase", "--caller", "anna-number", "--yes", "--data", folder.path)
    assert receipt.exit_code == 0, "no call is left, and yet something is found"
    assert "what flows had kept of the caller: 1 value" in receipt.output
    assert held(folder.path, {b"Anna-herself"}) == set()
