"""`make serve SPEECH=local`: a sentence that nobody listed comes back as its words, by browser, telephone and curl.

One call by each to the flow `voicemail`, which has no phrases for messages. Real models, real sound.
"""

import asyncio
import json
import re
import shutil
import wave
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from ivr.audio.workers import Workers
from ivr.engine.events import ChoiceMade
from ivr.media.prompt_renderer import samples_of
from ivr.media.sound import BEEP, silence
from tests.browser.person import ends, hears, person
from tests.cli.stored_calls import ivr
from tests.fakes.chromium import Browser
from tests.free_ports import free_port
from tests.gateway.telephone import Caller, telephone
from tests.house.pages import ROOT, fences, section
from tests.local_speech import needs_hibari, needs_whisper
from tests.make_serve import make_serve
from tests.stored import stored_in

RECORDINGS = Path(__file__).parent / "recordings"
MESSAGE = "tell the driver that the parcel is still in the garden"
README = (ROOT / "README.md").read_text("utf-8")
UNDERSTOOD = f"we understood: please {MESSAGE}"
"In small letters: whether the model writes capitals and stops depends on how a processor rounds."

pytestmark = [
    needs_whisper,
    needs_hibari,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]


async def spoken(name: str) -> bytes:
    """Return what a caller says, 16 kHz."""
    workers = Workers(size=1)
    samples = await samples_of(RECORDINGS / name, workers)
    await workers.close()
    return samples


async def by_browser(browser: Browser, folder: Path, url: str, message: bytes) -> None:
    """Leave a message, and keep it by key."""
    sound = folder / "message.wav"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(silence(0.5) + message + silence(3.0))
    async with person(browser, url, "voicemail", sound) as page:
        await page.click("#call")
        await page.until("document.querySelector('#status').innerText === 'recording'")
        await page.click("#microphone")
        await page.until("document.querySelector('#ear').innerText === 'hears you'")
        await page.until("document.querySelector('#ear').innerText !== 'hears you'")
        await page.click("[data-key='#']")
        said = f"document.querySelector('#talk').innerText.toLowerCase().includes('{UNDERSTOOD}')"
        await page.until(said, patience=60)  # Whisper has what other tests leave of the machine
        await page.click("#microphone")
        await page.click("[data-key='1']")
        await hears(page, "Your message has been kept.")
        await ends(page)


async def by_telephone(address: str, message: bytes, keep: bytes) -> None:
    """Leave a message, and keep it by a sentence that no choice lists."""
    async with telephone() as phone:
        caller = await phone.dial(address, "voicemail")
        await caller.answered()
        await caller.hears(BEEP.samples)
        caller.speak(message)
        await caller.until(lambda: caller.leg.queued == 0, "all was said")
        caller.press("#")
        assert await says_until_it_ends(caller, keep) == "remote"


async def says_until_it_ends(caller: Caller, sentence: bytes) -> str:
    """Return who has hung up; until then a sentence is said again and again, as by somebody who gets no answer."""
    for _ in range(5):
        caller.speak(silence(1.0) + sentence)
        with suppress(TimeoutError):
            async with asyncio.timeout(12):
                return (await caller.leg.ended()).by
    raise AssertionError("the call goes on")


async def by_curl(url: str) -> None:
    """Paste the call of the README, and what comes after it where the machine is busy."""
    _, left, played = fences(section(README, "## Speech on this machine"), "sh")
    *_, printed = await pasted(f"{left}\nprintf '\\0%s' $CALL", url)
    reply, _, call = printed.partition("\0")
    while waiting := re.search(r'"operationId":"([\d.]+)","prompts":\[\{"value":"One moment please\."', reply):
        again = played.replace('"3.1"', f'"{waiting[1]}"')
        (reply,) = await pasted(f"JSON='Content-Type: application/json' CALL={call}\n{again}", url)
    assert UNDERSTOOD in reply.lower()


async def pasted(script: str, url: str) -> list[str]:
    """Run a script in a shell in the project's folder, and return the lines that it prints."""
    script = f"URL={url}\n" + script.replace("URL=http://127.0.0.1:8080 ", "")
    shell = await asyncio.create_subprocess_exec(
        *("bash", "-euc", script), cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    printed, complained = await shell.communicate()
    assert shell.returncode == 0, complained.decode()
    return printed.decode().splitlines()


async def in_the_console(address: str) -> list[str]:
    """Return the page of each call; the address is as it is printed, with the token."""
    login, _, token = address.partition("#")
    url = login.removesuffix("/console/login")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        async with client.post(login, data={"token": token}) as answer:
            calls = re.findall(r'href="(/console/calls/[0-9a-f]{32})"', await answer.text())
        pages = []
        for call in calls:
            async with client.get(url + call) as answer:
                pages.append(await answer.text())
    return pages


async def test_a_sentence_that_nobody_listed_comes_back_as_its_words_by_browser_telephone_and_curl(
    tmp_path: Path, browser: Browser
) -> None:
    data, port = tmp_path / "data", free_port()
    message, keep = await spoken("parcel-in-the-garden.wma"), await spoken("keep-it-like-that.wma")
    chosen = ("SPEECH=local", f"SIP_PORT={port}")
    async with make_serve(data, *chosen, until="By telephone:") as printed:
        said = dict(line.strip().split(":", 1) for line in printed if ":" in line)
        assert [line for line in printed if "Whisper" in line and "hibari" in line]
        console = said["The console"].split()[0]
        url = f"http://{urlsplit(console).netloc}"
        # One after the other: on a machine that is busy with other tests, each message shall be understood in time.
        await by_curl(url)
        await by_telephone(f"udp://127.0.0.1:{port}", message, keep)
        await by_browser(browser, tmp_path, url, message)
        pages = await in_the_console(console)
        assert [MESSAGE in page for page in pages] == [True, True, True]
    calls = json.loads((await asyncio.to_thread(ivr, "calls", "--json", "--data", data)).stdout)
    shown = [(await asyncio.to_thread(ivr, "calls", "show", call["id"], "--data", data)).stdout for call in calls]
    assert [MESSAGE in text for text in shown] == [True, True, True]
    assert sorted(chosen_in(data)) == [("keep", "keys"), ("keep", "speech")]
    assert list((data / "voices").iterdir())


def chosen_in(data: Path) -> list[tuple[str, str]]:
    """Return what was chosen in all calls, and how."""
    with stored_in(data) as archive:
        traces = [one.trace for one in archive.stored()]
    return [
        (step.event.choice, step.event.by) for trace in traces for step in trace if isinstance(step.event, ChoiceMade)
    ]
