"""The measure of what is heard: the same in another codec and gain is alike, another text is not."""

from itertools import chain

from ivr.audio.g711 import A_LAW
from tests.sip_peers.listening import ALIKE, Levels, Listener, likeness, resampled
from tests.sip_peers.support_menu import RATE, SupportMenu


async def test_what_was_said_is_like_itself_and_like_nothing_else() -> None:
    menu = await SupportMenu.spoken()
    said = {name: levels.speech() for name, pieces in menu.prompts.items() for levels in pieces[-1:]}
    said |= {f"sorry {number}": levels.speech() for number, levels in enumerate(menu.sorry)}
    for name, wanted in said.items():
        others = [levels for other, levels in said.items() if not {name, other} <= {"main", "main again"}]
        assert likeness([*[0.0] * 9, *wanted], wanted) > 0.99
        assert likeness(list(chain.from_iterable(one for one in others if one is not wanted)), wanted) < ALIKE


async def test_a_telephone_hears_it_through_its_codec() -> None:
    menu = await SupportMenu.spoken()
    narrow = A_LAW.linear(A_LAW.compressed(resampled(menu.issue, RATE, 8000)))
    listener = Listener(8000)
    listener.hear(bytes(4000) + narrow + bytes(4000))
    which, like = await listener.hears(menu.sorry[0], Levels.of(menu.issue, RATE))
    assert which == 1
    assert like > 0.9
