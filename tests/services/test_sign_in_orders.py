"""The service `signIn`: orders of calls in the terms of whoever lets callers sign in, and their answers as events."""

from typing import Any

import pytest

from ivr.engine.commands import Argument, Request
from ivr.engine.events import SignInBegun, SignInChecked
from ivr.engine.sign_in_orders import SIGN_IN
from ivr.ports import CallKey
from ivr.services.caller_sign_in import SignInService
from ivr.services.pretended_sign_ins import CODE, TOKEN, PretendedSignIns
from ivr.services.service import ServiceError
from ivr.sign_in_ports import Begun, DirectoryUser, SignInCaller, SignInOrder, SignInRefused, SignInResult
from ivr.storage import Order

CALL = "c" * 32
BEGIN: dict[str, Argument] = {
    "do": "begin",
    "name": "calendar",
    "by": "link",
    "scopes": ("Calendars.Read",),
    "caller": "29:anna",
    "identity": "t-1/o-1",
    "language": "de-DE",
}


class Page:
    """The other side: takes down what it is asked, and says what it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.refuses: SignInRefused | None = None

    async def begin(self, call: str, order: SignInOrder, caller: SignInCaller) -> Begun:
        self.asked.append((call, order, caller))
        if self.refuses is not None:
            raise self.refuses
        return Begun("attempt", order.by, "ivr.example", "123456789", "https://ivr.example/s/1")

    async def check(self, call: str, attempt: str, code: str | None) -> SignInResult:
        self.asked.append((call, attempt, code))
        return "wrong"

    async def settled(self, call: str, attempt: str) -> SignInResult:
        self.asked.append((call, attempt))
        return "declined"

    async def close(self, call: str) -> None:
        self.asked.append((call,))

    async def bearer(self, call: str, name: str, *, address: str, refused: str | None = None) -> str | None:
        return None


def order(arguments: dict[str, Argument], **private: Argument) -> Order:
    request = Request("2.1", SIGN_IN, arguments, 20, sensitive=True, private=private)
    return Order(CALL, CallKey("chat", "", "call"), request, 1)


async def test_a_sign_in_begins_with_what_is_wanted_and_who_calls() -> None:
    page = Page()
    event = await SignInService(page).run(order(BEGIN))
    assert event == SignInBegun("2.1", "link", "attempt", "ivr.example", "123456789", "https://ivr.example/s/1")
    wanted = SignInOrder("2.1", "calendar", "link", ("Calendars.Read",), "de-DE")
    assert page.asked == [(CALL, wanted, SignInCaller("chat", "29:anna", DirectoryUser("t-1", "o-1")))]


@pytest.mark.parametrize("identity", [None, "", "t-1", "/o-1"])
async def test_a_caller_whom_no_directory_names_is_none_of_a_directory(identity: str | None) -> None:
    page = Page()
    await SignInService(page).run(order({**BEGIN, "identity": identity, "caller": None}))
    assert page.asked[0][2] == SignInCaller("chat", None, None)


async def test_codes_are_checked_and_callers_awaited() -> None:
    page = Page()
    service = SignInService(page)
    checked = await service.run(order({"do": "check"}, attempt="attempt", code="12345678"))
    assert checked == SignInChecked("2.1", "wrong")
    assert await service.run(order({"do": "check"}, attempt="attempt")) == SignInChecked("2.1", "wrong")
    assert await service.run(order({"do": "await"}, attempt="attempt")) == SignInChecked("2.1", "declined")
    assert page.asked == [(CALL, "attempt", "12345678"), (CALL, "attempt", None), (CALL, "attempt")]


async def test_who_cannot_sign_in_is_told_why() -> None:
    page = Page()
    page.refuses = SignInRefused("throttled", "too many")
    with pytest.raises(ServiceError) as caught:
        await SignInService(page).run(order(BEGIN))
    assert caught.value.code == "throttled"


async def test_a_pretended_sign_in_takes_one_code_and_five_tries() -> None:
    pretended = PretendedSignIns()
    service = SignInService(pretended)
    begun = await service.run(order({**BEGIN, "by": "code"}))
    assert isinstance(begun, SignInBegun)
    assert begun.by == "code"

    async def keyed(code: str) -> SignInResult:
        return await pretended.check(CALL, begun.attempt, code)

    assert [await keyed("11111111") for _ in range(5)] == ["wrong"] * 4 + ["burnt"]
    assert await pretended.bearer(CALL, "calendar", address="https://graph.example") is None
    assert await keyed(CODE) == "expired"
    await service.run(order({**BEGIN, "by": "code"}))
    assert await keyed(CODE) == "signedIn"
    assert await pretended.bearer(CALL, "calendar", address="https://graph.example") == TOKEN
    assert await pretended.bearer(CALL, "calendar", address="https://graph.example", refused=TOKEN) is None
    await pretended.close(CALL)
    assert await pretended.bearer(CALL, "calendar", address="https://graph.example") is None


async def test_a_pretended_device_needs_no_code() -> None:
    pretended = PretendedSignIns()
    begun = await pretended.begin(CALL, SignInOrder("1.1", "calendar", "device", ()), SignInCaller("test", None))
    assert (begun.by, bool(begun.code), begun.ticket) == ("device", True, "")
    assert await pretended.check(CALL, begun.attempt, None) == "signedIn"
