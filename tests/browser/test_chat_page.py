"""The chat of development as a person uses it, in a real browser: by mouse and by key, after a reload, on a pocket."""

import json
import re
from pathlib import Path

import pytest

from ivr.trace.recorded import case_of
from ivr.trace.replay import replay
from tests.console.visiting import Visit
from tests.fakes.chromium import Page
from tests.flows import flow_at
from tests.shipped_lines import FLOWS
from tests.stored import stored_in

QUESTION = "If you want to report technical issues, press 1 or say technical issues."


async def reads(page: Page, words: str) -> None:
    await page.until(f"document.querySelector('#talk').innerText.includes({json.dumps(words)})")


async def talk(page: Page) -> list[str]:
    """Return what stands in the conversation, line by line, with who says it."""
    return [" ".join(one.split()) for one in await page.texts("#talk > li")]


async def focused(page: Page) -> str:
    return str(await page.run("document.activeElement.textContent || document.activeElement.id"))


async def test_a_whole_conversation_with_the_support_flow_by_a_button_and_by_writing(
    shipped: Visit, page: Page
) -> None:
    await page.go(f"{shipped.url}/chat?flow=support")
    await reads(page, QUESTION)
    assert await page.texts("#talk .answer") == ["Technical issues", "Products"]
    await page.click("#talk .answer")
    await reads(page, "Please describe the issue")
    assert await page.run("[...document.querySelectorAll('#talk .answer')].every((one) => one.disabled)")
    assert await page.run("document.activeElement.id") == "words"
    await page.write("My <b>light</b> is *off* & [x](javascript:alert(1))")
    await page.press("Enter")
    await reads(page, "We heard: My <b>light</b> is *off* & [x](javascript:alert(1))")
    assert await page.run("document.querySelectorAll('#talk :is(b, em, a, script)').length") == 0
    assert (await talk(page))[1:3] == [
        "You: 1",
        "They: Please describe the issue after the beep. Press pound when you are done.",
    ]
    with stored_in(shipped.data) as archive:
        (stored,) = archive.stored()
    assert (stored.record.key.channel, stored.record.call.outcome) == ("page", "resolved")
    flow = flow_at(FLOWS / "support.yaml")
    assert replay(case_of(stored.record, stored.trace, flow, {}), flow).verdict == "same"


async def test_it_needs_nothing_but_the_keyboard(shipped: Visit, page: Page) -> None:
    await page.go(f"{shipped.url}/chat?flow=support")
    await reads(page, QUESTION)
    await page.run("document.querySelector('#flow').focus()")
    seen = []
    for _ in range(5):
        await page.press("Tab")
        seen.append(await focused(page))
    assert [re.sub(r"\s+", " ", one)[:20] for one in seen[1:]] == ["Technical issues", "Products", "words", "Send"]
    await page.run("document.querySelectorAll('#talk .answer')[1].focus()")
    await page.press("Enter")
    await reads(page, "You:")
    assert await page.run("document.activeElement.id") == "words"
    await page.write("first line")
    await page.send(
        "Input.dispatchKeyEvent", type="keyDown", key="Enter", windowsVirtualKeyCode=13, modifiers=8, text="\r"
    )
    assert await page.run("document.querySelector('#words').value.includes('\\n')")


async def test_whoever_hears_the_page_is_told_of_all_of_it(shipped: Visit, page: Page) -> None:
    await page.go(f"{shipped.url}/chat?flow=support")
    await reads(page, QUESTION)
    nodes = (await page.send("Accessibility.getFullAXTree"))["nodes"]
    named = {
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if "role" in node and not node.get("ignored")
    }
    assert {
        ("log", "Conversation"),
        ("textbox", "Your message"),
        ("button", "Send"),
        ("button", "Begin anew"),
        ("button", "Technical issues"),
        ("combobox", "Flow"),
    } <= named
    assert not [one for one in named if one[0] in {"button", "textbox", "link", "combobox"} and not one[1]]
    assert await page.run("document.querySelector('[role=log]').getAttribute('aria-live')") == "polite"
    assert await page.run("document.querySelector('#state').getAttribute('role')") == "status"


async def test_a_page_that_is_loaded_again_goes_on_and_one_that_begins_anew_does_not(
    shipped: Visit, page: Page
) -> None:
    await page.go(f"{shipped.url}/chat?flow=support")
    await reads(page, QUESTION)
    await page.click("#talk .answer")
    await reads(page, "Please describe")
    before = await talk(page)
    await page.go(f"{shipped.url}/chat?flow=support")
    await reads(page, "Please describe")
    assert await talk(page) == before
    assert await page.run("[...document.querySelectorAll('#talk .answer')].every((one) => one.disabled)")
    await page.click("#words")
    await page.write("It blinks")
    await page.press("Enter")
    await reads(page, "We heard: It blinks")
    await page.click("#anew")
    await page.until("document.querySelectorAll('#talk > li').length === 1")
    await reads(page, QUESTION)
    with stored_in(shipped.data) as archive:
        assert len(list(archive.stored())) == 2


@pytest.mark.parametrize("dark", [False, True])
async def test_on_the_narrowest_screen_nothing_is_cut_off(
    shipped: Visit, page: Page, tmp_path: Path, dark: bool
) -> None:
    await page.screen(320, 568, dark=dark)
    await page.go(f"{shipped.url}/chat?flow=support")
    await reads(page, QUESTION)
    await page.click("#talk .answer")
    await reads(page, "Please describe")
    assert await page.run("document.documentElement.scrollWidth <= innerWidth")
    assert await page.run("document.querySelector('#write').getBoundingClientRect().bottom <= innerHeight + 0.5")
    assert await page.run(
        "[...document.querySelectorAll('#talk *')].filter((one) => !one.closest('.only-read') && "
        "one.getBoundingClientRect().right > innerWidth + 0.5).map((one) => one.outerHTML)"
    ) == []  # fmt: skip
