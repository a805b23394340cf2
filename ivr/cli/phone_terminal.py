"""The phone in a terminal: prompts are read, keys and words are typed; time waits for the typist."""

from collections.abc import Awaitable, Callable

from rich.console import Console
from rich.markup import escape

from ivr.cli.keyboard import Keyboard, invitation
from ivr.engine.actions import Record
from ivr.engine.events import PHONE_KEYS
from ivr.phone.call import Caller
from ivr.phone.events import (
    Dialled,
    Ended,
    ListensFor,
    PhoneEvent,
    PromptBegan,
    RecordingBegan,
    RecordingOver,
    Replied,
    Sent,
    WordsHeard,
    WorkflowRefused,
)
from ivr.phone.kit import sound_of
from ivr.phone.platform import Target, platform
from ivr.phone.turn_based import Deed, Fail, HangUp, Press, Say, Situation, TurnBased

HELP = """\
Type what the caller does:
  1, 42#, *       keys
  some words      speech
  (just Enter)    silence
  /hangup         the caller leaves (Ctrl-D does too)
  /fail           the line cannot do what it was told
  /help           this"""

ENDINGS = {
    "hangup": "The bot hung up.",
    "reject": "The bot rejected the call.",
    "left": "You hung up.",
    "no-links": "The bot wanted to hear no more, so the call is over.",
}


class Screen:
    """Writes down what happens on a call."""

    def __init__(self, console: Console, *, wire: bool) -> None:
        """`wire`: messages and replies, too."""
        self._console = console
        self._wire = wire

    def show(self, event: PhoneEvent) -> None:
        """Write one event down, if it is of interest."""
        match event:
            case Dialled(url=url):
                self._dim(f"Calling {url}. /help tells what you can type.")
            case PromptBegan(text=text) if text:
                self._console.print(f"[bold]{_plain(text)}[/]")
            case RecordingBegan():
                self._dim("  (recording)")
            case RecordingOver(seconds=seconds):
                self._dim(f"  (recorded {seconds:.1f} s)")
            case WordsHeard(words=words, typed=False):
                self._dim(f"  (heard: {words})" if words else "  (heard nothing that is listened for)")
            case WorkflowRefused(problems=problems):
                self._console.print(f"[red]The bot's workflow is refused: {_plain('; '.join(problems))}[/]")
            case Ended(reason=reason, detail=detail):
                self._dim(
                    " ".join(part for part in (ENDINGS.get(reason, f"The call is over: {reason}."), detail) if part)
                )
        if self._wire:
            self._show_wire(event)

    def help(self) -> None:
        """Tell what can be typed."""
        self._console.print(HELP, markup=False)

    def _show_wire(self, event: PhoneEvent) -> None:
        match event:
            case Sent(url=url, attempt=attempt, body=body, audio=audio):
                again = f" (attempt {attempt})" if attempt > 1 else ""
                sound = f" + {audio:,} bytes of audio" if audio else ""
                self._dim(f"  > POST {url}{again}{sound}\n  > {body}")
            case Replied(status=status, body=body, seconds=seconds, failure=failure):
                self._dim(f"  < {status or failure} in {1000 * seconds:.0f} ms\n  < {body}")

    def _dim(self, text: str) -> None:
        self._console.print(f"[dim]{_plain(text)}[/]")


def _plain(text: str) -> str:
    """Take what a bot wrote for text: no markup, nothing that moves a terminal's cursor."""
    return escape("".join(char if char.isprintable() or char == "\n" else " " for char in text))


def deed(line: str) -> Deed | None:
    """Read what was typed: a command, keys, or words; None: silence, or nothing that is known."""
    line = line.strip()
    match line:
        case "":
            return None
        case "/hangup":
            return HangUp()
        case "/fail":
            return Fail()
    return Press(line) if PHONE_KEYS.issuperset(line) else Say(line)


class Typist:
    """A person at a keyboard (`ivr.phone.turn_based.Person`); time waits for them."""

    def __init__(self, screen: Screen, ask: Callable[[str], Awaitable[str | None]]) -> None:
        """`ask` asks for a line; None: there are no more."""
        self._screen = screen
        self._ask = ask
        self._silent = False

    def tell(self, event: PhoneEvent) -> None:
        """Show it; a new question ends the silence."""
        if isinstance(event, ListensFor):
            self._silent = False
        self._screen.show(event)

    async def act(self, situation: Situation) -> Deed | None:
        """Ask for a line wherever one can be typed; prompts are read to their end."""
        if situation.prompt or situation.listening is None or self._silent:
            return None
        while True:
            line = await self._ask(invitation(situation.listening))
            if line is None:
                return HangUp()
            if line.startswith("/") and line.strip() not in ("/hangup", "/fail"):
                self._screen.help()
                continue
            # Nothing more is asked until the line has made of the silence, or of the recording, what it is.
            found = deed(line)
            self._silent = found is None or (isinstance(found, Say) and isinstance(situation.listening, Record))
            return found


async def talk(target: Target, who: Caller, console: Console, *, wire: bool) -> bool:
    """Hold one call."""
    screen = Screen(console, wire=wire)
    keyboard = Keyboard(lambda question: console.print(question, end=""))
    async with platform(target) as phone:
        if wire:
            console.print(f"[dim]The phone's OpenID metadata: {phone.metadata}[/]")
        ended = await phone.place(TurnBased(Typist(screen, keyboard.line), sound_of(phone)), who=who)
    return ended.by != "platform"
