"""The flows of a server: chosen for new calls, kept for old ones, reloaded while calls go on."""

import asyncio
import logging
import os
import wave
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from unicodedata import normalize

import pytest

from ivr.channels.skype import SkypeChannel
from ivr.errors import FlowError, StoreUnavailable, WebhookError
from ivr.flowfile.load import load_flow
from ivr.server.flow_registry import WAITING, FlowRegistry
from ivr.store.memory.memory_calls import MemoryStore

DESK = "flow: {name}\ninitial: main\nstates:\n  main: {{say: {text}, final: true}}\n"
SPOKEN = "flow: desk\ninitial: main\nstates:\n  main: {say: {audio: hi.wav}, final: true}\n"
SAYS_SHARED = "flow: desk\ninitial: main\ninclude: common.yaml\nstates:\n  main: {say: {ref: hello}, final: true}\n"


class Places:
    """Flow files that can be edited, and the shelf that reads them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = MemoryStore()
        self._edits = 0

    def write(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.write_text(content)
        self._edits += 1
        os.utime(path, ns=(self._edits, self._edits))  # a clock too coarse to see two edits in one test
        return path

    def desk(self, name: str = "desk", text: str = "Hello.", file: str | None = None) -> Path:
        return self.write(file or f"{name}.yaml", DESK.format(name=name, text=text))

    def sound(self, name: str, frames: int) -> None:
        with wave.open(str(self.folder / name), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16000)
            file.writeframes(bytes(2 * frames))

    async def registry(
        self,
        *places: Path,
        default: str | None = None,
        routes: Mapping[str, str] | None = None,
        strict: bool = False,
    ) -> FlowRegistry:
        load = partial(load_flow, lines={"skype": SkypeChannel.can})
        registry = FlowRegistry(self.store, places or (self.folder,), load=load, default=default, routes=routes)
        await registry.open(strict=strict)
        return registry


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


async def test_the_only_flow_needs_no_name(places: Places) -> None:
    places.desk()
    registry = await places.registry()
    assert registry.choose(None, "28:bot").name == "desk"
    assert registry.choose("desk", "28:bot").name == "desk"
    assert (registry.names, registry.default) == (["desk"], "desk")


async def test_a_flow_is_found_by_its_name_in_either_of_its_unicode_forms(places: Places) -> None:
    places.desk("größe")
    registry = await places.registry()
    assert registry.choose(normalize("NFC", "größe"), "28:bot").name == "größe"
    assert registry.choose(normalize("NFD", "größe"), "28:bot").name == "größe"


async def test_of_several_flows_the_address_then_the_called_identity_then_the_default_decides(places: Places) -> None:
    for name in ("desk", "night", "vip"):
        places.desk(name)
    registry = await places.registry(default="desk", routes={"28:Night-Bot": "night"})
    assert registry.choose("vip", "28:night-bot").name == "vip"
    assert registry.choose(None, "28:NIGHT-BOT").name == "night"
    assert registry.choose(None, "28:bot").name == "desk"
    assert registry.default == "desk"


async def test_of_several_flows_without_a_default_none_is_chosen(places: Places) -> None:
    places.desk("desk")
    places.desk("night")
    registry = await places.registry()
    with pytest.raises(WebhookError) as caught:
        registry.choose(None, "28:bot")
    assert (caught.value.status, caught.value.code) == (404, "no-default-flow")
    assert registry.default is None


@pytest.mark.parametrize("name", ["nix", "", "../desk", "DESK", "desk.yaml"])
async def test_an_unknown_name_is_404(places: Places, name: str) -> None:
    places.desk("desk")
    places.desk("night")
    with pytest.raises(WebhookError) as caught:
        (await places.registry()).choose(name or "x", "28:bot")
    assert (caught.value.status, caught.value.code) == (404, "unknown-flow")


BROKEN = "flow: night\ninitial: man\nstates:\n  main: {say: Hi., next: nowhere}\n"


async def test_a_broken_flow_keeps_no_other_from_being_served_and_is_served_once_it_is_mended(
    places: Places, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    places.desk()
    file = places.write("night.yaml", BROKEN)
    registry = await places.registry()
    for _ in range(3):
        await registry.refresh()
    assert registry.names == ["desk"]
    assert registry.broken == [file]
    assert "nowhere" in next(one.fault for one in registry.all() if one.file == file)
    assert [(record.message, record.__dict__["file"]) for record in caplog.records] == [("flow refused", str(file))]
    places.desk("night")
    await registry.refresh()
    assert (registry.names, registry.broken) == (["desk", "night"], [])


async def test_scripts_and_notes_beside_flows_stop_no_server_and_are_named_once(
    places: Places, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    places.desk()
    script = places.write("desk.call.yaml", "flow: desk.yaml\nsteps: [hangup]\n")
    notes = places.write("notes.yaml", "todo: hours\n")
    registry = await places.registry(strict=True)
    await registry.refresh()
    assert registry.names == ["desk"]
    told = [(record.message, record.__dict__["file"]) for record in caplog.records]
    assert told == [("file skipped", str(script)), ("file skipped", str(notes))]


async def test_a_flow_that_is_left_alone_by_broken_ones_takes_no_calls_that_named_none(places: Places) -> None:
    places.desk()
    file = places.write("night.yaml", BROKEN)
    registry = await places.registry()
    assert registry.default is None
    with pytest.raises(WebhookError, match="IVR_DEFAULT_FLOW"):
        registry.choose(None, "28:bot")
    assert registry.choose("desk", "28:bot").name == "desk"
    file.unlink()
    await registry.refresh()
    assert (registry.default, registry.broken) == ("desk", [])


async def test_a_new_file_that_is_broken_changes_nothing_for_the_only_flow(places: Places) -> None:
    places.desk()
    registry = await places.registry()
    places.write("night.yaml", BROKEN)
    await registry.refresh()
    assert registry.default == "desk"


async def test_a_broken_flow_that_a_setting_leads_to_stops_the_start(places: Places) -> None:
    places.desk()
    places.write("night.yaml", BROKEN)
    with pytest.raises(FlowError, match=r'(?s)nowhere.*IVR_DEFAULT_FLOW: there is no flow "night"'):
        await places.registry(default="night")
    with pytest.raises(FlowError, match='IVR_ROUTES, 28:bot: there is no flow "night"'):
        await places.registry(default="desk", routes={"28:bot": "night"})


async def test_an_author_is_told_of_a_broken_flow_at_once_with_all_its_findings(places: Places) -> None:
    places.desk()
    places.write("broken.yaml", BROKEN)
    with pytest.raises(FlowError) as caught:
        await places.registry(strict=True)
    assert "man" in str(caught.value)
    assert "nowhere" in str(caught.value)
    assert "broken.yaml:" in str(caught.value)


async def test_nothing_to_serve_is_an_error(places: Places) -> None:
    with pytest.raises(FlowError, match="No flow"):
        await places.registry()
    with pytest.raises(FlowError, match=r"gone\.yaml cannot be read"):
        await places.registry(places.folder / "gone.yaml")


async def test_two_flows_of_one_name_are_an_error(places: Places) -> None:
    places.desk(file="a.yaml")
    places.desk(file="b.yaml")
    with pytest.raises(FlowError, match='both called "desk"'):
        await places.registry()


async def test_a_setting_that_leads_to_no_flow_is_an_error(places: Places) -> None:
    places.desk()
    with pytest.raises(FlowError, match='IVR_DEFAULT_FLOW: there is no flow "desc"\\. Did you mean "desk"'):
        await places.registry(default="desc")
    with pytest.raises(FlowError, match="IVR_ROUTES, 28:bot"):
        await places.registry(routes={"28:bot": "night"})


async def test_an_edit_changes_new_calls_and_leaves_running_ones_their_flow(places: Places) -> None:
    places.desk(text="Old.")
    registry = await places.registry()
    old = registry.choose(None, "28:bot")
    places.desk(text="New.")
    await registry.refresh()
    new = registry.choose(None, "28:bot")
    assert new.hash != old.hash
    assert await registry.get(old.hash) is old
    assert await registry.get(new.hash) is new


async def test_an_edit_that_changes_no_byte_changes_no_flow(places: Places) -> None:
    places.desk()
    registry = await places.registry()
    before = registry.choose(None, "28:bot")
    places.desk()
    await registry.refresh()
    assert registry.choose(None, "28:bot").hash == before.hash


async def test_a_broken_edit_is_told_once_and_the_last_good_version_goes_on(
    places: Places, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    places.desk()
    registry = await places.registry()
    good = registry.choose(None, "28:bot")
    places.write("desk.yaml", "flow: desk\ninitial: nowhere\nstates: {a: {say: Hi., final: true}}\n")
    for _ in range(3):
        await registry.refresh()
    assert registry.choose(None, "28:bot") is good
    (record,) = [record for record in caplog.records if record.message == "flow refused"]
    assert record.__dict__["reason"] == "1 error"
    (finding,) = record.__dict__["findings"]
    assert (finding["code"], finding["line"]) == ("unknown-target", 2)
    assert "nowhere" in finding["message"]
    assert record.__dict__["file"].endswith("desk.yaml")
    places.desk(text="Mended.")
    await registry.refresh()
    assert registry.choose(None, "28:bot").hash != good.hash
    assert caplog.records[-1].message == "flow loaded"


async def test_a_file_that_is_gone_for_a_moment_changes_nothing(places: Places) -> None:
    path = places.desk()
    registry = await places.registry()
    good = registry.choose(None, "28:bot")
    path.unlink()
    await registry.refresh()
    assert registry.choose(None, "28:bot") is good


async def test_a_deleted_file_is_told_once_and_its_flow_goes_on(
    places: Places, caplog: pytest.LogCaptureFixture
) -> None:
    path = places.desk()
    registry = await places.registry()
    path.unlink()
    for _ in range(4):
        await registry.refresh()
    assert registry.choose("desk", "28:bot").name == "desk"
    (record,) = caplog.records
    assert (record.message, record.__dict__["flow"]) == ("flow file gone", "desk")
    places.desk(text="Back.")
    await registry.refresh()
    path.unlink()
    for _ in range(4):
        await registry.refresh()
    assert [record.message for record in caplog.records] == ["flow file gone"] * 2


async def test_a_new_file_in_a_served_folder_is_served(places: Places) -> None:
    places.desk()
    registry = await places.registry()
    places.desk("night")
    await registry.refresh()
    assert registry.names == ["desk", "night"]


async def test_a_flow_that_is_renamed_has_only_its_new_name(places: Places) -> None:
    places.desk("desk", file="x.yaml")
    registry = await places.registry()
    places.desk("night", file="x.yaml")
    await registry.refresh()
    assert registry.names == ["night"]


async def test_a_file_that_is_renamed_goes_on_under_its_new_name_with_later_edits(places: Places) -> None:
    old = places.desk(file="old.yaml")
    registry = await places.registry()
    old.rename(places.folder / "new.yaml")
    await registry.refresh()
    assert [(one.file.name, one.fault) for one in registry.all()] == [("new.yaml", "")]
    before = registry.choose(None, "28:bot")
    places.desk(text="Edited.", file="new.yaml")
    await registry.refresh()
    assert registry.choose("desk", "28:bot").hash != before.hash


async def test_a_second_file_of_one_name_is_refused_once_and_served_when_the_first_goes(
    places: Places, caplog: pytest.LogCaptureFixture
) -> None:
    first = places.desk(file="a.yaml")
    registry = await places.registry()
    places.desk(file="b.yaml")
    for number in range(3):
        os.utime(places.folder, ns=(number, number))  # as other files come and go
        await registry.refresh()
    assert [record.message for record in caplog.records] == ["flow refused"]
    assert 'both called "desk"' in registry.all()[-1].fault
    first.unlink()
    await registry.refresh()
    assert [(one.file.name, one.fault) for one in registry.all()] == [("b.yaml", "")]


@pytest.mark.parametrize("begins", ["without the file", "with a broken one"])
async def test_a_flow_that_lacks_an_audio_file_is_served_once_it_is_there(places: Places, begins: str) -> None:
    places.desk()
    registry = await places.registry()
    if begins == "with a broken one":
        places.write("hi.wav", "no sound")
    places.write("desk.yaml", SPOKEN)
    await registry.refresh()
    await registry.refresh()
    assert "hi.wav" in registry.all()[0].fault
    places.sound("hi.wav", 100)
    await registry.refresh()
    assert registry.all()[0].fault == ""


async def test_a_flow_is_loaded_again_when_a_file_changes_that_it_includes(places: Places) -> None:
    places.write("common.yaml", "prompts: {hello: Hello.}\n")
    places.write("desk.yaml", SAYS_SHARED)
    registry = await places.registry()
    before = registry.choose(None, "28:bot")
    places.write("common.yaml", "prompts: {hello: Good morning.}\n")
    await registry.refresh()
    after = registry.choose(None, "28:bot")
    assert (registry.names, after.hash != before.hash) == (["desk"], True)
    places.write("common.yaml", "prompts: {hello: []}\n")
    await registry.refresh()
    assert "common.yaml:1:18" in registry.all()[0].fault
    assert registry.choose(None, "28:bot").hash == after.hash


async def test_a_flow_is_in_the_store_before_a_call_can_name_it(places: Places) -> None:
    places.desk()
    registry = await places.registry()
    assert await places.store.flow(registry.choose(None, "28:bot").hash)


async def test_while_the_store_is_full_an_edit_waits(places: Places) -> None:
    class Full(MemoryStore):
        full = False

        async def save_flow(self, flow_hash: str, source: bytes, assets: Sequence[str] = ()) -> None:
            if self.full:
                raise StoreUnavailable("full")
            await super().save_flow(flow_hash, source, assets)

    places.store = store = Full()
    places.desk()
    registry = await places.registry()
    old = registry.choose(None, "28:bot")
    store.full = True
    places.desk(text="New.")
    await registry.refresh()
    assert registry.choose(None, "28:bot") is old
    store.full = False
    await registry.refresh()
    assert registry.choose(None, "28:bot").hash != old.hash


async def test_after_a_restart_an_old_flow_comes_back_from_the_store(places: Places) -> None:
    places.desk(text="Old.")
    old = (await places.registry()).choose(None, "28:bot")
    places.desk(text="New.")
    registry = await places.registry()
    assert registry.held(old.hash) is None
    again = await registry.get(old.hash)
    assert registry.held(old.hash) is again
    assert (again.hash, again.name, list(again.states)) == (old.hash, "desk", ["main"])


async def test_a_flow_that_is_lost_is_an_error_for_its_call_and_no_other(
    places: Places, caplog: pytest.LogCaptureFixture
) -> None:
    places.desk()
    registry = await places.registry()
    with pytest.raises(FlowError):
        await registry.get("0" * 64)
    await registry.restore(["0" * 64, registry.choose(None, "28:bot").hash])
    assert caplog.records[-1].message == "flow of a running call lost"


async def test_prompt_files_are_served_by_their_hash_also_those_of_an_old_version(places: Places) -> None:
    places.sound("hi.wav", 100)
    places.write("desk.yaml", SPOKEN)
    registry = await places.registry()
    old = registry.choose(None, "28:bot")
    (first,) = registry._assets[old.hash]
    asset = await registry.asset(first)
    assert asset is not None
    assert asset.content_type == "audio/wav"
    assert asset.content.startswith(b"RIFF")
    places.sound("hi.wav", 200)  # the flow file is as it was; its audio makes it another flow
    await registry.refresh()
    (second,) = registry._assets[registry.choose(None, "28:bot").hash]
    assert first != second
    assert await registry.asset(first)
    assert await registry.asset(second)
    assert await registry.asset("0" * 64) is None
    restarted = await places.registry()
    assert restarted.held(old.hash) is None
    await restarted.restore([old.hash])
    assert restarted.held(old.hash)
    assert await restarted.asset(first)


async def test_a_prompt_file_of_a_flow_that_another_server_serves_is_found_in_the_store(places: Places) -> None:
    places.sound("hi.wav", 100)
    places.write("desk.yaml", SPOKEN)
    newer = await places.registry()
    flow = newer.choose(None, "28:bot")
    (file,) = newer._assets[flow.hash]
    places.desk()  # this folder is an older one
    older = await places.registry()
    assert older.held(flow.hash) is None
    found = await asyncio.gather(*(older.asset(name) for name in [file, "0" * 64, file]))
    assert [asset and asset.content for asset in found] == [(await newer.asset(file)).content, None, found[0].content]
    assert older.held(flow.hash)


async def test_while_the_store_is_slow_so_many_wait_for_prompt_files_and_the_others_are_told_to_come_again(
    places: Places,
) -> None:
    places.desk()
    registry = await places.registry()
    goes_on = asyncio.Event()

    class Slow(MemoryStore):
        async def flow_with(self, asset: str) -> str | None:
            await goes_on.wait()
            return None

    registry._store = Slow()
    names = [f"{number:064x}" for number in range(WAITING + 3)]
    asking = asyncio.gather(*(registry.asset(name) for name in names), return_exceptions=True)
    await asyncio.sleep(0)
    goes_on.set()
    found = await asking
    assert found[:WAITING] == [None] * WAITING
    assert [type(one) for one in found[WAITING:]] == [StoreUnavailable] * 3
    assert await registry.asset(names[0]) is None


async def test_a_flow_of_another_server_that_is_damaged_has_no_prompt_files(places: Places) -> None:
    await places.store.save_flow("f" * 64, b"damaged", ["a" * 64])
    places.desk()
    assert await (await places.registry()).asset("a" * 64) is None


INVOKING = (
    "flow: desk\ninitial: main\non: {error: end}\nstates:\n  main: {invoke: hours, next: end}\n  end: {hangup: {}}\n"
)
HOURS = (
    "flow: hours\ninitial: tell\non: {error: back}\nstates:\n  tell: {say: TEXT, next: back}\n  back: {return: back}\n"
)


async def test_a_flow_is_loaded_again_when_a_flow_changes_that_it_invokes(places: Places) -> None:
    places.write("desk.yaml", INVOKING)
    places.write("opening.yaml", HOURS.replace("TEXT", "From nine."))
    registry = await places.registry()
    before = registry.choose("desk", "28:bot")
    places.write("opening.yaml", HOURS.replace("TEXT", "From ten."))
    await registry.refresh()
    after = registry.choose("desk", "28:bot")
    assert before.hash != after.hash
    assert after.hash == (await registry.get(after.hash)).hash
    assert registry.held(before.hash) is before


async def test_a_broken_flow_keeps_those_that_invoke_it_as_they_were(places: Places) -> None:
    places.write("desk.yaml", INVOKING)
    places.write("hours.yaml", HOURS.replace("TEXT", "From nine."))
    registry = await places.registry()
    before = registry.choose("desk", "28:bot")
    places.write("hours.yaml", HOURS.replace("TEXT", "'{{ nobody }}'"))
    await registry.refresh()
    assert registry.choose("desk", "28:bot") is before
    (fault,) = {one.fault for one in registry.all()}
    assert "hours.yaml:5:19  undefined" in fault
    places.write("hours.yaml", HOURS.replace("TEXT", "From ten."))
    await registry.refresh()
    assert registry.choose("desk", "28:bot").hash != before.hash


async def test_a_call_under_way_gets_a_flow_with_what_it_invokes_out_of_the_store(places: Places) -> None:
    places.write("desk.yaml", INVOKING)
    hours = places.write("hours.yaml", HOURS.replace("TEXT", "From nine."))
    before = (await places.registry()).choose("desk", "28:bot")
    hours.unlink()
    places.desk("other", file="desk.yaml")
    again = await (await places.registry()).get(before.hash)
    assert list(again.states) == ["main", "end", "main/tell", "main/back"]
