"""Plain data to the model: every error at its place, and as much of the model as is sound.

What is wrong is cut out and the rest is judged again, so that a mistyped key in one state does not hide a missing
target in another.
"""

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy

from msgspec import Struct
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ivr.flowfile.actions import ACTIONS
from ivr.flowfile.actions.base import Asking, Nothing
from ivr.flowfile.actions.notify import Notify
from ivr.flowfile.actions.transfer import Transfer
from ivr.flowfile.card_parts import CardPart
from ivr.flowfile.choices import Choice
from ivr.flowfile.document import TRANSITIONS
from ivr.flowfile.finding import Edit, Finding
from ivr.flowfile.model import FlowFile, State
from ivr.flowfile.model_base import Model, Part
from ivr.flowfile.model_parts import PARTS, ForeachPart, is_language
from ivr.flowfile.source import Path, Source, Tree
from ivr.flowfile.yaml.mistakes import COLON_ALONE, no_space, space_after_colon
from ivr.flowfile.yaml.reader import Reading
from ivr.nearest import did_you_mean, nearest, only_near

ROUNDS = 12
"How often the rest is judged again. Each round cuts out everything that failed, so three are usual."
NOTHINGS = frozenset(word for word, spec in ACTIONS.items() if spec.model is Nothing)
"Actions without keys of their own."


NO_MAPPING = frozenset({"model_type", "model_attributes_type"})
"Pydantic's words for a part that is no mapping."
FOLLOWS = "default_factory_not_called"
"Pydantic's word for a default that cannot be made, since the key it is made of is wrong."


class Validated(Struct, frozen=True):
    """What the model made of a file."""

    model: FlowFile | None
    "Without what is wrong; none: not enough is left."
    damaged: frozenset[Path]
    "Where something is wrong and was cut out."
    findings: tuple[Finding, ...]


def validate(reading: Reading) -> Validated:
    """Judge a file's data by the model."""
    if not reading.whole:
        return Validated(None, frozenset(), ())
    tree = deepcopy(reading.tree)
    findings: list[Finding] = []
    damaged = set(reading.source.broken)
    for _ in range(ROUNDS):  # pragma: no branch  # no file is known that needs half as many
        classes: dict[int, type[Model]] = {}
        try:
            model = FlowFile.model_validate(tree, context=classes)
        except ValidationError as error:
            errors = [each for each in error.errors(include_url=False) if each["type"] != FOLLOWS]
        else:
            return Validated(model, frozenset(damaged), tuple(findings))
        judge = _Judge(reading.source, tree, classes, damaged)
        findings += judge.findings(errors)
        mended = {path for failed in errors if (path := judge.mend(failed))}
        cut = {judge.culprit(failed) for failed in errors} - mended
        damaged |= cut
        if ("states",) in cut:
            break
        for path in sorted(cut, key=len, reverse=True):  # what is inside goes first, while the way to it stands
            _cut(tree, path)
    return Validated(None, frozenset(damaged), tuple(findings))


def _cut(tree: Tree, path: Path) -> None:
    """Take away a key. At the top, where a name is required, another name does as well."""
    *transition, last = path
    inner = tree
    for step in transition:
        inner = _step(inner, step)
    if isinstance(inner, dict):  # pragma: no branch  # what else has keys?
        inner.pop(str(last), None)
        if path in {("flow",), ("initial",)}:
            inner[str(last)] = "unnamed"


def _step(tree: Tree, step: str | int) -> Tree:
    """Go one step, or stay where it leads nowhere."""
    match tree:
        case dict() if isinstance(step, str):
            return tree.get(step, tree)
        case list() if isinstance(step, int) and step < len(tree):
            return tree[step]
    return tree


def _called(path: Path) -> str:
    """Return what stands at a path, as an author would."""
    if not path:
        return "The flow"
    key = next(str(step) for step in reversed(path) if isinstance(step, str))
    return f'"{key}"' if path[-1] == key else f'An item of "{key}"'


_PLAIN = frozenset({"true", "false"})
_OTHERS: dict[str, str] = {
    **dict.fromkeys(("goto", "jump", "redirect", "transition"), 'Write "next: <state>".'),
    **dict.fromkeys(("gather", "input", "collect", "getdigits"), 'Write "digits", or "menu" for choices.'),
    **dict.fromkeys(("timeout", "inputtimeout", "firstdigittimeout"), 'Write "initialSilence".'),
    **dict.fromkeys(("digittimeout", "interdigittimeout"), 'Write "interDigit".'),
    **dict.fromkeys(("if", "cond", "condition", "when", "elseif", "elif"), 'Write "guard: <expression>" in a branch.'),
    **dict.fromkeys(("else", "otherwise"), "The last branch, without a guard, is taken otherwise."),
    **dict.fromkeys(("play", "playback", "background"), 'Write "say: {audio: <file>, text: <its words>}".'),
    **dict.fromkeys(("speak", "tts", "message"), 'Write "say".'),
    **dict.fromkeys(("dial", "forward", "bridge", "connect", "refer"), 'Write "transfer: {to: <number>}".'),
    "queue": "Callers cannot wait in a queue here; transfer them to one.",
    **dict.fromkeys(("wait", "pause", "sleep", "delay"), 'Write "pause: 1s" in a state, or {silence: 1s} in a prompt.'),
    **dict.fromkeys(("finishonkey", "termchar", "termdigits"), 'Write "terminators".'),
    **dict.fromkeys(("numdigits", "maxlength"), 'Write "maxDigits".'),
    **dict.fromkeys(("retries", "tries", "attempts", "maxtries", "maxretries", "loop"), 'Write "maxAttempts".'),
    **dict.fromkeys(("fetch", "request", "rest", "webservice", "curl", "httprequest"), 'Write "http".'),
    **dict.fromkeys(("login", "signin", "authenticate", "oauth"), 'Write "signIn".'),
    **dict.fromkeys(("body", "data", "payload"), 'Write "json" or "form", or "returns" for what is answered.'),
    **dict.fromkeys(("params", "parameters", "querystring"), 'Write "query".'),
    **dict.fromkeys(("response", "responseformat", "schema"), 'Write "returns".'),
    **dict.fromkeys(("option", "options"), 'Write "choices".'),
    **dict.fromkeys(("key", "digit", "press"), 'Write "dtmf".'),
    **dict.fromkeys(("hints", "grammar", "synonyms", "utterances"), 'Write "speech", or "phrases" for a recording.'),
    **dict.fromkeys(("exit", "disconnect", "end"), 'Write "hangup: {}", or "final: true".'),
}
"Words of other systems, in lower case, and ours for them."
_OTHERS_IN: Mapping[type[Model], Mapping[str, str]] = {
    Notify: {
        **dict.fromkeys(("body", "message", "content"), 'Write "text".'),
        **dict.fromkeys(("to", "mail", "address", "recipient", "recipients"), 'Write "email".'),
        **dict.fromkeys(("attachment", "attachments", "recording"), 'Write "attach".'),
    },
    Transfer: dict.fromkeys(("number", "destination", "target", "phone", "sip"), 'Write "to".'),
}
"Those that mean something else in one action; they come first."
_HOW = {
    "flow": 'Give it a name: "flow: <name>".',
    "initial": 'Name the state where calls begin: "initial: <state>".',
    "target": "Name the state to go to.",
}


class _Judge:
    """Turns pydantic's errors into findings."""

    def __init__(self, source: Source, tree: Tree, classes: dict[int, type[Model]], damaged: Iterable[Path]) -> None:
        self.source = source
        self.tree = tree
        self.classes = classes
        self.damaged = frozenset(damaged)

    def findings(self, errors: Iterable[ErrorDetails]) -> list[Finding]:
        """Return everything that is worth saying: nothing follows from a mistake that was already told."""
        extra = [self._path(error) for error in errors if error["type"] == "extra_forbidden"]
        found = []
        for error in errors:
            path = self._path(error)
            follows = error["type"] == "missing" and self._follows(path, extra)
            if error["type"] == "too_short" and self.source.keys(path):
                follows = True  # what it had was wrong, and is cut out
            if not follows and not self.source.is_broken(path):
                found.append(self._finding(error, path))
        return found

    def _follows(self, missing: Path, extra: Iterable[Path]) -> bool:
        """Return whether a key is missing only because it was written wrong."""
        beside = [path[-1] for path in extra if path[:-1] == missing[:-1]]
        class_ = self._class(missing[:-1])
        is_part = issubclass(class_, Part) and not issubclass(class_, ForeachPart | CardPart)
        if is_part and set(PARTS) & set(self.source.keys(missing[:-1])):
            return True  # what makes it a part was written, and cut out
        meant = {self._meant(str(key), missing[:-1]) for key in beside}
        is_meant = f'Write "{missing[-1]}".' in meant
        is_near = any(nearest(str(key), class_.words()) == missing[-1] for key in beside)
        return self.source.has(missing) or is_meant or is_near

    def culprit(self, error: ErrorDetails) -> Path:
        """Return what to cut out: what is wrong, or what lacks something; of a list, the whole list."""
        path = self._path(error)
        if error["type"] == "missing" and len(path) > 1:
            path = path[:-1]
        while path and isinstance(path[-1], int):
            path = path[:-1]
        return path

    def mend(self, error: ErrorDetails) -> Path | None:
        """Put what was plainly meant in the place of a value: `yes` is `true`; nothing follows from it then."""
        meant = error.get("ctx", {}).get("meant")
        path = self._path(error)
        place = self.tree
        for step in path[:-1]:
            place = _step(place, step)
        if meant not in _PLAIN or not isinstance(place, dict):
            return None
        place[str(path[-1])] = meant
        return path

    def _path(self, error: ErrorDetails) -> Path:
        """Keep of pydantic's location what is in the file; names of alternatives and implied lists are not."""
        place, path = self.tree, []
        for step in error["loc"]:
            inner = _step(place, step)
            if inner is not place:
                path.append(step)
            place = inner
        if error["type"] == "missing":
            path.append(error["loc"][-1])
        return tuple(path)

    def _class(self, path: Path) -> type[Model]:
        place = self.tree
        for step in path:
            place = _step(place, step)
        return self.classes.get(id(place), FlowFile)

    def _finding(self, error: ErrorDetails, path: Path) -> Finding:
        code, message, suggestion = self._words(error, path)
        mark = self.source.mark(*path, key=code in {"unknown-key", "missing", "no-target", "empty"})
        return self.source.finding(code, "error", mark, message, suggestion, fix=self._fix(error, path, suggestion))

    def _fix(self, error: ErrorDetails, path: Path, suggestion: str) -> Edit | None:
        """Return the edit that writes what was certainly meant; None: that is not known."""
        written = error["input"]
        if error["type"] == "extra_forbidden":
            key, meant = str(path[-1]), only_near(str(path[-1]), self._class(path[:-1]).words())
            is_free = suggestion == f'Did you mean "{meant}"?' and not self.source.has((*path[:-1], str(meant)))
            return self.source.replacing(path, str(meant), old=key, key=True) if is_free else None
        if not isinstance(written, str):
            return None
        if error["type"] in NO_MAPPING and (found := COLON_ALONE.match(written)):
            return self.source.replacing(path, space_after_colon(found, 0).within(written), old=written)
        meant = error.get("ctx", {}).get("meant")
        return self.source.replacing(path, meant, old=written) if meant else None

    def _words(self, error: ErrorDetails, path: Path) -> tuple[str, str, str]:
        key = str(path[-1]) if path else ""
        match error["type"]:
            case "extra_forbidden":
                return "unknown-key", f'"{key}" is not known here.', self._meant(key, path[:-1])
            case "missing":
                code = "no-target" if key == "target" else "missing"
                return code, f'{_called(path[:-1])} needs "{key}".', _HOW.get(key, "")
            case "too_short":
                return "empty", f'"{key}" is empty.', "Write at least one."
            case "too_long":
                return "value", f'"{key}" has too many items.', f"At most {error['ctx']['max_length']} are possible."
            case code if code in NO_MAPPING and key in NOTHINGS:
                return "value", f'"{key}" takes no value.', f'Write "{key}: {{}}".'
            case code if code in NO_MAPPING and (found := COLON_ALONE.match(str(error["input"]))):
                return no_space(found)
            case "model_type" | "model_attributes_type" | "dict_type":
                return "value", "Expected a mapping (key: value).", "Write one key: value on each line."
            case "string_type":
                return "value", "Expected a single value.", "A mapping or a list is not possible here."
            case code:
                context = error.get("ctx", {})
                return code, str(context.get("message", error["msg"])), str(context.get("suggestion", ""))

    def _meant(self, key: str, path: Path) -> str:
        class_ = self._class(path)
        if issubclass(class_, Asking) and key in State.words():
            return "Write it in the state, beside the action."
        if class_ is State and any(spec.model and key in spec.model.words() for spec in ACTIONS.values()):
            return "Write it inside the action."
        if class_ is Choice and key in TRANSITIONS:
            return 'Write where a choice leads in the "on" of the state.'
        if issubclass(class_, Part) and is_language(key):
            return "A part has one text, or one for each language: {en: …, de: …}."
        word = re.sub("[_-]", "", key).lower()
        if other := _OTHERS_IN.get(class_, {}).get(word) or _OTHERS.get(word):
            return other
        known = (*class_.words(), *(PARTS if issubclass(class_, Part) else ()))
        return did_you_mean(key, known) or f"Possible: {', '.join(class_.words())}."
