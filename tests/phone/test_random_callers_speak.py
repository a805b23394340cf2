"""A random caller answers in words where words mean a value: often as asked, at times with something else."""

import asyncio
from random import Random

import pytest

from ivr.engine.commands import DigitInput, FreeSpeech, Recognize
from ivr.phone.callers.random_caller import SAID, RandomCaller
from ivr.phone.callers.turn_based import CallerAction, Press, Situation, Speak


def done(kind: FreeSpeech | None, seed: int) -> CallerAction | None:
    asked = Recognize("1", (), digits=DigitInput(1, 4, "#", 3.0), free=kind)
    return asyncio.run(RandomCaller(Random(seed)).act(Situation(False, asked)))


@pytest.mark.parametrize("kind", sorted(SAID))
def test_a_value_is_said_or_keyed(kind: FreeSpeech) -> None:
    actions = [done(kind, seed) for seed in range(60)]
    assert {action.words for action in actions if isinstance(action, Speak)} == set(SAID[kind])
    assert any(isinstance(action, Press) for action in actions)


def test_where_words_mean_nothing_keys_are_pressed() -> None:
    assert not any(isinstance(done(None, seed), Speak) for seed in range(60))
