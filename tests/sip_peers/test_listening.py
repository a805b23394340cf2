"""The measure of what is heard: the same in another codec and gain is alike, another text is not."""

from itertools import chain

from ivr.audio.g711 import A_LAW
from tests.sip_peers.listening import ALIKE, Levels, Listener, likeness, resampled
from tests.sip_peers.support_menu import RATE, SupportMenu

SAME = {"main", "main again"}
"Said twice."


async def test_a_prompt_is_like_itself_and_like_nothing_else() -> None:
    menu = await SupportMenu.spoken()
    prompts = {name: pieces[-1].speech() for name, pieces in menu.prompts.items()}
    sorry = [levels.speech() for levels in menu.sorry]
    for name, wanted in prompts.items():
        others = [levels for other, levels in prompts.items() if other != name and {name, other} != SAME]
        assert likeness([*[0.0] * 9, *wanted], wanted) > 0.99
        assert likeness([*chain.from_iterable([*others, *sorry])], wanted) < ALIKE


async def test_a_choice_that_was_understood_is_not_taken_for_one_that_was_not() -> None:
    # Only there somebody waits for the one or the other. Against everything, so short a sentence is not unlike enough.
    menu = await SupportMenu.spoken()
    chosen = menu.prompts["chosen"][0].speech()
    for levels in menu.sorry:
        assert likeness([*[0.0] * 9, *chosen], levels.speech()) < ALIKE


async def test_a_telephone_hears_it_through_its_codec() -> None:
    menu = await SupportMenu.spoken()
    narrow = A_LAW.linear(A_LAW.compressed(resampled(menu.issue, RATE, 8000)))
    listener = Listener(8000)
    listener.hear(bytes(4000) + narrow + bytes(4000))
    which, like = await listener.hears(menu.sorry[0], Levels.of(menu.issue, RATE))
    assert which == 1
    assert like > 0.9
