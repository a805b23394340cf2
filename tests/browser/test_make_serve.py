"""`make serve` as a newcomer meets it: one command, the address it ends with, *Call*, and a flow that understands."""

from pathlib import Path
from urllib.parse import urlsplit

from tests.browser.person import ends, hears, needs_voice, person, says, stands_in
from tests.fakes.chromium import Browser
from tests.make_serve import make_serve


@needs_voice
async def test_make_serve_ends_with_the_phone_where_a_call_talks_to_a_shipped_flow(
    tmp_path: Path, browser: Browser
) -> None:
    voice = tmp_path / "voice.wav"
    voice.write_bytes(await says("there is no dial tone"))
    async with make_serve(tmp_path / "data") as printed:
        address = urlsplit(printed[-1].split()[2])
        assert address.path == "/phone"
        async with person(browser, f"http://{address.netloc}", "support", voice) as page:
            await page.click("#call")
            await stands_in(page, "main")
            await page.press("1")
            await page.until("document.querySelector('#status').innerText === 'recording'")
            await page.click("#microphone")
            await page.until("document.querySelector('#ear').innerText === 'hears you'")
            await page.until("document.querySelector('#ear').innerText !== 'hears you'")
            await page.click("[data-key='#']")
            await hears(page, "We heard: there is no dial tone.")
            await ends(page)
