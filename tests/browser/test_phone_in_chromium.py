"""The phone as a person uses it: a real browser, a microphone that is a file, the flows that we ship."""

import asyncio
from pathlib import Path

import pytest

from ivr.call_record import CallRecord, Stepped
from ivr.cli.phone.call_scripts import run_script
from ivr.engine.events import CallEnded, ChoiceMade, RecordingMade
from ivr.phone.platform import Target
from tests.browser.person import ends, hears, needs_voice, person, says, stands_in, talk
from tests.console.visiting import Visit, tone, visiting
from tests.fakes.chromium import Browser
from tests.kept_recordings import kept_recordings
from tests.stored import stored_in
from tests.waiting import until


def only_call(visit: Visit) -> tuple[CallRecord, list[Stepped]]:
    """Read the server's own record of the call."""
    with stored_in(visit.data) as archive:
        (stored,) = archive.stored()
    assert stored.record is not None
    return stored.record, list(stored.trace)


async def test_the_shipped_menu_is_dialled_chosen_by_key_and_recorded(
    tmp_path: Path, browser: Browser, shipped: Visit
) -> None:
    hum = tmp_path / "hum.wav"
    hum.write_bytes(tone(2.0))
    async with person(browser, shipped.url, "support", hum) as page:
        await page.click("#microphone")
        await page.until("document.querySelector('#microphone').getAttribute('aria-pressed') === 'true'")
        await page.click("#call")
        await hears(page, "press 1 or say technical issues")
        await stands_in(page, "main")
        await page.click("[data-key='1']")
        await stands_in(page, "describe")
        await page.until("document.querySelector('#status').innerText === 'recording'")
        await page.until("document.querySelector('#ear').innerText === 'hears you'")
        await page.click("[data-key='#']")
        await hears(page, "spoke for")
        await ends(page)
        assert await page.run("[...document.querySelectorAll('.state.been')].map((box) => box.dataset.state)") == [
            "main",
            "describe",
            "thanks",
        ]
        said = await talk(page)
        assert "pressed 1" in said
        assert await page.run("window.secondsHeard > 0.2")  # the beep, at least
    record, trace = only_call(shipped)
    assert record.call.outcome == "resolved"
    events = [step.event for step in trace if step.ignored is None]
    assert any(isinstance(event, ChoiceMade) and event.choice == "issues" for event in events)
    (made,) = (event for event in events if isinstance(event, RecordingMade))
    assert made.media is not None
    assert len(kept_recordings(shipped.data)[made.media]) > 1000
    assert "We heard the radio is broken" in said or "the radio is broken" in said


@needs_voice
async def test_a_choice_is_made_by_voice(tmp_path: Path, browser: Browser, shipped: Visit) -> None:
    spoken = tmp_path / "products.wav"
    spoken.write_bytes(await says("products"))
    async with person(browser, shipped.url, "support", spoken) as page:
        await page.click("#call")
        await stands_in(page, "main")
        await page.until("document.querySelector('#offers button')")
        await page.click("#microphone")
        await hears(page, "said “")
        await page.until("!document.querySelector('.state.lit[data-state=main]')")
        assert await page.run("window.secondsHeard > 3")
        await page.click("#call")
        await ends(page)
    _, trace = only_call(shipped)
    chosen = [step.event for step in trace if isinstance(step.event, ChoiceMade)]
    assert (chosen[0].choice, chosen[0].by) == ("products", "speech")


async def test_a_whole_call_needs_nothing_but_the_keyboard(browser: Browser, visit: Visit) -> None:
    async with person(browser, visit.url, "desk") as page:
        await page.run("document.querySelector('#flow').focus()")
        await page.press("Tab")
        assert await page.run("document.activeElement.id") == "at"
        await page.press("Tab")
        assert await page.run("document.activeElement.id") == "call"
        await page.press("Enter")
        await stands_in(page, "main")
        await page.press("3")
        await hears(page, "Your PIN please.")
        for key in "8642":
            await page.press(key)
        await hears(page, "pressed 8642")
        assert await page.run("""[...document.querySelectorAll('#talk .caller .said')].map((said) =>
            [said.querySelector('.only-read').textContent, said.innerText.replace(/^You\\s*/, '')])""") == [
            ["You ", "pressed 3"],
            ["You ", "pressed 8642"],
        ]
        assert await page.run("document.querySelector('#talk .flow .only-read').textContent") == "The flow: "
        await ends(page)
        assert "Thank you." in await talk(page)


async def test_without_a_microphone_words_are_typed(browser: Browser, visit: Visit) -> None:
    async with person(browser, visit.url, "desk") as page:
        await page.click("#microphone")
        await page.until("document.querySelector('#ear').innerText.includes('Type instead')")
        await page.click("#call")
        await stands_in(page, "main")
        await page.click("#words")
        await page.write("message")
        await page.press("Enter")
        await hears(page, "said “message”")
        await stands_in(page, "report")
        await page.click("#call")
        await ends(page)


async def test_what_a_bot_says_is_text_whatever_it_says(browser: Browser, visit: Visit) -> None:
    evil = "<img src=x onerror=document.title='caught'><script>document.title='caught'</script>"
    flow = f'flow: evil\ninitial: main\nstates: {{main: {{say: "{evil}", final: true}}}}\n'
    (visit.flows / "evil.yaml").write_text(flow)
    await visit.sees("evil", "/phone")
    async with person(browser, visit.url, "evil") as page:
        await page.click("#call")
        await page.until("document.querySelectorAll('#talk .flow').length")
        assert evil in await talk(page)
        assert await page.run("document.title") == "Phone – ivr"
        assert await page.run("document.images.length") == 0
        await page.click("#call")
        await ends(page)


async def test_what_can_be_answered_is_offered_and_works(browser: Browser, visit: Visit) -> None:
    async with person(browser, visit.url, "desk") as page:
        await page.click("#call")
        await page.until("document.querySelectorAll('#offers button').length === 3")
        assert await page.texts("#offers button") == ["1 · message", "2 · secret", "3 · pin"]
        assert await page.run("[...document.querySelectorAll('.wanted')].map((key) => key.dataset.key)") == [
            "1",
            "2",
            "3",
        ]
        await page.click("#offers button")
        await stands_in(page, "report")
        await page.click("#call")
        await ends(page)


async def test_what_can_be_answered_is_offered_while_the_question_is_still_being_asked(
    browser: Browser, visit: Visit
) -> None:
    async with person(browser, visit.url, "desk") as page:
        await page.run("""{
            window.offered = [];
            new MutationObserver(() => {
                const asking = document.querySelector('#talk .said.now')?.lastChild.data;
                const chips = document.querySelectorAll('#offers button').length;
                if (asking && chips) window.offered.push([asking, chips]);
            }).observe(document.body, { childList: true, subtree: true, attributes: true });
        }""")
        await page.click("#call")
        await page.until("window.offered.length")
        assert await page.run("window.offered[0]") == ["Press 1 to leave a message.", 3]
        await page.click("#offers button")
        await stands_in(page, "report")
        await page.click("#call")
        await ends(page)


async def test_who_answers_by_keyboard_finds_the_next_answers_one_tab_away(browser: Browser, shipped: Visit) -> None:
    async with person(browser, shipped.url, "support") as page:
        await page.click("#call")
        await page.until("document.querySelectorAll('#offers button').length === 2")
        await page.run("document.querySelectorAll('#offers button')[1].focus()")
        await page.press("Enter")
        await page.until("document.querySelector('#offers button')?.innerText.includes('again')", patience=30)
        await page.press("Tab")
        assert "again" in await page.run("document.activeElement.innerText")
        await page.click("#call")
        await ends(page)


async def test_whoever_reads_what_was_said_is_not_moved_by_what_is_said_next(browser: Browser, visit: Visit) -> None:
    async with person(browser, visit.url, "desk") as page:
        await page.screen(390, 400)
        await page.click("#call")
        await stands_in(page, "main")
        for asked in (2, 3):
            await page.press("9")
            await page.until(f"document.querySelectorAll('#talk .flow').length === {asked}")
        bottom = "document.querySelector('#paper').scrollTop + document.querySelector('#paper').clientHeight"
        assert await page.run(f"{bottom} > document.querySelector('#paper').scrollHeight - 2")
        await page.run("document.querySelector('#paper').scrollTop = 0")
        await page.click("#call")
        await ends(page)
        assert await page.run("document.querySelector('#paper').scrollTop") == 0


async def test_the_keyboard_is_not_taken_from_whoever_uses_it_elsewhere_when_a_call_ends(
    browser: Browser, visit: Visit
) -> None:
    async with person(browser, visit.url, "desk") as page:
        await page.click("#call")
        await stands_in(page, "main")
        await page.run("document.querySelector('#picture').focus()")
        await page.run("document.querySelector('#call').click()")
        await ends(page)
        assert await page.run("document.activeElement.id") == "picture"


async def test_after_hanging_up_the_call_is_replayed_and_kept(browser: Browser, visit: Visit) -> None:
    async with person(browser, visit.url, "desk") as page:
        assert await page.run("document.querySelector('#keep').hidden")
        await page.click("#call")
        await stands_in(page, "main")
        await page.click("#call")
        await ends(page)
        await page.click("#replay")
        await page.until("document.querySelector('#kept').innerText.startsWith('Same:')")
        flow = visit.flows / "desk.yaml"
        flow.write_text(flow.read_text().replace("Press 1 to leave", "Please press 1 to leave"))
        await page.click("#replay")
        await page.until("document.querySelector('#kept').innerText.startsWith('Changed:')")
        assert "Please press 1" in await page.text("#kept.warm pre")
        assert await page.text("#name-rule") == "Lowercase letters, digits and hyphens, at most 60 characters."
        await page.run("document.querySelector('#name').value = ''")
        await page.click("#name")
        await page.write("Left, at Once")
        assert await page.run("document.querySelector('#name').value") == "left-at-once"
        await page.click("#keep .button")
        await page.until("document.querySelector('#kept').innerText.startsWith('Saved as')")
        assert (await page.text("#kept pre")).startswith("ivr replay --flow ")
        assert "left-at-once.jsonl" in await page.text("#kept.good")
        await page.click("#keep .button")
        await page.until("document.querySelector('#kept').innerText.includes('already exists; choose another name')")
        assert await page.run("document.querySelector('#kept').className") == "bad"
    assert (visit.cases / "desk" / "left-at-once.jsonl").is_file()
    _, trace = only_call(visit)
    assert isinstance(trace[-1].event, CallEnded) or isinstance(trace[-2].event, CallEnded)


async def test_a_broken_edit_is_shown_beside_the_call_to_the_version_before_it(browser: Browser, visit: Visit) -> None:
    flow = visit.flows / "desk.yaml"
    sound = flow.read_text()
    async with person(browser, visit.url, "desk") as page:
        await page.screen(340, 740)
        flow.write_text(sound.replace("next: heard", "next: herd # " + "x" * 200))
        await page.click("#call")
        await page.until("!document.querySelector('#outdated').hidden")
        assert await page.text("#outdated p") == ("The file has a mistake. You are calling the previous version.")
        assert 'Did you mean "heard"' in await page.text("#outdated pre")
        await page.click("#call")
        await ends(page)
        await page.click("#replay")
        await page.until("document.querySelector('#kept').innerText.startsWith('The call cannot be replayed')")
        for place in ("#outdated pre", "#kept pre"):  # a line of carets has to stay below what it marks
            heights = f"[...document.querySelectorAll('{place} .columns')].map((row) => row.getClientRects().length)"
            assert await page.run(heights) == [1, 1]
            assert await page.run(f"(({{scrollWidth, clientWidth}}) => scrollWidth > clientWidth)"
                                  f"(document.querySelector('{place}'))")  # fmt: skip
            assert "\n              ^^^^\n  No state is called" in await page.text(place)
        assert await page.run("document.documentElement.scrollWidth <= innerWidth")
        flow.write_text(sound)
        await visit.sees("herd", "/", gone=True)
        await page.click("#call")
        await stands_in(page, "main")
        await page.until("document.querySelector('#outdated').hidden")
        await page.click("#call")
        await ends(page)


async def test_after_hanging_up_the_call_is_kept_as_a_script_that_makes_it_again(
    tmp_path: Path, browser: Browser, visit: Visit
) -> None:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    async with person(browser, visit.url, "desk") as page:
        await page.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
        await page.click("#call")
        await stands_in(page, "main")
        await page.press("9")
        await hears(page, "That is no choice.")
        await page.press("3")
        await stands_in(page, "ask_pin")
        for key in "8642":
            await page.press(key)
        await ends(page)
        await page.click("#write")
        await page.until("document.querySelector('#kept').innerText.includes('ivr phone --script desk-')")
        await until(lambda: any(downloads.glob("desk-*.call.yaml")), within=downloads)
    (script,) = downloads.iterdir()
    played = await run_script(script, Target(f"{visit.url}/call"))
    assert played.failure is None, f"{script.read_text()}\n{played.failure}"
    assert [line for line in played.transcript if line.startswith("does")] == [
        'does   press: "9"',
        'does   press: "3"',
        'does   press: "8642"',
    ]


async def test_the_server_going_away_ends_the_call_on_the_page(tmp_path: Path, browser: Browser) -> None:
    (tmp_path / "server").mkdir()
    async with browser.page() as page:
        async with visiting(tmp_path / "server") as visit:
            await page.go(f"{visit.url}/phone")
            await page.click("#call")
            await stands_in(page, "main")
        await page.until("document.querySelector('#status').className === 'tag bad'")
        assert await page.text("#status") == "ended"
        assert await page.text("#talk li:last-child") == "the line to the server is gone"
        await page.click("#call")
        await page.until("document.querySelector('#status').innerText === 'The server does not answer.'")


async def test_a_bot_that_rejects_the_call_is_said_to_have_done_so(browser: Browser, visit: Visit) -> None:
    flow = "flow: closed\ninitial: main\nstates: {main: {reject: {}, final: true}}\n"
    (visit.flows / "closed.yaml").write_text(flow)
    await visit.sees("closed", "/phone")
    async with person(browser, visit.url, "closed") as page:
        await page.click("#call")
        await page.until("document.querySelector('#talk li:last-child').innerText === 'the flow rejected the call'")


@pytest.mark.parametrize("width", [340, 820])
async def test_the_phone_fits_every_screen(browser: Browser, visit: Visit, width: int) -> None:
    async with person(browser, visit.url, "desk") as page:
        await page.screen(width, 740)
        await page.click("#call")
        await stands_in(page, "main")
        assert await page.run("document.documentElement.scrollWidth <= innerWidth")
        sizes = await page.run("[...document.querySelectorAll('[data-key]')].map((key) => key.offsetHeight)")
        assert min(sizes) >= 44


async def test_everything_on_the_page_has_a_name_for_those_who_do_not_see_it(browser: Browser, visit: Visit) -> None:
    async with person(browser, visit.url, "desk") as page:
        await page.click("#call")
        await page.until("document.querySelector('#offers button')")
        nodes = (await page.send("Accessibility.getFullAXTree"))["nodes"]
        wanted = {"button", "textbox", "combobox", "image", "log", "region", "link"}
        named = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if "role" in node}
        assert {role for role, name in named if role in wanted and not name} == set()
        assert {("button", "Key pound"), ("log", "Conversation"), ("combobox", "Flow"), ("button", "Hang up")} <= named


async def test_two_people_can_call_at_the_same_time(browser: Browser, visit: Visit) -> None:
    async with person(browser, visit.url, "desk") as first, person(browser, visit.url, "desk") as second:
        await asyncio.gather(first.click("#call"), second.click("#call"))
        await asyncio.gather(stands_in(first, "main"), stands_in(second, "main"))
        await first.press("1")
        await stands_in(first, "report")
        await stands_in(second, "main")


async def test_the_one_button_calls_and_hangs_up_and_keeps_the_keyboard(browser: Browser, visit: Visit) -> None:
    async with person(browser, visit.url, "desk") as page:
        await page.run("(window.button = document.querySelector('#call')).focus()")
        for _ in range(2):
            assert await page.text("#call") == "Call"
            await page.press("Enter")
            await stands_in(page, "main")
            assert await page.text("#call") == "Hang up"
            assert await page.run("document.activeElement === window.button")
            await page.press("Enter")
            await ends(page)
            assert await page.run("document.activeElement === window.button")


async def test_who_calls_from_a_field_finds_the_keyboard_at_the_button(browser: Browser, visit: Visit) -> None:
    async with person(browser, visit.url, "desk") as page:
        await page.run("document.querySelector('#at').focus()")
        await page.press("Enter")
        await stands_in(page, "main")
        assert await page.run("document.activeElement.id") == "call"
        await page.press("3")  # which is a key of the phone now, not of a field
        await stands_in(page, "ask_pin")


async def test_a_double_click_does_not_hang_up(browser: Browser, visit: Visit) -> None:
    async with person(browser, visit.url, "desk") as page:
        where = await page.hold("#call")
        await page.release(where)
        await page.send("Input.dispatchMouseEvent", type="mousePressed", **where, button="left", clickCount=2)
        await page.send("Input.dispatchMouseEvent", type="mouseReleased", **where, button="left", clickCount=2)
        await stands_in(page, "main")
        assert await page.text("#call") == "Hang up"


async def test_the_columns_have_the_height_of_the_window(browser: Browser, visit: Visit) -> None:
    async with person(browser, visit.url, "desk") as page:
        for height in (800, 620):
            await page.screen(1280, height)
            sheets = await page.run("""[...document.querySelectorAll('.sheet')].map((sheet) =>
                [sheet.getBoundingClientRect().top, sheet.getBoundingClientRect().bottom])""")
            assert len({tuple(edges) for edges in sheets}) == 1
            assert height - 30 < sheets[0][1] <= height
            assert await page.run("document.documentElement.scrollHeight <= innerHeight")


async def test_on_a_pocket_the_button_is_in_sight_whatever_is_scrolled(browser: Browser, visit: Visit) -> None:
    async with person(browser, visit.url, "desk") as page:
        await page.screen(390, 844)
        for place in ("0", "document.body.scrollHeight"):
            await page.run(f"scrollTo(0, {place})")
            assert await page.run("""(() => {
                const { top, bottom, left, width } = document.querySelector('#call').getBoundingClientRect();
                const there = document.elementFromPoint(left + width / 2, (top + bottom) / 2);
                return top > 0 && bottom <= innerHeight && there.id === 'call';
            })()""")


async def test_what_the_flow_remembers_is_shown_and_what_is_sensitive_stays_sealed(
    browser: Browser, visit: Visit
) -> None:
    async with person(browser, visit.url, "desk") as page:
        await page.click("#call")
        await stands_in(page, "main")
        await page.press("3")
        await stands_in(page, "ask_pin")
        known = """Object.fromEntries([...document.querySelectorAll('#variables > div')].map((row) =>
            [row.querySelector('dt').innerText, row.querySelector('dd').innerText]))"""
        assert await page.run(known) == {"pin": "sealed", "whisper": "sealed", "problem": "–"}
        for key in "8642":
            await page.press(key)
        await ends(page)
        assert (await page.run(known))["pin"] == "sealed"
        await page.click("#call")
        await stands_in(page, "main")
        await page.press("1")
        await page.until("document.querySelector('#status').innerText === 'recording'")
        await page.click("#words")
        await page.write("the radio is broken")
        await page.press("Enter")
        await hears(page, "spoke for")
        await page.until("document.querySelector('#variables').innerText.includes('the radio is broken')")


async def test_a_call_leads_to_its_page_in_the_console(browser: Browser, visit: Visit) -> None:
    async with person(browser, visit.url, "desk") as page:
        assert await page.run("document.querySelector('#record').hidden")
        await page.click("#call")
        await stands_in(page, "main")
        await page.until("!document.querySelector('#record').hidden")
        assert await page.run("document.querySelector('#record').target") == "_blank"
        assert await page.run("[...document.querySelectorAll('.top a')].every((link) => link.target === '_blank')")
        address = await page.run("document.querySelector('#record').pathname")
        await page.click("#call")
        await ends(page)
    await visit.log_in()
    assert "29:browser" in await visit.see(address)


async def test_a_flow_can_be_chosen_by_the_address(browser: Browser, shipped: Visit) -> None:
    async with browser.page() as page:
        await page.go(f"{shipped.url}/phone?flow=survey")
        assert await page.run("document.querySelector('#flow').value") == "survey"
        await page.go(f"{shipped.url}/phone?flow=nobody")
        assert await page.run("document.querySelector('#flow').value") != "nobody"


async def test_an_answer_stays_under_the_finger_that_presses_it(browser: Browser, visit: Visit) -> None:
    async with person(browser, visit.url, "desk") as page:
        await page.click("#call")
        await page.until("document.querySelectorAll('#offers button').length === 3")
        where = await page.hold("#offers button")
        await page.run("window.chip = document.querySelector('#offers button')")
        await page.press("9")  # a wrong key: the question comes again, and its answers with it
        await hears(page, "That is no choice.")
        assert await page.run("window.chip.isConnected")
        await page.release(where)
        await stands_in(page, "report")


HOURS = """\
flow: hours
initial: door
on: {error: closed}
states:
  door: {decide: [{guard: "now >= '08:00' and now < '18:00'", target: open}, closed]}
  open: {say: We are open., final: true}
  closed: {say: We are closed., final: true}
"""


async def test_a_call_is_made_at_the_time_that_stands_beside_the_flow(browser: Browser, visit: Visit) -> None:
    (visit.flows / "hours.yaml").write_text(HOURS)
    await visit.sees("hours", "/phone")
    async with person(browser, visit.url, "hours") as page:
        for time, said in (("10:00", "We are open."), ("2026-12-24 23:30", "We are closed.")):
            await page.run("document.querySelector('#at').value = ''")
            await page.click("#at")
            await page.write(time)
            await page.press("Enter")
            await hears(page, said)
            await ends(page)
            assert f"for the flow it is {time}" in await talk(page)


async def test_a_time_that_is_none_is_told_where_it_stands(browser: Browser, visit: Visit) -> None:
    async with person(browser, visit.url, "desk") as page:
        await page.click("#at")
        await page.write("half past ten")
        await page.press("Enter")
        await hears(page, "is not a time")
        assert await page.text("#call") == "Call"
        assert await page.run("document.activeElement.id") == "at"
        assert await page.run("document.querySelector('#at').getAttribute('aria-invalid')") == "true"
        assert await page.run("document.querySelector('#keep').hidden")
