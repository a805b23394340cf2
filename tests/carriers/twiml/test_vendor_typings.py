"""The emulator's grammar against the carrier's own typings: what it accepts, they accept, by their own compiler.

The typings are in twilio's package for Node, and tests/peers has it with the compiler.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ivr.carriers.twiml.grammar import GRAMMAR
from ivr.carriers.twiml.vendor_names import GATHER_LANGUAGES, SAY_LANGUAGES, SSML_LANGUAGES, say_voices

PEERS = Path(__file__).parents[2] / "peers"
TYPINGS = PEERS / "node_modules/twilio/lib/twiml/VoiceResponse.d.ts"
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="Node is not installed"),
    pytest.mark.skipif(not TYPINGS.exists(), reason="run `npm install` in tests/peers (make test does)"),
]

INTERFACES = {
    **{name: f"{name}Attributes" for name in GRAMMAR if name[0].isupper()},
    **{name: f"Ssml{name.title().replace('-', '')}Attributes" for name in GRAMMAR if name[0].islower()},
}
"By element; those without attributes have none."
JUNK = "true false TRUE yes GET POST PUT /a ftp://a 0 1 2 5 20 99999 -1 1.5 auto soon dtmf # * *# hello busy +4930"


@cache
def typings() -> str:
    return re.sub(r"/\*\*.*?\*/", "", TYPINGS.read_text("utf-8"), flags=re.DOTALL)


def names(kind: str) -> list[str]:
    """Return the words of an enumeration."""
    found = re.search(rf"\btype {kind} = ([^;]*);", typings())
    return re.findall('"([^"]*)"', found[1]) if found else []


def attributes(element: str) -> dict[str, str]:
    """Return the type of each attribute that an element has."""
    found = re.search(rf"interface {INTERFACES[element]} \{{(.*?)\n    \}}", typings(), re.DOTALL)
    lines = re.findall(r'(?m)^\s*"?([\w:-]+)"?\?: ([^;]+);', found[1]) if found else []
    return dict(lines)


def literal(value: str, kind: str) -> str:
    """Write an attribute's text as a value of its type."""
    match kind:
        case "number":
            return value if re.fullmatch(r"[0-9]+", value) else json.dumps(value)
        case "boolean":
            return value if value in ("true", "false") else json.dumps(value)
        case _ if kind.endswith("[]"):
            return json.dumps(value.split())
    return json.dumps(value)


def accepted() -> Iterator[tuple[str, str, str]]:
    """Return every attribute with each text that the emulator accepts, out of all words there are and of nonsense."""
    words = {word for kind in re.findall(r"\btype (\w+) =", typings()) for word in names(kind)}
    for element, written in GRAMMAR.items():
        for attribute, kind in written.attributes.items():
            for text in sorted(
                words | set(JUNK.split()) | {"", "dtmf speech", "completed absent", "initiated answered"}
            ):
                if not kind(text):
                    yield element, attribute, text


def compiles(folder: Path, lines: list[str]) -> str:
    """Return what the compiler finds wrong."""
    root = f'import VoiceResponse from "{TYPINGS.as_posix().removesuffix(".d.ts")}";\n'
    file = folder / "accepted.ts"
    file.write_text(root + "\n".join(lines), "utf-8")
    options = "--noEmit --strict --skipLibCheck --module node16 --moduleResolution node16 --esModuleInterop"
    done = subprocess.run(
        [PEERS / "node_modules/.bin/tsc", *options.split(), file],
        capture_output=True, text=True, timeout=300, check=False, cwd=PEERS,
    )  # fmt: skip
    assert done.returncode in (0, 1, 2), done.stderr
    return done.stdout


def test_the_compiler_accepts_whatever_the_emulator_accepts(tmp_path: Path) -> None:
    checked = []
    for number, (element, attribute, text) in enumerate(accepted()):
        kind = attributes(element).get(attribute, "string")
        value = f"{{{json.dumps(attribute)}: {literal(text, kind)}}}"
        checked.append(f"const v{number}: VoiceResponse.{INTERFACES[element]} = {value};")
    assert len(checked) > 2000
    assert compiles(tmp_path, checked) == ""


def test_the_compiler_would_find_a_mistake(tmp_path: Path) -> None:
    wrong = [
        "const a: VoiceResponse.GatherAttributes = {numDigit: 1};",
        'const b: VoiceResponse.SayAttributes = {voice: "Polly.Nobody"};',
        'const c: VoiceResponse.RejectAttributes = {reason: "no"};',
        "const d: VoiceResponse.GatherAttributes = {timeout: 1};",
    ]
    found = compiles(tmp_path, wrong)
    assert [f"({line}," in found for line in (2, 3, 4, 5)] == [True, True, True, False]


@pytest.mark.parametrize("element", [element for element in GRAMMAR if element not in ("Response", "Hangup", "p", "s")])
def test_each_element_has_the_attributes_of_the_typings(element: str) -> None:
    assert set(attributes(element)) == set(GRAMMAR[element].attributes)


def test_languages_and_voices_are_those_of_the_typings() -> None:
    assert set(names("SayLanguage")) == SAY_LANGUAGES
    assert set(names("GatherLanguage")) == GATHER_LANGUAGES
    assert set(names("SsmlLangXmlLang")) == SSML_LANGUAGES
    assert set(names("SayVoice")) == say_voices()


def enumerations() -> Iterator[tuple[str, str, str]]:
    for element in GRAMMAR:
        for attribute, kind in attributes(element).items() if TYPINGS.exists() else ():
            yield from ((element, attribute, word) for word in names(kind.removesuffix("[]")))


def test_every_word_of_an_enumeration_is_accepted() -> None:
    refused = [one for one in enumerations() if GRAMMAR[one[0]].attributes[one[1]](one[2])]
    assert refused == []
    assert len(list(enumerations())) > 1000


@pytest.mark.parametrize("element", ["Say", "Gather", "Dial", *(name for name in GRAMMAR if name[0].islower())])
def test_elements_nest_as_in_the_typings(element: str) -> None:
    kind = INTERFACES[element].removesuffix("Attributes")
    body = re.search(rf"class {kind} extends TwiML \{{(.*?)\n    \}}", typings(), re.DOTALL)
    assert body
    nested = set(re.findall(r"\n        (\w+)\((?:attributes|words|[a-z]+\??:)", body[1])) - {"constructor"}
    ours = {
        re.sub(r"-(.)", lambda found: found[1].upper(), name[0].lower() + name[1:])
        for name in GRAMMAR[element].children
    }
    assert ours <= nested
    assert ours == nested or element == "Dial"  # it has nouns that are not played
