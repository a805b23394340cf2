"""`ivr new`: what it makes is sound, and nothing is written over."""

from pathlib import Path

from click.testing import CliRunner, Result

from ivr.cli import main
from ivr.cli.phone.call_scripts import run_script
from ivr.phone.platform import Target


def ivr(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


async def test_the_flow_is_sound_and_its_script_passes(tmp_path: Path) -> None:
    folder = tmp_path / "flows"
    made = ivr("new", "my-desk", "--folder", str(folder))
    assert made.exit_code == 0, made.output
    assert sorted(file.name for file in folder.iterdir()) == ["flow.schema.json", "my-desk.call.yaml", "my-desk.yaml"]
    assert (folder / "my-desk.yaml").read_text().startswith("# yaml-language-server: $schema=./flow.schema.json\n")
    assert ivr("check", "--strict", str(folder)).stdout == "1 flow checked: nothing found.\n"
    played = await run_script(folder / "my-desk.call.yaml", Target("http://127.0.0.1:1/call"))
    assert played.failure is None
    case = tmp_path / "recordings" / "cases" / "my-desk" / "hours.jsonl"
    replayed = ivr("replay", "--flow", str(folder / "my-desk.yaml"), str(case))
    assert replayed.exit_code == 0, replayed.output
    assert "same" in replayed.output
    (folder / "my-desk.yaml").write_text((folder / "my-desk.yaml").read_text().replace("nine to five", "ten to six"))
    assert ivr("replay", "--flow", str(folder / "my-desk.yaml"), str(case)).exit_code == 1


def test_beside_other_flows_the_case_lies_in_the_folder(tmp_path: Path) -> None:
    assert ivr("new", "desk", "--folder", str(tmp_path)).exit_code == 0
    assert (tmp_path / "recordings" / "cases" / "desk" / "hours.jsonl").is_file()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").write_text("mine")
    made = ivr("new", "desk", "--folder", str(tmp_path))
    assert made.exit_code == 1
    assert "already exists. Nothing was written." in made.output
    assert [file.name for file in tmp_path.iterdir()] == ["desk.yaml"]


def test_a_name_that_no_flow_can_have_is_refused(tmp_path: Path) -> None:
    made = ivr("new", "my desk", "--folder", str(tmp_path))
    assert made.exit_code == 2
    assert 'Did you mean "my-desk"?' in made.output
