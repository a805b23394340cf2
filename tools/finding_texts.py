"""All texts of `ivr check` as one page, to be read as a set: `tests/flowfile/texts.golden`.

Each text of a check is filled in with the names of its parameters. Texts that are made while a file is read, or by the
expression language, are shown as they came out for the bad flows of the tests.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import get_type_hints

from ivr.engine.expressions.types import Type
from ivr.engine.flow import Variable
from ivr.flowfile.checks import CHECKS, Check
from ivr.flowfile.finding import Text

BAD = Path(__file__).parents[1] / "tests" / "flowfile" / "bad"
_PLACES = re.compile(r"(?:<[^<>]+>|\b3\b)(?:, <[^<>]+>)*")
_FINDING = re.compile(r"^\S+:\d+:\d+  ([a-z-]+)(?:  \(warning\))?\n(?:    .*\n)*  (\S.*)$", re.MULTILINE)


def page() -> str:
    """Return all texts, by code."""
    seen: dict[str, list[str]] = {}
    for file in sorted(BAD.glob("*.txt")):
        for code, text in _FINDING.findall(file.read_text("utf-8")):
            seen.setdefault(code, []).append(text)
    checks = sorted(CHECKS.values(), key=lambda check: check.code)
    return "\n".join(line for check in checks for line in (*_lines(check, seen.get(check.code, ())), ""))


def _lines(check: Check, seen: Sequence[str]) -> Iterator[str]:
    yield f"{check.code}  ({check.severity})  {check.title}"
    made = {" ".join(text).strip(): None for message in check.messages for text in _filled(message.text)}
    patterns = [_pattern(text) for text in made]
    other = [text for text in dict.fromkeys(seen) if not any(pattern.fullmatch(text) for pattern in patterns)]
    yield from (f"  {text}" for text in (*made, *other))


def _pattern(text: str) -> re.Pattern[str]:
    """Return what a text can look like once it is filled in."""
    message = text.partition(". ")[0]
    return re.compile(".+".join(map(re.escape, _PLACES.split(message))) + ".*")


def _filled(text: Callable[..., Text]) -> Iterator[Text]:
    """Fill in a text with all that makes a difference: true and false, a word and none."""
    hints = {name: hint for name, hint in get_type_hints(text).items() if name != "return"}
    for values in product(*(_samples(name.replace("_", " ").strip(), hint) for name, hint in hints.items())):
        yield text(*values)


def _samples(name: str, hint: object) -> Sequence[object]:
    word = f"<{name}>"
    samples: dict[object, Sequence[object]] = {
        str: [word],
        str | None: [word, None],
        bool: [True, False],
        int: [3],
        Sequence[str]: [[f"<{name} 1>", f"<{name} 2>"]],
        Collection[str]: [[f"<{name} 1>", f"<{name} 2>"]],
        Type: [Type("date")],
        Variable: [Variable(word, Type("integer"))],
    }
    return samples[hint]
