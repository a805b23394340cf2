"""YAML to a call script: every mistake of a file at once, each with its line and a caret under it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ivr.engine.events import PHONE_KEYS
from ivr.engine.pretend import read_time
from ivr.errors import IvrError
from ivr.flowfile.finding import Finding, as_text
from ivr.flowfile.source import Path as Place
from ivr.flowfile.source import Source, Tree
from ivr.flowfile.yaml.reader import MAX_BYTES, read
from ivr.nearest import did_you_mean
from ivr.phone.callers.script.steps import Act, Do, Expect, PlayFile, Script, ScriptStep, Silent
from ivr.phone.callers.turn_based import CallerAction, Connect, Fail, Hold, Leave, Press, Speak, Wait
from ivr.phone.handset import ANSWERS
from ivr.phone.placed_call import Caller
from ivr.smallfiles import read_head

HEAD = ("script", "bot", "flow", "from", "language", "at", "steps")
EXPECT = ("hears", "state", "ends")
CALLER_ACTIONS = ("press", "hold", "say", "play", "silence", "hangup", "fail", "transfer")
BARE = ("silence", "hangup", "fail")
"Steps that can stand without a value."


class ScriptError(IvrError):
    """A call script that cannot be run; `str()` gives all findings as text."""


def read_script(file: Path, caller: Caller | None = None) -> Script:
    """Read a script; `caller` calls if the script names no caller.

    Raise ScriptError for all that is wrong in it, and if it cannot be read.
    """
    try:
        text = read_head(file, MAX_BYTES + 1)
    except OSError as error:
        raise ScriptError(f"{file} cannot be read: {error.strerror}.") from error
    reading = read(str(file), text)
    if reading.findings or not isinstance(reading.tree, dict):
        raise ScriptError(as_text(reading.findings))
    reader = _ScriptReader(reading.source, file, caller or Caller())
    script = reader.script(reading.tree)
    if reader.findings:
        raise ScriptError(as_text(reader.findings))
    return script


class _Wrong(Exception):
    """A part that cannot be read; the finding is noted already."""


class _ScriptReader:
    def __init__(self, source: Source, file: Path, caller: Caller) -> None:
        self.findings: list[Finding] = []
        self._source = source
        self._file = file
        self._caller = caller

    def script(self, tree: Mapping[str, Tree]) -> Script:
        for name in tree:
            if name not in HEAD:
                self._note((name,), f'Unknown key "{name}" in a call script.', did_you_mean(name, HEAD), key=True)
        flow = self._text(tree, "flow")
        bot = self._text(tree, "bot")
        if flow and bot:
            self._note(("flow",), "A script names either a bot or a flow, not both.", "", key=True)
        steps = tree.get("steps")
        if not isinstance(steps, list):
            self._note(("steps",), 'A script needs "steps": a list of expectations and caller actions.', "", key=True)
            steps = []
        me = self._caller
        return Script(
            file=self._file,
            name=self._text(tree, "script") or self._file.name.partition(".")[0],
            steps=tuple(self._steps(steps)),
            who=Caller(
                self._text(tree, "from") or me.caller,
                language=self._text(tree, "language") or me.language,
                at=self._time(tree) or me.at,
            ),
            bot=bot,
            flow=self._file.parent / flow if flow else None,
        )

    def _steps(self, steps: Sequence[Tree]) -> Iterator[ScriptStep]:
        for number, step in enumerate(steps):
            place: Place = ("steps", number)
            mark = self._source.mark(*place)
            text = self._source.line(mark.line).strip().removeprefix("-").strip()
            try:
                yield ScriptStep(self._act(step, place), text, mark.line, mark.column, mark.length)
            except _Wrong:
                continue

    def _act(self, step: Tree, place: Place) -> Act:
        if isinstance(step, str):
            if step not in BARE:
                raise self._wrong(place, f'"{step}" is not a step.', _meant(step))
            step = {step: ""}
        words = [name for name in step if name != "during"] if isinstance(step, dict) else []
        if not isinstance(step, dict) or len(words) != 1:
            raise self._wrong(place, "A step is one expectation or one caller action.", _all_steps())
        (word,), during = words, step.get("during")
        if word == "expect" and during is None:
            return self._expect(step[word], (*place, word))
        if word not in CALLER_ACTIONS:
            raise self._wrong((*place, word), f'"{word}" is not a step.', _meant(word), key=True)
        if during not in (None, "prompt"):
            raise self._wrong((*place, "during"), 'Only "prompt" is allowed here.', "")
        return Do(self._caller_action(word, step[word], (*place, word)), interrupts=during is not None)

    def _expect(self, wanted: Tree, place: Place) -> Expect:
        if isinstance(wanted, str) and wanted:
            wanted = {"hears": wanted}
        if not isinstance(wanted, dict) or not wanted:
            meant = "Write what is heard, or {hears: …, state: …, ends: …}."
            raise self._wrong(place, "This expectation is empty.", meant)
        for name in wanted:
            if name not in EXPECT:
                raise self._wrong((*place, name), f'"{name}" cannot be expected.', did_you_mean(name, EXPECT), key=True)
        hears = wanted.get("hears", [])
        texts = [text for text in (hears if isinstance(hears, list) else [hears]) if isinstance(text, str)]
        if not all(text.strip("~ ") for text in texts) or (hears and not texts):
            raise self._wrong((*place, "hears"), '"hears" must be a text or a list of texts.', "")
        return Expect(tuple(texts), self._text(wanted, "state", place), self._text(wanted, "ends", place))

    def _caller_action(self, word: str, value: Tree, place: Place) -> CallerAction | Silent | PlayFile:
        if not isinstance(value, str) or (not value and word not in BARE):
            raise self._wrong(place, f'"{word}" needs a text as its value.', "")
        match word:
            case "press":
                return Press(self._keys(value, place))
            case "hold":
                return Hold(self._keys(value, place)[0])
            case "say":
                return Speak(value)
            case "play":
                return PlayFile(self._file.parent / value)
            case "silence":
                return Wait(self._seconds(value, place)) if value else Silent()
            case "hangup":
                return Leave()
            case "transfer":
                return Connect(self._status(value, place))
        return Fail("unknown" if value == "unknown" else "system")

    def _keys(self, keys: str, place: Place) -> str:
        if not PHONE_KEYS.issuperset(keys):
            raise self._wrong(place, f'"{keys}" is not a sequence of keys. Keys are 0-9, *, # and A-D.', "")
        return keys

    def _status(self, word: str, place: Place) -> int:
        if word not in ANSWERS:
            raise self._wrong(place, f'"{word}" cannot become of a transfer.', f"Possible: {', '.join(ANSWERS)}.")
        return ANSWERS[word]

    def _seconds(self, text: str, place: Place) -> float:
        number = text.removesuffix("s")
        if not number.replace(".", "", 1).isdecimal():
            raise self._wrong(place, f'"{text}" is not a duration.', 'Write it like "2.5s".')
        return float(number)

    def _text(self, tree: Mapping[str, Tree], name: str, within: Place = ()) -> str | None:
        value = tree.get(name)
        if value is None or (isinstance(value, str) and value):
            return value
        self._note((*within, name), f'"{name}" must be a text.', "")
        return None

    def _time(self, tree: Mapping[str, Tree]) -> str | None:
        text = self._text(tree, "at")
        try:
            if text is not None:
                read_time(text)
        except ValueError as error:
            self._note(("at",), str(error), "")
        return text

    def _note(self, place: Place, message: str, suggestion: str, *, key: bool = False) -> None:
        mark = self._source.mark(*place, key=key)
        self.findings.append(self._source.finding("script", "error", mark, message, suggestion))

    def _wrong(self, place: Place, message: str, suggestion: str, *, key: bool = False) -> _Wrong:
        self._note(place, message, suggestion, key=key)
        return _Wrong()


def _meant(word: str) -> str:
    return did_you_mean(word, ("expect", *CALLER_ACTIONS)) or _all_steps()


def _all_steps() -> str:
    return f"Steps are expect, {', '.join(CALLER_ACTIONS)}."
