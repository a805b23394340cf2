"""Somebody who calls from the page: opens it, chooses a flow, listens and speaks."""

import importlib.util
import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ivr.engine.commands import Text
from tests.fakes.chromium import Browser, Page

needs_voice = pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None, reason="nobody speaks here (pip install 'ivr[phone]')"
)


@asynccontextmanager
async def person(browser: Browser, server: str, flow: str, sound: Path | None = None) -> AsyncIterator[Page]:
    """Somebody who has opened the phone and chosen a flow; `sound` is what the microphone hears."""
    async with browser.page(microphone=sound) as page:
        await page.go(f"{server}/phone")
        await page.run(f"{{ const flow = document.querySelector('#flow'); flow.value = '{flow}'; "
                       "flow.dispatchEvent(new Event('change')); }")  # fmt: skip
        await page.until("document.querySelector('#picture svg')")
        yield page
        assert page.complaints == []


async def stands_in(page: Page, state: str) -> None:
    await page.until(f"document.querySelector('.state.lit')?.dataset.state === '{state}'")


async def hears(page: Page, words: str) -> None:
    await page.until(f"document.querySelector('#talk').innerText.includes('{words}')")


async def talk(page: Page) -> str:
    return " ".join(" ".join(await page.texts("#talk li")).split())


async def ends(page: Page) -> None:
    await page.until("document.querySelector('#where').innerText.startsWith('ended')")


async def says(words: str) -> bytes:
    """Return a WAV file of somebody who says something and then waits for an answer."""
    from ivr.audio.workers import Workers  # noqa: PLC0415  # only where there is a voice
    from ivr.media.prompt_renderer import Speaker  # noqa: PLC0415
    from ivr.speech.voices.espeak import EspeakVoice  # noqa: PLC0415

    async def nothing(url: str) -> bytes:
        raise AssertionError(url)

    workers = Workers()
    renderer = Speaker(EspeakVoice(), nothing, workers, plays=True)
    samples = b"".join([piece.samples async for piece in renderer.render([Text(words, "female", "en-US")])])
    await workers.close()
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 16000, 0, "NONE", ""))
        sound.writeframes(bytes(16000) + samples + bytes(64000))
    return file.getvalue()
