"""What a terminal shows of a SIP call."""

from rich.console import Console

from ivr.cli.terminal_text import plain
from ivr.softphone.call_news import Answered, CallNews, Dialling, Held, NotReached, Over, Rings, SoundOver

HELP = """\
Type what the caller does:
  1, 42#, *       keys
  some words      speech
  /hangup         the caller hangs up (Ctrl-D does too)
  /help           this"""

_RINGING = 180
_ENDINGS = {
    "remote": "The other side hung up",
    "local": "You hung up",
    "timeout": "The line is dead",
    "error": "The call broke off",
}


class SipScreen:
    """Writes down what happens on a call."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rings = False

    def show(self, news: CallNews) -> None:
        """Write one thing down, if it is of interest."""
        match news:
            case Dialling(uri=uri, transport=transport):
                self._dim(f"Calling {uri} by {transport.upper()}. /help lists what you can type.")
            case Rings(status=status):
                if not self._rings:
                    self._dim("It rings." if status == _RINGING else "The call makes progress.")
                self._rings = True
            case Answered(codec=codec, encrypted=encrypted, seconds=seconds):
                cipher = ", encrypted" if encrypted else ""
                self._console.print(f"[bold]Answered after {seconds:.2f} s: {codec}{cipher}.[/]")
            case NotReached(status=status, reason=reason):
                why = f"{status} {reason}" if status else reason
                self._console.print(f"[red]Not answered: {plain(why)}[/]")
            case SoundOver(seconds=seconds):
                self.note(f"heard {seconds:.1f} s of sound")
            case Held(held=held):
                self.note("the other side holds the call" if held else "the call goes on")
            case Over():
                self._over(news)

    def note(self, text: str) -> None:
        """Write down what the phone itself has to say."""
        self._dim(f"  ({text})")

    def help(self) -> None:
        """Print what can be typed."""
        self._console.print(HELP, markup=False)

    def _over(self, over: Over) -> None:
        why = "; ".join(part for part in (over.reason, over.cause if over.by in ("timeout", "error") else "") if part)
        self._dim(f"{_ENDINGS[over.by]} after {over.seconds:.1f} s.{f' ({why})' if why else ''}")
        got = over.statistics
        self._dim(f"  {100 * got.loss:.1f} % of {got.expected:,} packets lost, jitter {1000 * got.jitter:.1f} ms")

    def _dim(self, text: str) -> None:
        self._console.print(f"[dim]{plain(text)}[/]")
