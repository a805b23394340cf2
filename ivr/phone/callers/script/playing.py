"""Plays a call script: a person who expects what is written, does what is written, and says where it went otherwise."""

import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from difflib import SequenceMatcher
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from ivr.flowfile.finding import Finding
from ivr.media.sound import Sound
from ivr.phone.callers.script.steps import Do, Expect, PlayFile, Script, ScriptStep, Silent
from ivr.phone.callers.turn_based import CallerAction, Connect, Leave, PlaySamples, Situation, TurnBased
from ivr.phone.phone_events import Dialled, Done, Ended, PhoneEvent, PromptBegan, WorkflowRefused
from ivr.phone.platform import Platform

StateOf = Callable[[str], Awaitable[str | None]]
"Returns the state in which the bot's call of that id is; None: unknown."
NO_STATE = (
    'The state of the call is not known: the bot sends no "appState". '
    'For a flow on this machine, write "flow: <file>" at the top of the script.'
)
Samples = Callable[[Path], Awaitable[bytes]]
"Reads an audio file, as 16 kHz, mono, 16 bit; raises OSError or IvrError."


class HeardPrompt(Struct, frozen=True):
    """A prompt, as it was heard."""

    text: str
    state: str
    "The workflow's `appState`."


class ScriptCaller:
    """The person of a script (`ivr.phone.callers.turn_based.Person`)."""

    def __init__(self, script: Script, *, samples: Samples, state_of: StateOf | None = None) -> None:
        self.failure: str | None = None
        "Why the script failed, as text; None: it did not, so far."
        self.transcript: list[str] = []
        self._script = script
        self._samples = samples
        self._state_of = state_of
        self._left: list[ScriptStep] = list(script.steps)
        self._heard: list[HeardPrompt] = []
        "Since the last expectation that was met."
        self._call = ""
        self._state: str | None = None
        self._waits = False
        "The last caller action has to show its effect first."
        self._silent = False

    def tell(self, event: PhoneEvent) -> None:
        """Notice."""
        match event:
            case Dialled(call=call):
                self._call = call
            case PromptBegan(text=text, state=state):
                self._heard.append(HeardPrompt(text, state))
                self.transcript.append(f"hears  {text}")
            case Done():
                self._waits = self._silent = False
            case WorkflowRefused(problems=problems):
                self._heard.append(HeardPrompt(f"(the workflow was refused: {'; '.join(problems)})", ""))

    async def act(self, situation: Situation) -> CallerAction | None:
        """Meet expectations as far as possible, then do what is next if it is time."""
        ready = situation.listening is not None and not situation.prompt
        stuck = ready and not self._waits
        while self._left and isinstance(expected := self._left[0].act, Expect):
            if self._waits or not await self._meets(expected, ended=None):
                return await self._missed(self._left[0]) if stuck and self.failure is None else None
            self._left.pop(0)
        if not self._left:
            return Leave() if stuck else None
        step = self._left[0]
        answers = isinstance(step.act, Do) and isinstance(step.act.caller_action, Connect)
        if (situation.transfer is not None) != answers:
            return None
        if answers:
            self._left.pop(0)
            return await self._do(step)
        interrupts = isinstance(step.act, Do) and step.act.interrupts
        if self._silent or not (situation.prompt if interrupts else ready):
            return None
        self._left.pop(0)
        return await self._do(step)

    async def finish(self, ended: Ended) -> None:
        """Hold what is left of the script against the end of the call."""
        self.transcript.append(f"ends   {ended.reason}")
        while self._left and self.failure is None:
            step = self._left[0]
            if not isinstance(step.act, Expect) or not await self._meets(step.act, ended=ended):
                await self._missed(step, ended)
                return
            self._left.pop(0)

    # ---------------------------------------------------------------------------------------------------------------

    async def _do(self, step: ScriptStep) -> CallerAction | None:
        self.transcript.append(f"does   {step.text}")
        self._waits = True
        caller_action = step.act.caller_action if isinstance(step.act, Do) else None
        match caller_action:
            case Silent():
                self._silent = True
                return None
            case PlayFile(file=file):
                return PlaySamples(await self._samples(file))
        return caller_action

    async def _meets(self, expected: Expect, *, ended: Ended | None) -> bool:
        if expected.ends is not None and (ended is None or ended.reason != expected.ends):
            return False
        if expected.state is not None and not await self._stands(expected.state):
            return False
        if not expected.hears:
            return True
        for number, heard in enumerate(self._heard):
            if all(_matches(text, heard.text) for text in expected.hears):
                del self._heard[: number + 1]
                return True
        return False

    async def _stands(self, state: str) -> bool:
        self._state = await self._state_of(self._call) if self._state_of else None
        if self._state is None:  # many bots name their state in what the platform is to keep for them
            self._state = self._heard[-1].state if self._heard else None
        return self._state == state

    async def _missed(self, step: ScriptStep, ended: Ended | None = None) -> CallerAction:
        number = len(self._script.steps) - len(self._left) + 1
        lines = [f"Step {number} of {len(self._script.steps)} did not happen: {step.text}"]
        if isinstance(step.act, Expect):
            lines += self._instead(step.act)
        if ended is not None:
            lines.append(f"The call was over: {ended.reason}. {ended.detail}".rstrip())
        lines += ["The call so far:", *(f"  {line}" for line in self.transcript)]
        place = Finding("script", "error", str(self._script.file), step.line, step.column, step.length, lines[0])
        self.failure = "\n".join([f"{place.file}:{place.line}:{place.column}", *lines])
        return Leave()

    def _instead(self, expected: Expect) -> list[str]:
        lines = []
        if expected.state is not None and self._state != expected.state:
            lines.append(f'The call is in state "{self._state}".' if self._state else NO_STATE)
        if expected.hears:
            texts = [heard.text for heard in self._heard]
            lines.append("Heard: " + ("; ".join(f'"{text}"' for text in texts) or "nothing more") + ".")
            if near := _nearest(expected.hears[0], texts):
                lines.append(f'The nearest to "{expected.hears[0]}" is "{near}".')
        return lines


def _matches(wanted: str, heard: str) -> bool:
    said = _plain(heard)
    return _plain(wanted[1:]) in said if wanted.startswith("~") else _plain(wanted) == said


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text.casefold()).split())


def _nearest(wanted: str, texts: Sequence[str]) -> str | None:
    """Return the stretch of what was heard that is most like what was wanted."""
    words = wanted.lstrip("~").split()
    stretches = [
        " ".join(part)
        for text in texts
        for heard in [text.split()]
        for start in range(max(1, len(heard) - len(words) + 1))
        for part in [heard[start : start + len(words)]]
    ]
    return max(
        stretches,
        key=lambda stretch: SequenceMatcher(None, _plain(stretch), _plain(" ".join(words))).ratio(),
        default=None,
    )


class Played(Struct, frozen=True):
    """What became of a script."""

    failure: str | None
    "None: all went as written."
    transcript: tuple[str, ...]
    warning: str | None = None
    "Why it may go otherwise tomorrow, although nothing was changed."


async def play(
    script: Script,
    phone: Platform,
    sound: Sound,
    *,
    samples: Samples,
    state_of: StateOf | None = None,
    bot: str | None = None,
) -> Played:
    """Make the call of a script; `bot` is another address than the phone's target."""
    caller = ScriptCaller(script, samples=samples, state_of=state_of)
    who = replace(script.who, bot=f"28:{phone.target.app_id}")
    ours = script.flow is not None
    ended = await phone.place(TurnBased(caller, sound), who=who, bot=bot, tries_out=ours)
    await caller.finish(ended)
    return Played(caller.failure, tuple(caller.transcript))
