"""The way of a caller through the shipped support menu, whoever carries the voice: all of it, by key and by voice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ivr.audio.workers import Workers
from ivr.engine.commands import Gender, Text
from ivr.media.prompt_renderer import samples_of
from ivr.media.sound import BEEP
from ivr.speech.voices.espeak import EspeakVoice
from tests.sip_peers.listening import Levels

FLOWS = Path(__file__).parents[2] / "flows"
RATE = 16000
CHOICE = "technical issues"
ISSUE = "there is no dial tone"
PROMPTS = {
    "main": (
        "If you want to report technical issues, press 1 or say technical issues.",
        "If you want to ask about our products, press 2 or say products.",
    ),
    "again": ("To hear that again, press 1.",),  # is interrupted here
    "main again": ("If you want to report technical issues, press 1 or say technical issues.",),  # here, too
    "chosen": ("Please describe the issue after the beep.",),
    "describe": ("Press pound when you are done.",),
    "thanks": ("Thank you. A technician will call you.",),
    "heard": (f"We heard: {ISSUE}.",),
}
"What the flow says on that way, but for the file; by sentence, since a voice may pause between two, but not too short."
SORRY = ("That is not one of the choices.", "I did not hear you.", "I still cannot hear you.")
"What it says where it has not understood: on a busy machine the ear may be too slow."


class Caller(Protocol):
    """Somebody on the line."""

    async def hears(self, *wanted: Levels) -> tuple[int, float]:
        """Wait until one of these was said; return which, and how like it was."""

    async def says(self, samples: bytes) -> None:
        """Speak, and return when it was sent."""

    async def presses(self, keys: str) -> None:
        """Press keys, one after the other."""

    async def holds(self) -> None:
        """Put the line on hold, and take it back."""

    async def left_alone(self) -> None:
        """Wait until the other side has hung up."""


@dataclass(frozen=True)
class SupportMenu:
    """What is to be heard, and what the caller says."""

    prompts: Mapping[str, Sequence[Levels]]
    sorry: Sequence[Levels]
    choice: bytes
    "Samples, 16 kHz, of the words that are a choice."
    issue: bytes
    "The same of what is recorded."

    @classmethod
    async def spoken(cls) -> SupportMenu:
        """Render what the flow says, by the voice that it is to be said with."""
        workers = Workers()
        try:
            products = await samples_of(FLOWS / "products.wav", workers)
        finally:
            await workers.close()
        said = {name: [await voice(text, "male") for text in texts] for name, texts in PROMPTS.items()}
        said["describe"][-1] += BEEP.samples
        said["products"] = [products]
        return cls(
            {name: [Levels.of(samples, RATE) for samples in pieces] for name, pieces in said.items()},
            [Levels.of(await voice(text, "male"), RATE) for text in SORRY],
            await voice(CHOICE, "female"),
            await voice(ISSUE, "female"),
        )

    async def walk(self, caller: Caller, *, holds: bool = False) -> dict[str, float]:
        """Go through it; return how like each prompt was."""
        like = await self.half(caller, holds=holds)
        await caller.presses("*")  # in the middle of the prompt
        await self._hears("main again", caller, like)
        like["chosen"] = await self._speaks(caller)  # likewise
        await self._hears("describe", caller, like)
        await caller.says(self.issue)
        await caller.presses("#")
        await self._hears("thanks", caller, like)
        await self._hears("heard", caller, like)
        await caller.left_alone()
        return like

    async def half(self, caller: Caller, *, holds: bool = False) -> dict[str, float]:
        """Go as far as the products; return how like each prompt was."""
        like: dict[str, float] = {}
        await self._hears("main", caller, like)
        if holds:
            await caller.holds()
        await caller.presses("2")
        await self._hears("products", caller, like)
        await self._hears("again", caller, like)
        return like

    async def _hears(self, name: str, caller: Caller, like: dict[str, float]) -> None:
        for sentence in self.prompts[name]:
            _, found = await caller.hears(sentence)
            like[name] = min(found, like.get(name, 1.0))

    async def _speaks(self, caller: Caller) -> float:
        """Speak the choice, and again if it was not understood, as people do; return how like the answer was."""
        await caller.says(self.choice)
        answer, found = await caller.hears(*self.prompts["chosen"], *self.sorry)
        while answer:
            await caller.says(self.choice)
            answer, found = await caller.hears(*self.prompts["chosen"], *self.sorry)
        return found


async def voice(text: str, gender: Gender) -> bytes:
    """Return what a voice says, 16 kHz, 16 bit."""
    return b"".join([samples async for samples in EspeakVoice().speak(Text(text, gender, "en-US"))])
