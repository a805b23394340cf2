"""Call scripts for a caller who only hears sound: it acts when a prompt is over, and cannot tell what it said.

A prompt is over once it has been quiet for a while: prompts pause between sentences. Where none begins soon after an
action, the other side may still listen, as to the words before the key that ends a recording: then the next action is
due.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from ivr.errors import IvrError
from ivr.flowfile.finding import Finding, as_text
from ivr.media.prompt_renderer import samples_of
from ivr.phone.callers.script.parsing import ScriptError
from ivr.phone.callers.script.steps import Do, Expect, PlayFile, Script, ScriptStep, Silent
from ivr.phone.callers.turn_based import CallerAction, Fail, Hold, Leave, Press, Speak, Wait
from ivr.softphone.call_news import CallNews, NotReached, Over, SoundBegan, SoundOver
from ivr.softphone.softphone import LANGUAGE, NO_VOICE, Softphone, can_speak
from ivr.softphone.softphone_call import SoftphoneCall
from ivr.useragent.call_leg import NotAnswered
from ivr.useragent.transports import Unreachable

PROMPT_OVER = 1.0
"Seconds of quiet after which a prompt is over."
NO_PROMPT = 30.0
"Seconds after which a script fails that waits for the first prompt, or for the end."
STILL_LISTENING = 2.5
"Seconds after an action in which the next prompt begins, or none does."
LONGEST_PROMPT = 600.0
"Seconds."
KEY_HELD = 8.0
"Seconds of a key that is never released: as long as one event can be (RFC 4733)."
ENDINGS = ("hangup", "reject", "left", "unreachable")
"What a call can end with here: the other side hung up, it was not answered, we hung up, the line failed."


class SoundPlayed(Struct, frozen=True):
    """What became of a script."""

    failure: str | None
    "None: all went as written."
    transcript: tuple[str, ...]


def check_script(script: Script) -> None:
    """Raise ScriptError for everything that cannot be done or expected where only sound is heard."""
    findings = [*_head_findings(script), *(found for step in script.steps for found in _step_findings(script, step))]
    if findings:
        raise ScriptError(as_text(findings))


def _head_findings(script: Script) -> Iterator[Finding]:
    if script.bot or script.flow:
        named = "bot" if script.bot else "flow"
        yield _head(script, f'"{named}" has no effect here: --sip says who is called.')
    if script.who.at:
        yield _head(script, '"at" has no effect here: what time it is cannot be said over a telephone line.')


def _step_findings(script: Script, step: ScriptStep) -> Iterator[Finding]:
    message = ""
    match step.act:
        case Expect(hears=hears, state=state) if hears or state:
            what = "what a prompt says" if hears else "a state"
            message = f"Over a telephone line only sound is heard: {what} cannot be expected."
        case Expect(ends=ends) if ends not in ENDINGS:
            message = f'A call over SIP does not end with "{ends}", but with one of {", ".join(ENDINGS)}.'
        case Do(caller_action=Fail()):
            message = '"fail" is not possible here: a telephone cannot let the line fail.'
        case Do(caller_action=Speak()) if not can_speak():
            message = NO_VOICE
    if message:
        yield Finding("script", "error", str(script.file), step.line, step.column, step.length, message)


def _head(script: Script, message: str) -> Finding:
    return Finding("script", "error", str(script.file), 1, 1, 0, message)


async def play_by_sound(script: Script, phone: Softphone, tell: Callable[[CallNews], None]) -> SoundPlayed:
    """Make the call of a script that `check_script` has passed."""
    return await _ScriptPlayer(script, phone, tell).play()


class _Failed(Exception):
    """The script did not go as written; the text says why."""


class _ScriptPlayer:
    def __init__(self, script: Script, phone: Softphone, tell: Callable[[CallNews], None]) -> None:
        self._script = script
        self._phone = phone
        self._tell_others = tell
        self._transcript: list[str] = []
        self._ended: str | None = None
        "Why the call is over, as scripts say it."
        self._prompted = False
        "Something was heard since the last action."
        self._acted = False

    async def play(self) -> SoundPlayed:
        failure = None
        step: ScriptStep | None = None
        try:
            call = await self._dial()
            try:
                for step in self._script.steps:
                    await self._take(step, call)
            finally:
                if call is not None:
                    call.hang_up()
                    await call.leg.ended()
        except _Failed as error:
            failure = self._failure(str(error), step)
        except (IvrError, OSError) as error:
            failure = self._failure(str(error), step)
        return SoundPlayed(failure, tuple(self._transcript))

    async def _dial(self) -> SoftphoneCall | None:
        try:
            return await self._phone.dial(self._tell)
        except NotAnswered:
            self._ended = "reject"
        except Unreachable:
            self._ended = "unreachable"
        return None

    async def _take(self, step: ScriptStep, call: SoftphoneCall | None) -> None:
        act = step.act
        if isinstance(act, Expect):
            await self._expect_end(act, call)
        elif call is None or not await self._is_time(act, call):
            raise _Failed(f"The call was over: {self._ended}." if self._ended else self._missing(act))
        else:
            self._transcript.append(f"does   {step.text}")
            self._prompted, self._acted = False, True
            await self._do(act.caller_action, call)

    async def _is_time(self, act: Do, call: SoftphoneCall) -> bool:
        """Wait until a prompt is over, or is heard, for one who interrupts; False: it never is."""
        most = STILL_LISTENING if self._acted and not act.interrupts else NO_PROMPT
        began = self._prompted or await call.until(lambda _: self._prompted, most)
        if act.interrupts or call.over:
            return began
        if not began:
            return self._acted
        return await call.until(lambda each: not each.active and each.quiet >= PROMPT_OVER, LONGEST_PROMPT)

    @staticmethod
    def _missing(act: Do) -> str:
        return f"No prompt was {'heard' if act.interrupts else 'over'} within {NO_PROMPT:g} s."

    async def _do(self, action: CallerAction | Silent | PlayFile, call: SoftphoneCall) -> None:
        match action:
            case Press(keys=keys):
                call.press(keys)
            case Hold(key=key):
                call.leg.press(key, KEY_HELD)
            case Speak(words=words):
                language = self._script.who.language or LANGUAGE
                call.play(await self._phone.words(words, call.codec, language))
            case PlayFile(file=file):
                samples = await samples_of(file, workers=self._phone.workers)
                call.play(await self._phone.encoded(samples, call.codec))
            case Wait(seconds=seconds):
                await call.until(lambda each: each.over, seconds)
            case Leave():
                call.hang_up()
                await call.leg.ended()
        await call.until(lambda each: not each.leg.queued, LONGEST_PROMPT)

    async def _expect_end(self, expected: Expect, call: SoftphoneCall | None) -> None:
        if call is not None and self._ended is None:
            call.listen_anew()
            await call.until(lambda each: each.over or each.quiet > NO_PROMPT, LONGEST_PROMPT)
        if self._ended != expected.ends:
            raise _Failed(f"The call was over: {self._ended}." if self._ended else "The call was not over.")

    def _tell(self, news: CallNews) -> None:
        match news:
            case SoundBegan():
                self._prompted = True
            case SoundOver(seconds=seconds):
                self._transcript.append(f"hears  {seconds:.1f} s of sound")
            case NotReached(status=status, reason=reason):
                self._transcript.append(f"is not answered: {status or ''} {reason}".rstrip())
            case Over(by=by):
                self._ended = {"remote": "hangup", "local": "left"}.get(by, "unreachable")
                self._transcript.append(f"ends   {self._ended}")
        self._tell_others(news)

    def _failure(self, why: str, step: ScriptStep | None) -> str:
        """Return which step did not happen, and what did."""
        lines = []
        if step is not None:
            number = self._script.steps.index(step) + 1
            lines.append(f"{self._script.file}:{step.line}:{step.column}")
            lines.append(f"Step {number} of {len(self._script.steps)} did not happen: {step.text}")
        return "\n".join([*lines, why, "The call so far:", *(f"  {line}" for line in self._transcript)])
