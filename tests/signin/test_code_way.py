"""By a code: the page shows it, the caller enters it, and it is good in one call, once, for a while, for five tries."""

import asyncio
import logging
import re

import pytest
from msgspec.structs import replace

from ivr.sign_in_ports import SignInCaller, SignInRefused
from ivr.signin.attempt_rules import CODE_LASTS, LINK_LASTS, WRONG_CODES
from ivr.signin.browser_side import Returned, TooManyTickets, WrongTicket
from tests.fakes.authority import EVE
from tests.signin.sign_in_world import CALLER, GRAPH, Browser, SignInWorld, wrong
from tests.store.store_examples import after


async def test_the_whole_way(world: SignInWorld) -> None:
    call = await world.call("a")
    begun = await world.begin(call)
    assert (begun.by, begun.page) == ("code", "ivr.example/s")
    assert re.fullmatch(r"\d{9}", begun.ticket)
    assert re.fullmatch(r"https://ivr\.example/s/[\w-]{43}", begun.link)
    assert await world.calls.check(call, begun.attempt, None) == "pending"
    code = await world.code(begun)
    assert re.fullmatch(r"\d{8}", code)
    assert await world.calls.bearer(call, "calendar", address=GRAPH) is None
    assert await world.calls.check(call, begun.attempt, f"{code[:4]} {code[4:]}") == "signedIn"
    assert await world.calls.bearer(call, "calendar", address=GRAPH) == "access-a-3"
    _, asked = world.authority.asked[-1]
    assert asked["scope"] == "openid profile offline_access https://graph.microsoft.com/Calendars.ReadWrite"


async def test_a_code_is_of_use_once(world: SignInWorld) -> None:
    call = await world.call("a")
    begun = await world.begin(call)
    code = await world.code(begun)
    assert await world.calls.check(call, begun.attempt, code) == "signedIn"
    second = await world.begin(call, name="mail")
    await world.code(second)
    assert await world.calls.check(call, second.attempt, code) == "wrong"


async def test_five_wrong_codes_burn_it_and_its_tokens(world: SignInWorld) -> None:
    call = await world.call("a")
    begun = await world.begin(call)
    code = await world.code(begun)
    tried = [await world.calls.check(call, begun.attempt, wrong(code)) for _ in range(WRONG_CODES)]
    assert tried == ["wrong"] * (WRONG_CODES - 1) + ["burnt"]
    assert await world.calls.check(call, begun.attempt, code) == "burnt"
    [kept] = await world.kept()
    assert kept.tokens is None


async def test_many_guesses_at_once_are_counted_one_by_one(world: SignInWorld) -> None:
    call = await world.call("a")
    begun = await world.begin(call)
    code = await world.code(begun)
    guesses = [world.calls.check(call, begun.attempt, wrong(code)) for _ in range(20)]
    results = await asyncio.gather(*guesses, world.calls.check(call, begun.attempt, code))
    assert results.count("wrong") == WRONG_CODES - 1
    assert results[-1] == "burnt"


async def test_the_code_of_another_call_fails(world: SignInWorld) -> None:
    mine, other = await world.call("a"), await world.call("b")
    first, second = await world.begin(mine), await world.begin(other)
    code, another = await world.code(first), await world.code(second)
    assert await world.calls.check(other, first.attempt, code) == "expired"
    assert await world.calls.check(other, second.attempt, code) == ("wrong" if code != another else "signedIn")
    assert await world.calls.check(mine, first.attempt, code) == "signedIn"


async def test_two_sign_ins_at_the_same_time_never_mix(world: SignInWorld) -> None:
    mine, hers = await world.call("a"), await world.call("b")
    first, second = await world.begin(mine), await world.begin(hers)
    eve, ada = Browser(world.authority), Browser(world.authority)
    to_first = await world.browsers.confirm(first.link[-43:], ada.cookie)
    to_second = await world.browsers.confirm(second.link[-43:], eve.cookie)
    world.authority.person = EVE
    back_second = await eve.goes(to_second or "")
    world.authority.person = world.authority.person.replace("e", "a")
    back_first = await ada.goes(to_first or "")
    results = await asyncio.gather(
        world.browsers.returned(back_second, eve.cookie), world.browsers.returned(back_first, ada.cookie)
    )
    assert results == [second.attempt, first.attempt]
    for call, begun, browser, who in ((mine, first, ada, "a"), (hers, second, eve, "e")):
        seen = await world.browsers.page(begun.attempt, browser.cookie)
        assert await world.calls.check(call, begun.attempt, seen.code) == "signedIn"
        assert (await world.calls.bearer(call, "calendar", address=GRAPH)).startswith(f"access-{who}-")


async def test_no_browser_sees_the_page_of_another(world: SignInWorld) -> None:
    begun = await world.begin(await world.call("a"))
    await world.code(begun)
    assert await world.browsers.page(begun.attempt, Browser(world.authority).cookie) is None
    assert await world.browsers.page(begun.attempt, "") is None
    assert await world.browsers.page("f" * 32, "") is None


async def test_a_page_that_is_loaded_again_shows_the_same_code_and_gets_no_longer_life(world: SignInWorld) -> None:
    call = await world.call("a")
    begun = await world.begin(call)
    browser = Browser(world.authority)
    await world.sign_in(begun.link, browser)
    first = await world.browsers.page(begun.attempt, browser.cookie)
    world.clock.now += CODE_LASTS - 1
    again = await world.browsers.page(begun.attempt, browser.cookie)
    assert again.code == first.code
    world.clock.now += 1
    assert (await world.browsers.page(begun.attempt, browser.cookie)).standing == "expired"
    assert await world.calls.check(call, begun.attempt, first.code) == "expired"


async def test_of_two_browsers_with_one_link_one_wins(world: SignInWorld) -> None:
    begun = await world.begin(await world.call("a"))
    link = begun.link[-43:]
    one, other = Browser(world.authority), Browser(world.authority)
    assert await world.browsers.look(link, "") is not None
    went = await asyncio.gather(*(world.browsers.confirm(link, who.cookie) for who in (one, other)))
    assert [address is None for address in went] == [False, True]
    assert await world.browsers.look(link, other.cookie) is None
    assert await world.browsers.confirm(link, "") is None


async def test_a_link_is_good_for_one_way_and_for_ten_minutes(world: SignInWorld) -> None:
    call = await world.call("a")
    begun = await world.begin(call)
    browser = Browser(world.authority)
    await world.sign_in(begun.link, browser)
    assert await world.browsers.confirm(begun.link[-43:], browser.cookie) is None
    later = await world.begin(call)
    world.clock.now += LINK_LASTS
    assert await world.browsers.look(later.link[-43:], "") is None
    assert await world.browsers.confirm(later.link[-43:], browser.cookie) is None
    assert await world.calls.check(call, later.attempt, None) == "expired"


async def test_a_button_that_is_pressed_twice_is_one_use_and_the_last_state_counts(world: SignInWorld) -> None:
    begun = await world.begin(await world.call("a"))
    browser = Browser(world.authority)
    first = await world.browsers.confirm(begun.link[-43:], browser.cookie)
    second = await world.browsers.confirm(begun.link[-43:], browser.cookie)
    late, good = await browser.goes(first or ""), await browser.goes(second or "")
    assert await world.browsers.returned(late, browser.cookie) is None
    assert await world.browsers.returned(good, browser.cookie) == begun.attempt


async def test_a_state_is_used_up_and_a_browser_that_was_not_sent_ends_it(world: SignInWorld) -> None:
    call = await world.call("a")
    begun = await world.begin(call)
    browser = Browser(world.authority)
    address = await world.browsers.confirm(begun.link[-43:], browser.cookie)
    returned = await browser.goes(address or "")
    assert await world.browsers.returned(returned, Browser(world.authority).cookie) is None
    assert await world.browsers.returned(returned, browser.cookie) is None
    assert await world.calls.check(call, begun.attempt, None) == "failed"
    assert [name for name, _ in world.authority.asked] == []


@pytest.mark.parametrize(
    ("changed", "result"),
    [
        ({"issuer": "https://evil.example/v2.0"}, "failed"),
        ({"code": "", "error": "access_denied"}, "declined"),
        ({"code": "", "error": "server_error"}, "failed"),
        ({"code": "0.guessed"}, "failed"),
    ],
)
async def test_what_a_browser_brings_back_is_not_believed(
    world: SignInWorld, changed: dict[str, str], result: str
) -> None:
    call = await world.call("a")
    begun = await world.begin(call)
    browser = Browser(world.authority)
    returned = await browser.goes(await world.browsers.confirm(begun.link[-43:], browser.cookie) or "")
    assert await world.browsers.returned(replace(returned, **changed), browser.cookie) == begun.attempt
    seen = await world.browsers.page(begun.attempt, browser.cookie)
    assert (seen.standing, seen.code) == (result, "")
    assert await world.calls.settled(call, begun.attempt) == result


async def test_a_provider_that_is_away_or_says_nothing_that_can_be_read_ends_it(world: SignInWorld) -> None:
    call = await world.call("a")
    begun = await world.begin(call)
    world.authority.status = 503
    assert await world.code(begun) == ""
    assert await world.calls.check(call, begun.attempt, None) == "failed"
    assert await world.browsers.returned(Returned("no state of ours", "code"), "") is None


async def test_a_ticket_leads_to_a_link_of_its_own_and_is_used_up_with_it(world: SignInWorld) -> None:
    begun = await world.begin(await world.call("a"))
    spaced = f"{begun.ticket[:3]}-{begun.ticket[3:6]} {begun.ticket[6:]}"
    first = await world.browsers.enter(spaced, "192.0.2.1")
    second = await world.browsers.enter(begun.ticket, "192.0.2.1")
    assert len({first, second, begun.link[-43:]}) == 3
    assert await world.browsers.look(first, "") is None
    browser = Browser(world.authority)
    assert await world.browsers.confirm(second, browser.cookie)
    assert await world.browsers.confirm(begun.link[-43:], Browser(world.authority).cookie) is None
    with pytest.raises(WrongTicket):
        await world.browsers.enter(begun.ticket, "192.0.2.1")


async def test_tickets_are_guessed_ten_times_from_one_address(world: SignInWorld) -> None:
    begun = await world.begin(await world.call("a"))
    for _ in range(10):
        with pytest.raises(WrongTicket):
            await world.browsers.enter("000000000" if begun.ticket != "000000000" else "1", "192.0.2.1")
    with pytest.raises(TooManyTickets):
        await world.browsers.enter(begun.ticket, "192.0.2.1")
    assert await world.browsers.enter(begun.ticket, "192.0.2.2")
    world.clock.now += 600
    with pytest.raises(WrongTicket):
        await world.browsers.enter(begun.ticket, "192.0.2.1")  # ten minutes old itself


async def test_tickets_are_guessed_three_hundred_times_in_all(
    world: SignInWorld, caplog: pytest.LogCaptureFixture
) -> None:
    begun = await world.begin(await world.call("a"))
    for number in range(300):
        with pytest.raises(WrongTicket):
            await world.browsers.enter("x", f"192.0.2.{number}")
    with pytest.raises(TooManyTickets):
        await world.browsers.enter(begun.ticket, "198.51.100.1")
    assert "many wrong sign-in tickets" in caplog.messages


async def test_a_caller_begins_ten_times_an_hour(world: SignInWorld) -> None:
    for number in range(10):
        await world.begin(await world.call(f"call-{number}"))
    with pytest.raises(SignInRefused) as refused:
        await world.begin(await world.call("one-more"))
    assert refused.value.code == "throttled"
    await world.begin(await world.call("other"), caller=SignInCaller("twilio", "+4315550199"))
    world.clock.now += 3600
    await world.begin(await world.call("later"))


async def test_callers_who_withhold_their_number_do_not_use_up_each_others_attempts(world: SignInWorld) -> None:
    withheld = SignInCaller("twilio", None)
    call = await world.call("a")
    for _ in range(10):
        await world.begin(call, caller=withheld)
    with pytest.raises(SignInRefused):
        await world.begin(call, caller=withheld)
    await world.begin(await world.call("b"), caller=withheld)


async def test_an_attempt_takes_the_place_of_the_last_one_of_its_name(world: SignInWorld) -> None:
    call = await world.call("a")
    first = await world.begin(call)
    code = await world.code(first)
    other = await world.begin(call, name="mail")
    second = await world.begin(call)
    assert await world.calls.check(call, first.attempt, code) == "expired"
    assert [one.attempt.id for one in await world.kept()] == [other.attempt, second.attempt]


async def test_the_end_of_the_call_burns_codes_and_erases_tokens(world: SignInWorld) -> None:
    call = await world.call("a")
    begun, signed_in = await world.begin(call), await world.begin(call, name="mail")
    code = await world.code(begun)
    await world.calls.check(call, signed_in.attempt, await world.code(signed_in))
    waiting = asyncio.create_task(world.calls.settled(call, begun.attempt))
    await asyncio.sleep(0)
    await world.calls.close(call)
    await world.calls.close(call)
    assert await waiting == "expired"
    assert await world.calls.check(call, begun.attempt, code) == "expired"
    assert await world.calls.bearer(call, "mail", address=GRAPH) is None
    assert await world.kept() == []


async def test_a_hang_up_while_a_browser_comes_back_leaves_no_token(world: SignInWorld) -> None:
    call = await world.call("a")
    begun = await world.begin(call)
    browser = Browser(world.authority)
    returned = await browser.goes(await world.browsers.confirm(begun.link[-43:], browser.cookie) or "")
    await asyncio.gather(world.browsers.returned(returned, browser.cookie), world.calls.close(call))
    assert await world.kept() == []
    assert await world.browsers.page(begun.attempt, browser.cookie) is None


async def test_calls_that_are_over_are_swept_and_so_is_what_came_to_nothing(world: SignInWorld) -> None:
    call = await world.call("a")
    await world.begin(call)
    await world.calls_store.commit(after(world.calls_store.calls[call].record, over=True))
    await world.attempts.sweep()
    assert await world.kept() == []
    other = await world.call("b")
    begun = await world.begin(other)
    code = await world.code(begun)
    world.clock.now += CODE_LASTS
    await world.attempts.sweep()
    [kept] = await world.kept()
    assert (kept.attempt.phase, kept.tokens) == ("expired", None)
    assert await world.calls.check(other, begun.attempt, code) == "expired"
    world.clock.now += 3600
    await world.attempts.sweep()
    assert await world.kept() == []


async def test_whoever_is_signed_in_stays_so_as_long_as_the_call_lasts(world: SignInWorld) -> None:
    call = await world.call("a")
    begun = await world.begin(call)
    await world.calls.check(call, begun.attempt, await world.code(begun))
    world.clock.now += 7200
    await world.attempts.sweep()
    assert (await world.calls.bearer(call, "calendar", address=GRAPH)).startswith("access-a-")


async def test_a_restart_in_the_middle_goes_on_or_ends_and_mixes_nothing(world: SignInWorld) -> None:
    call = await world.call("a")
    begun = await world.begin(call)
    await world.stop()
    await world.start()
    browser = Browser(world.authority)
    address = await world.browsers.confirm(begun.link[-43:], browser.cookie)
    await world.stop()
    await world.start()
    assert await world.browsers.returned(await browser.goes(address or ""), browser.cookie) == begun.attempt
    code = (await world.browsers.page(begun.attempt, browser.cookie)).code
    await world.calls.check(call, begun.attempt, wrong(code))
    await world.stop()
    await world.start()
    again = (await world.browsers.page(begun.attempt, browser.cookie)).code
    for _ in range(3):
        assert await world.calls.check(call, begun.attempt, wrong(again)) == "wrong"
    assert await world.calls.check(call, begun.attempt, again) == "signedIn"
    await world.stop()
    await world.start()
    assert (await world.calls.bearer(call, "calendar", address=GRAPH)).startswith("access-a-")


async def test_who_was_killed_while_it_fetched_tokens_has_none(world: SignInWorld) -> None:
    call = await world.call("a")
    begun = await world.begin(call)
    [kept] = await world.kept()
    await world.store.change(kept, replace(kept, attempt=replace(kept.attempt, phase="redeeming")))
    await world.stop()
    await world.start()
    assert await world.calls.settled(call, begun.attempt) == "failed"


async def test_nothing_secret_is_stored_as_it_is_or_logged(
    world: SignInWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "ivr")
    call = await world.call("a")
    begun = await world.begin(call)
    browser = Browser(world.authority)
    address = await world.browsers.confirm(begun.link[-43:], browser.cookie)
    returned = await browser.goes(address or "")
    await world.browsers.returned(returned, browser.cookie)
    code = (await world.browsers.page(begun.attempt, browser.cookie)).code
    stored = str(await world.kept())
    for secret in (begun.link[-43:], begun.ticket, browser.cookie, returned.state, code):
        assert secret not in stored
    await world.calls.check(call, begun.attempt, wrong(code))
    await world.calls.check(call, begun.attempt, code)
    token = await world.calls.bearer(call, "calendar", address=GRAPH)
    logged = " ".join(str(vars(one)) for one in caplog.records)
    assert "signed in" in logged
    for secret in (begun.link[-43:], begun.ticket, browser.cookie, returned.state, returned.code, code, token):
        assert secret not in logged


async def test_many_wrong_codes_are_told(world: SignInWorld, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(4):
        call = await world.call(f"call-{number}")
        begun = await world.begin(call)
        code = await world.code(begun)
        assert "many wrong sign-in codes" not in caplog.messages
        for _ in range(5):
            await world.calls.check(call, begun.attempt, wrong(code))
    assert "many wrong sign-in codes" in caplog.messages


async def test_a_code_that_is_entered_before_the_page_shows_one_is_no_try(world: SignInWorld) -> None:
    call = await world.call("a")
    begun = await world.begin(call)
    for _ in range(6):
        assert await world.calls.check(call, begun.attempt, "12345678") == "pending"
    assert await world.calls.check(call, begun.attempt, await world.code(begun)) == "signedIn"


async def test_only_numbers_have_last_digits(world: SignInWorld) -> None:
    parties = {"+4315550142": "42", "sip:4315550177@pbx": "77", "29:1iFtp99": "", None: "", "sip:desk@pbx": ""}
    for number, (party, digits) in enumerate(parties.items()):
        begun = await world.begin(await world.call(f"c{number}"), caller=replace(CALLER, party=party))
        assert (await world.browsers.look(begun.link[-43:], "")).caller == digits
