"""What a terminal shows of a call."""

from contextlib import suppress

from rich.console import Console

from ivr.cli.terminal_text import plain
from ivr.engine.utterance import as_heard
from ivr.phone.phone_events import (
    Dialled,
    Done,
    Ended,
    HangingUp,
    KeyHeard,
    ListensFor,
    OfferedChoice,
    PhoneEvent,
    PromptBegan,
    RecordingBegan,
    RecordingOver,
    Replied,
    Sent,
    TransferBegan,
    WordsHeard,
    WorkflowRefused,
)

HELP = """\
Type what the caller does:
  1, 42#, *       keys
  some words      speech
  (just Enter)    silence
  busy, noAnswer  what becomes of a transfer (just Enter: the caller is connected)
  /hangup         the caller leaves (Ctrl-D does too)
  /fail           simulate a failure of the line
  /help           this"""

ENDINGS = {
    "hangup": "The bot hung up.",
    "reject": "The bot rejected the call.",
    "transfer": "The bot transferred the call.",
    "left": "You hung up.",
    "no-links": "The call is over.",
}
CAME_TO = {
    "silence": "you kept silent",
    "wrong key": "that key is not one of the choices",
    "pause": "nothing more came",
    "system": "the line failed",
    "unknown": "the line failed for an unknown reason",
}
"Failures of a question, by the outcome's result."


class Screen:
    """Writes down what happens on a call."""

    def __init__(self, console: Console, *, wire: bool) -> None:
        """`wire`: messages and replies, too."""
        self._console = console
        self._wire = wire
        self._asked: ListensFor | None = None
        self._thinks = False
        "The bot has a message, and has not answered it."
        self._deaf = False
        "The caller was told that the bot is not listening."

    def show(self, event: PhoneEvent) -> None:
        """Write one event down, if it is of interest."""
        match event:
            case Dialled(url=url):
                self._dim(f"Calling {url}. /help lists what you can type.")
            case PromptBegan(text=text) if text:
                self._print(f"[bold]{plain(text)}[/]")
            case RecordingBegan():
                self._dim("  (recording)")
            case RecordingOver(seconds=seconds):
                self._dim(f"  (recorded {seconds:.1f} s)")
            case TransferBegan(target=target, whisper=whisper):
                shown = f', which is shown "{whisper}"' if whisper else ""
                self._dim(f"  (transferring to {target}{shown})")
            case WordsHeard(words=words, typed=False):
                self._dim(f"  (heard: {words})" if words else "  (heard none of the expected phrases)")
            case WorkflowRefused(problems=problems):
                self._print(f"[red]The bot's workflow is refused: {plain('; '.join(problems))}[/]")
            case Ended(reason=reason, detail=detail):
                self._dim(
                    " ".join(part for part in (ENDINGS.get(reason, f"The call is over: {reason}."), detail) if part)
                )
        self._follow(event)
        if self._wire:
            self._show_wire(event)

    def note(self, text: str) -> None:
        """Write down what the phone itself has to say."""
        self._dim(f"  ({text})")

    def help(self) -> None:
        """Print what can be typed."""
        self._console.print(HELP, markup=False)

    def _follow(self, event: PhoneEvent) -> None:
        """Keep in mind where the call stands, and say what a person may wonder about."""
        match event:
            case ListensFor():
                self._asked, self._deaf = event, False
            case Sent() | Replied():
                self._thinks = isinstance(event, Sent)
            case HangingUp() if self._thinks:
                self._dim("Hanging up…")
            case KeyHeard() | WordsHeard(words=str(), typed=True):
                self._answered(event)
            case Done():
                self._asked = None
                self._came_to(event)

    def _answered(self, event: KeyHeard | WordsHeard) -> None:
        """Print it if what the caller did means nothing here: the bot never hears of it."""
        asked = self._asked
        if asked is None:
            if not self._deaf:
                self.note("the bot is not listening now")
            self._deaf = True
        elif asked.kind == "digits" and isinstance(event, WordsHeard) and not asked.choices:
            self.note("not understood; the bot expects keys")
        elif asked.kind == "choice" and not means_something(asked.choices, event):
            self.note(f"not understood; the choices are: {', '.join(map(_offer, asked.choices))}")

    def _came_to(self, done: Done) -> None:
        if not done.ok and (why := done.why or CAME_TO.get(done.result)):
            self.note(why)

    def _show_wire(self, event: PhoneEvent) -> None:
        match event:
            case Sent(url=url, attempt=attempt, body=body, audio=audio):
                again = f" (attempt {attempt})" if attempt > 1 else ""
                sound = f" + {audio:,} bytes of audio" if audio else ""
                self._dim(f"  > POST {url}{again}{sound}\n  > {body}")
            case Replied(status=status, body=body, seconds=seconds, failure=failure):
                self._dim(f"  < {status or failure} in {1000 * seconds:.0f} ms\n  < {body}")

    def _dim(self, text: str) -> None:
        self._print(f"[dim]{plain(text)}[/]")

    def _print(self, marked: str) -> None:
        with suppress(OSError):  # the terminal is gone; the bot is still to be told
            self._console.print(marked)


def means_something(choices: tuple[OfferedChoice, ...], event: KeyHeard | WordsHeard) -> bool:
    """Return whether it is an answer, right or wrong (protocol 7)."""
    if isinstance(event, KeyHeard):
        return any(choice.key for choice in choices)
    plain = as_heard(event.words or "")
    return any(event.words in choice.speech or plain in map(as_heard, choice.speech) for choice in choices)


def _offer(choice: OfferedChoice) -> str:
    return " or ".join([*([choice.key] if choice.key else []), *choice.speech])
