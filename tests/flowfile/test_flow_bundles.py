"""A flow and all it is made of: audio files, time zone rules, one hash, and the same flow again after a restart."""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from ivr.audio.encode import encoded
from ivr.audio.formats import sniff
from ivr.errors import FlowError
from ivr.flowfile.assets import MAX_BYTES, UnplayableAudio, read
from ivr.flowfile.bundle import Bundle
from ivr.flowfile.load import LoadedFlow, load_flow, load_text, rebuild
from ivr.flowfile.zones import zone_data, zone_names, zone_of
from tests.flowfile.reading import HERE, codes, load

WAV = (HERE / "good" / "products.wav").read_bytes()
WMA = encoded(bytes(3200), "wma")
TEXT = """\
flow: music
initial: start
states:
  start:
    say: [{audio: a.wav, text: Music.}, {audio: sub/b.wma, text: More.}, {audio: a.wav, text: Again.}]
    final: true
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = tmp_path / "flows"
    (inner / "sub").mkdir(parents=True)
    (inner / "a.wav").write_bytes(WAV)
    (inner / "sub" / "b.wma").write_bytes(WMA)
    (inner / "music.yaml").write_text(TEXT, "utf-8")
    return inner


def bundle(folder: Path, **changes: str) -> Bundle:
    loaded = load_flow(folder / "music.yaml", **changes)  # type: ignore[arg-type]
    assert loaded.bundle is not None
    return loaded.bundle


def test_audio_files_are_collected_and_named_by_what_is_in_them(folder: Path) -> None:
    loaded = load_flow(folder / "music.yaml")
    assert loaded.assets == {sha256(WAV).hexdigest(): WAV, sha256(WMA).hexdigest(): WMA}
    parts = loaded.served().states["start"].action.prompt  # type: ignore[attr-defined]
    assert [part.asset for part in parts] == [sha256(data).hexdigest() for data in (WAV, WMA, WAV)]
    assert [part.url for part in parts] == [None] * 3


def test_a_bundle_makes_the_same_flow_without_the_folder(folder: Path) -> None:
    loaded = load_flow(folder / "music.yaml", default_zone="Asia/Tokyo")
    assert loaded.bundle is not None
    again = rebuild(Bundle.decode(loaded.bundle.encode(), loaded.bundle.hash))
    assert again.served().hash == loaded.served().hash == loaded.bundle.hash
    assert again.assets == loaded.assets
    assert again.served().zone.key == "Asia/Tokyo"
    assert repr(again.served().states) == repr(loaded.served().states)


def test_a_flow_named_otherwise_is_the_same_flow(folder: Path) -> None:
    one = load_flow(folder / "music.yaml", named="one.yaml")
    other = load_flow(folder / "music.yaml", named="other.yaml")
    assert one.served().hash == other.served().hash


def edit_text(folder: Path) -> None:
    (folder / "music.yaml").write_text(TEXT + "# a comment\n", "utf-8")


def edit_audio(folder: Path) -> None:
    (folder / "a.wav").write_bytes(WAV + b"\0\0")


@pytest.mark.parametrize("edit", [edit_text, edit_audio])
def test_the_hash_is_over_everything(folder: Path, edit: Callable[[Path], None]) -> None:
    before = bundle(folder).hash
    assert bundle(folder).hash == before
    edit(folder)
    assert bundle(folder).hash != before


def test_the_hash_is_over_the_time_zone_and_its_rules(folder: Path) -> None:
    whole = bundle(folder)
    assert bundle(folder, default_zone="Europe/Vienna").hash != whole.hash
    assert msgspec.structs.replace(whole, zone_data=whole.zone_data + b"x").hash != whole.hash


def test_a_stored_flow_that_cannot_be_read_says_so() -> None:
    with pytest.raises(FlowError, match="cannot be read"):
        Bundle.decode(b"garbage", "")


def test_a_stored_flow_of_another_format_says_so(folder: Path) -> None:
    other = msgspec.structs.replace(bundle(folder), format=99)
    with pytest.raises(FlowError, match="format 99"):
        Bundle.decode(other.encode(), other.hash)


def test_a_stored_flow_that_is_not_the_one_of_its_hash_is_damaged(folder: Path) -> None:
    with pytest.raises(FlowError, match="damaged"):
        Bundle.decode(bundle(folder).encode(), "0" * 64)


@pytest.mark.parametrize("text", [b"flow: [", b"flow: x\ninitial: a\nstates: {a: {colour: red}}"])
def test_a_stored_flow_that_this_release_refuses_says_why(folder: Path, text: bytes) -> None:
    other = msgspec.structs.replace(bundle(folder), text=text)
    with pytest.raises(FlowError, match=r"music\.yaml:[13]:"):
        rebuild(other)


def test_a_flow_with_errors_is_refused_with_all_of_them() -> None:
    loaded = load("flow: x\ninitial: a\nstates: {a: {say: Hello., next: b}}")
    with pytest.raises(FlowError, match="unknown-target") as refused:
        loaded.served()
    assert "unhandled" in str(refused.value)


def test_a_file_that_is_not_there_is_not_a_mistake_in_it(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"nothing\.yaml"):
        load_flow(tmp_path / "nothing.yaml")


class TestAudioFiles:
    def refusal(self, folder: Path, name: str) -> str:
        found = read(folder, name)
        assert isinstance(found, UnplayableAudio), found
        return found.message

    def test_a_file_of_the_folder_is_read(self, folder: Path) -> None:
        assert read(folder, "a.wav") == WAV
        assert read(folder, "./sub/../a.wav") == WAV

    @pytest.mark.parametrize("name", ["b.wav", "sub", "a.wav/x", "a\0.wav", "x" * 5000, "."])
    def test_what_is_no_file_is_refused(self, folder: Path, name: str) -> None:
        assert self.refusal(folder, name).startswith("There is no file")

    def test_a_file_outside_of_the_folder_is_refused(self, folder: Path) -> None:
        (folder.parent / "secret.wav").write_bytes(WAV)
        for name in ("../secret.wav", str(folder.parent / "secret.wav"), "sub/../../secret.wav"):
            assert "outside" in self.refusal(folder, name)

    def test_a_link_out_of_the_folder_is_refused(self, folder: Path) -> None:
        (folder.parent / "secret.wav").write_bytes(WAV)
        (folder / "link.wav").symlink_to(folder.parent / "secret.wav")
        (folder / "up").symlink_to(folder.parent)
        assert "outside" in self.refusal(folder, "link.wav")
        assert "outside" in self.refusal(folder, "up/secret.wav")

    def test_a_link_within_the_folder_is_followed(self, folder: Path) -> None:
        (folder / "link.wav").symlink_to("a.wav")
        assert read(folder, "link.wav") == WAV

    def test_links_in_a_circle_are_refused(self, folder: Path) -> None:
        (folder / "one.wav").symlink_to("two.wav")
        (folder / "two.wav").symlink_to("one.wav")
        assert self.refusal(folder, "one.wav").startswith("There is no file")

    def test_a_pipe_is_refused_without_waiting(self, folder: Path) -> None:
        os.mkfifo(folder / "pipe.wav")
        assert self.refusal(folder, "pipe.wav").startswith("There is no file")

    def test_512_kb_can_be_played_and_no_more(self, folder: Path) -> None:
        (folder / "fits.wav").write_bytes(WAV.ljust(MAX_BYTES, b"\0"))
        (folder / "large.wav").write_bytes(WAV.ljust(MAX_BYTES + 1, b"\0"))
        assert isinstance(read(folder, "fits.wav"), bytes)
        assert self.refusal(folder, "large.wav") == '"large.wav" has 513 KB; 512 KB can be played.'

    def test_what_is_in_a_file_counts_and_not_its_name(self, folder: Path) -> None:
        (folder / "note.wav").write_bytes(b"ID3 mp3")
        assert self.refusal(folder, "note.wav") == '"note.wav" is neither WMA nor WAV.'
        (folder / "empty.wav").write_bytes(b"")
        assert "neither" in self.refusal(folder, "empty.wav")

    def test_a_file_without_a_sound_cannot_be_played_and_one_that_was_cut_off_is_doubted(self, folder: Path) -> None:
        (folder / "a.wav").write_bytes(WAV[:44])
        assert self.refusal(folder, "a.wav") == '"a.wav" contains no sound.'
        assert [found.code for found in load_flow(folder / "music.yaml").findings if found.is_error] == [
            "audio-text"
        ] * 2
        (folder / "a.wav").write_bytes(WAV[:-1])
        found = load_flow(folder / "music.yaml").findings
        assert [one.message for one in found] == ['The audio file "a.wav" is incomplete.'] * 2
        assert not any(one.is_error for one in found)

    def test_a_refused_file_refuses_the_flow(self, folder: Path) -> None:
        (folder / "a.wav").write_bytes(b"text")
        loaded = load_flow(folder / "music.yaml")
        assert [found.code for found in loaded.findings] == ["audio-text", "audio-text"]
        assert loaded.flow is None

    def test_a_file_that_changes_between_check_and_collection_is_no_crash(self, folder: Path) -> None:
        loaded = load_flow(folder / "music.yaml")
        (folder / "a.wav").unlink()
        assert rebuild(loaded.bundle).served().hash == loaded.served().hash


def test_an_action_that_cannot_be_built_is_no_other_one(folder: Path) -> None:
    whole = bundle(folder)
    text = b"flow: x\ninitial: start\nstates: {start: {next: bye}, bye: {say: Goodbye., final: true}}"
    with pytest.raises(FlowError, match='the state "start" has no action that can be built'):
        rebuild(msgspec.structs.replace(whole, text=text))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (WMA, "wma"),
        (WAV, "wav"),
        (b"RIFF\0\0\0\0AVI LIST", None),
        (b"ID3\x04", "mp3"),
        (b"\xff\xfb\x90\x00", "mp3"),
        (b"\xff\xd8\xff", None),
        (b"\xff", None),
        (b"", None),
    ],
)
def test_audio_is_known_by_its_first_bytes(data: bytes, kind: str | None) -> None:
    assert sniff(data) == kind


class TestTimeZones:
    def test_all_named_zones_have_rules(self) -> None:
        names = zone_names()
        assert len(names) > 400
        assert all((zone_data(name) or b"").startswith(b"TZif") for name in names)

    @pytest.mark.parametrize(
        "name", ["", "Europe", "../zones", "zones", "Europe/Nowhere", "/etc/passwd", "a/b/c/d", "a\0b"]
    )
    def test_what_is_no_zone_has_none(self, name: str) -> None:
        assert zone_data(name) is None

    def test_rules_make_a_zone(self) -> None:
        zone = zone_of("Europe/Vienna", zone_data("Europe/Vienna") or b"")
        assert zone.key == "Europe/Vienna"

    def test_a_default_zone_that_there_is_not_is_the_operators_mistake(self) -> None:
        with pytest.raises(FlowError, match="Mars/Base"):
            load_text(
                b"flow: x\ninitial: a\nstates: {a: {say: Hello., final: true}}",
                file="x",
                folder=HERE,
                default_zone="Mars/Base",
            )

    def test_a_zone_of_the_flow_that_there_is_not_is_the_authors(self) -> None:
        assert codes("timeZone: Mars/Base\nstates:\n  start: {say: Hello., next: bye}\n") == ["value"]


def test_loaded_shows_warnings_beside_the_flow() -> None:
    loaded: LoadedFlow = load("flow: x\ninitial: a\nstates: {a: {say: 'It is {{ now }}.', final: true}}")
    assert [found.code for found in loaded.findings] == ["format"]
    assert loaded.served().name == "x"
