"""An action of the language is two files of one name and one entry of a table: none can be forgotten."""

from keyword import iskeyword
from pathlib import Path
from re import sub
from types import ModuleType

import pytest

from ivr.engine import actions as engine_actions
from ivr.engine.actions.say import Say
from ivr.flowfile import actions as flowfile_actions
from ivr.flowfile.actions import ACTIONS, ActionKeys, table, word_of
from ivr.flowfile.actions.answer import AnswerSpec
from ivr.flowfile.actions.base import Nothing
from ivr.flowfile.actions.decide import DecideSpec
from ivr.flowfile.actions.say import SaySpec


def files_of(package: ModuleType) -> set[str]:
    (folder,) = package.__path__
    return {path.stem for path in Path(folder).glob("*.py")} - {"__init__", "base", "asking"}  # what they share


def file_of(word: str) -> str:
    """Return how the files of an action are called: as its word, in Python's spelling."""
    return f"{word}_" if iskeyword(word) else sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", word)


def test_the_two_folders_mirror_each_other_and_the_table_holds_all() -> None:
    assert files_of(engine_actions) == files_of(flowfile_actions) == set(map(file_of, ACTIONS))


def test_a_key_without_an_entry_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^answer: an action needs one key and one entry$"):
        table(SaySpec, keys=["say", "answer"])


def test_an_entry_without_a_key_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^decide: an action needs one key and one entry$"):
        table(SaySpec, DecideSpec, keys=["say"])


def test_an_action_that_is_entered_twice_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^say: an action needs one key and one entry$"):
        table(SaySpec, SaySpec, keys=["say"])


def test_an_action_whose_engine_half_is_missing_is_refused() -> None:
    class Whisper(AnswerSpec):
        word = "whisper"
        runs = Say  # type: ignore[assignment]

    with pytest.raises(TypeError, match=r"^whisper: an action is a file of its name in engine/actions and in"):
        table(Whisper, keys=["whisper"])


def test_a_state_knows_its_actions_as_they_are_written() -> None:
    state = ActionKeys.model_validate({"answer": {}})
    (answer,) = state.actions
    assert (answer.word, answer.written) == ("answer", Nothing())
    assert ActionKeys.model_validate({}).actions == ()


def test_what_runs_in_a_call_has_the_word_that_authors_write() -> None:
    assert word_of(AnswerSpec.runs()) == "answer"
