"""Calls looked up a portion at a time: for one page, bounded, or for a file, to the end."""

from collections.abc import AsyncGenerator, Sequence
from typing import Final

from msgspec import Struct

from ivr.call_search import CallSearch, FoundCall, WantedCalls

PAGE: Final = 50
"Calls on a page."
PORTION: Final = 2000
"Calls that are looked at with one question: some 20 ms of a thread, after which other questions have their turn."
LOOKED: Final = 100_000
"Calls that are looked at for one page: about a second. Where no page is full by then, the next one goes on."


class CallPage(Struct, frozen=True):
    """One page of calls."""

    calls: Sequence[FoundCall]
    "The newest first."
    older: int | None
    "Before which row the next page begins; None: there are no older calls."
    looked: int
    "At how many calls was looked, roughly where the page is full."


async def page_of(
    search: CallSearch, wanted: WantedCalls, before: int | None, *, page: int = PAGE, looked_at: int = LOOKED
) -> CallPage:
    """Find a page of calls, the newest first."""
    calls: list[FoundCall] = []
    looked, position = 0, before
    while len(calls) <= page and looked < looked_at:
        # One more than fits: it tells whether there is another page.
        found = await search.search(wanted, before=position, limit=page + 1 - len(calls), look=PORTION)
        calls += found.calls
        looked += found.looked
        position = found.next
        if position is None:
            break
    if len(calls) > page:
        return CallPage(calls[:page], calls[page - 1].row, looked)
    return CallPage(calls, position, looked)


async def all_of(search: CallSearch, wanted: WantedCalls) -> AsyncGenerator[Sequence[FoundCall], None]:
    """Find all calls, a portion at a time; between two portions nothing is held."""
    position: int | None = None
    while True:
        found = await search.search(wanted, before=position, limit=PORTION, look=PORTION)
        yield found.calls
        position = found.next
        if position is None:
            return
