"""A registration lasts: over lost connections, registrars that restart, and until the end."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ivr.sip.addresses import MalformedAddress
from ivr.sip.outputs import Hop, Registered, RegistrationFailed
from ivr.useragent.registering import RegistrationOrder
from tests.useragent.parties import Party, party
from tests.useragent.registrar import GRANTED, Registrar, registrar
from tests.waiting import PATIENCE, Clock


def order(hop: Hop) -> RegistrationOrder:
    return RegistrationOrder("sip:200@pbx.example", "sip:pbx.example", hop)


class News:
    """What a user agent tells of its registration."""

    def __init__(self, of: Party, hop: Hop) -> None:
        self._all: asyncio.Queue[Registered | RegistrationFailed] = asyncio.Queue()
        of.agent.register(order(hop), self._all.put_nowait)

    async def next(self) -> Registered | RegistrationFailed:
        async with asyncio.timeout(PATIENCE):
            return await self._all.get()


@pytest.fixture
async def pbx() -> AsyncIterator[Registrar]:
    async with registrar() as made:
        yield made


async def test_a_registration_is_made_refreshed_and_taken_back(pbx: Registrar) -> None:
    with Clock.of_this_loop() as clock:
        async with party("tcp") as anna:
            news = News(anna, pbx.hop)
            first = await pbx.is_asked()
            assert first.uri == "sip:pbx.example"
            assert await news.next() == Registered(GRANTED)
            clock.turn(0.8 * GRANTED)
            again = await pbx.is_asked()
            assert again.headers.get("Call-ID") == first.headers.get("Call-ID")
            assert await news.next() == Registered(GRANTED)
        last = await pbx.is_asked()
        assert last.headers.get("Expires") == "0"
        assert await news.next() == Registered(0)


async def test_a_lost_connection_is_made_anew(pbx: Registrar) -> None:
    with Clock.of_this_loop() as clock:
        async with party("tcp") as anna:
            news = News(anna, pbx.hop)
            await pbx.is_asked()
            await news.next()
            await pbx.hangs_up()
            clock.turn(0.8 * GRANTED)
            assert await failed(news)
            await pbx.is_asked()  # at once, by another connection
            assert await news.next() == Registered(GRANTED)
            assert len(pbx.connections) == 2


async def test_a_registrar_that_is_not_there_is_looked_for_again() -> None:
    with Clock.of_this_loop() as clock:
        async with registrar() as gone:
            hop = gone.hop
        async with party() as anna:
            news = News(anna, hop)
            for pause in (30.0, 60.0):
                assert await failed(news) == pause
                clock.turn(pause)
            assert await failed(news) == 120.0
            async with registrar(hop.port) as back:
                clock.turn(120.0)
                await back.is_asked()
                assert await news.next() == Registered(GRANTED)
                anna.agent.unregister()
                assert await news.next() == Registered(0)


async def failed(news: News) -> float | None:
    """Return in how many seconds a registration is tried again that has failed."""
    found = await news.next()
    assert isinstance(found, RegistrationFailed)
    assert found.status == 503
    return found.retry_in


async def test_what_never_was_is_taken_back_without_a_word() -> None:
    async with party() as anna:
        News(anna, Hop("tcp", "nowhere.invalid", 5060))
        anna.agent.unregister()
        anna.agent.unregister()


async def test_what_is_no_address_is_told_at_once(pbx: Registrar) -> None:
    async with party() as anna:
        with pytest.raises(MalformedAddress):
            anna.agent.register(RegistrationOrder("200", "sip:pbx.example", pbx.hop), print)
