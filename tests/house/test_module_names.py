"""One name, one thing: a module's name says what it is, and no other module has it."""

from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "ivr"


def rooms() -> dict[str, list[str]]:
    """Return the folders that have a module of a name, by that name."""
    found = defaultdict(list)
    for file in sorted(PACKAGE.rglob("*.py")):
        found[file.stem].append(f"{file.relative_to(PACKAGE).parent}/")
    return found


def is_one_thing(folders: list[str]) -> bool:
    """Return whether modules of one name are one thing: a command and what it shows, a channel's part, two stages."""
    others = [folder for folder in folders if folder != "cli/" and not folder.startswith("channels/")]
    stages = [next((stage for stage in ("engine/", "flowfile/") if one.startswith(stage)), one) for one in others]
    return len(others) < 2 or sorted(stages) == ["engine/", "flowfile/"]


def test_no_name_of_a_module_is_used_twice() -> None:
    twice = {name: folders for name, folders in rooms().items() if not is_one_thing(folders)}
    del twice["__init__"]
    twice.pop("base", None)  # of the actions, each in its room
    assert twice == {}


def test_a_second_module_of_a_name_would_be_found() -> None:
    assert not is_one_thing(["phone/wire/", "server/"])
    assert not is_one_thing(["engine/", "engine/expressions/"])
    assert is_one_thing(["cli/", "trace/"])
    assert is_one_thing(["engine/actions/", "flowfile/actions/"])
