"""Every verb that is written is one of the vendor's own typings: no attribute, word, voice or language of our own.

TypeScript's compiler is the judge: the verbs of many documents become literals of the types in
`twilio/lib/twiml/VoiceResponse.d.ts`, as an author who writes TypeScript would have them.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

import pytest
from hypothesis import Phase, given, settings

from ivr.channels.twiml import voices
from ivr.engine.commands import LineCommand, Play, Text
from tests.channels.orders import batches
from tests.twiml.twiml_line import CALL, Line, verb

PEERS = Path(__file__).parents[1] / "peers"
TYPINGS = PEERS / "node_modules/twilio/lib/twiml/VoiceResponse.d.ts"

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not TYPINGS.exists() or not (PEERS / "node_modules/@types/node").exists(),
    reason="run `npm install` in tests/peers (make test does)",
)

TYPES: Final = {"break": "SsmlBreak", "emphasis": "SsmlEmphasis", "say-as": "SsmlSayAs"}
NUMBERS: Final = {"numDigits", "timeout", "length", "maxLength"}
FLAGS: Final = {"actionOnEmptyResult", "bargeIn", "profanityFilter", "playBeep"}
LISTS: Final = {"input", "recordingStatusCallbackEvent", "statusCallbackEvent"}
NO_ATTRIBUTES: Final = {"Response", "Hangup"}


def literal(element: Element) -> str:
    """Return an element's attributes as TypeScript; what is no number, flag or list is a text."""
    return "{" + ", ".join(f"{json.dumps(name)}: {value(name, text)}" for name, text in element.attrib.items()) + "}"


def value(name: str, text: str) -> str:
    if name in FLAGS and text in ("true", "false"):
        return text
    if name in NUMBERS and re.fullmatch("[0-9]+", text):
        return text
    return json.dumps(text.split(" ") if name in LISTS else text)


def statements(elements: list[Element]) -> list[str]:
    found = []
    for element in elements:
        if element.tag not in NO_ATTRIBUTES:
            kind = TYPES.get(element.tag, element.tag)
            found.append(f"check<VoiceResponse.{kind}Attributes>({literal(element)});")
    return list(dict.fromkeys(found))


def compiled(lines: list[str], folder: Path) -> str:
    """Return what the compiler has to say of the statements."""
    head = [f"import VoiceResponse = require({json.dumps(str(TYPINGS).removesuffix('.d.ts'))});",
            "function check<T>(attributes: T): void {}"]  # fmt: skip
    file = folder / "verbs.ts"
    file.write_text("\n".join([*head, *lines]), "utf-8")
    tsc = ["node", str(PEERS / "node_modules/typescript/bin/tsc"), "--noEmit", "--strict", "--module", "node16",
           "--moduleResolution", "node16", "--types", "node", "--typeRoots", str(PEERS / "node_modules/@types"),
           str(file)]  # fmt: skip
    done = subprocess.run(tsc, cwd=PEERS, capture_output=True, text=True, timeout=300, check=False)
    return done.stdout + done.stderr


def written() -> list[Element]:
    """Return the elements of many documents: whatever is ordered, in all languages that have a voice."""
    found: list[Element] = []

    @given(batches())
    @settings(max_examples=400, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    def collect(commands: tuple[LineCommand, ...]) -> None:
        found.extend(Line().says(*commands).iter())

    collect()
    for language in voices._VOICES:
        for gender in ("male", "female"):
            found += Line().says(Play("1.1", (Text("Hello", gender, language),))).iter()
    return found


def test_every_verb_is_one_of_the_vendor_s_own(tmp_path: Path) -> None:
    elements = written()
    assert {element.tag for element in elements} == {
        "Response", "Say", "Play", "Gather", "Pause", "Record", "Redirect", "Reject", "Hangup", "Dial", "Number",
        "Sip", "break", "emphasis", "say-as",
    }  # fmt: skip
    assert compiled(statements(elements), tmp_path) == ""


def test_the_compiler_sees_what_is_wrong(tmp_path: Path) -> None:
    wrong = {
        'check<VoiceResponse.GatherAttributes>({"inter": 1});': "inter",
        'check<VoiceResponse.RejectAttributes>({"reason": "declined"});': "declined",
        'check<VoiceResponse.SayAttributes>({"voice": "Polly.Nobody"});': "Polly.Nobody",
        'check<VoiceResponse.GatherAttributes>({"timeout": "5"});': "string",
    }
    told = compiled(list(wrong), tmp_path)
    assert len(re.findall("error TS", told)) == len(wrong)
    assert all(word in told for word in wrong.values())


def words(name: str) -> set[str]:
    found = re.search(rf"type {name} = (.*);", TYPINGS.read_text("utf-8"))
    assert found is not None
    return set(re.findall('"([^"]+)"', found[1]))


def test_voices_and_languages_are_the_vendor_s() -> None:
    spoken = {voices.spoken_by(language, gender) for language in voices._VOICES for gender in ("male", "female")}
    assert {one.voice for one in spoken if one} <= words("SayVoice")
    assert {one.language for one in spoken if one} <= words("SayLanguage")
    assert set(voices._RECOGNISED.split()) <= words("GatherLanguage")


@pytest.mark.parametrize(
    ("tag", "spoken", "recognised"),
    [
        ("en-US", "en-US", "en-US"), ("EN", "en-US", "en-US"), ("en-GB", "en-GB", "en-GB"), ("de-AT", "de-DE", "de-DE"),
        ("zh-CN", "cmn-CN", "cmn-Hans-CN"), ("no", "nb-NO", "nb-NO"), ("fi", None, "fi-FI"), ("tlh", None, None),
        ("pt-BR", "pt-BR", "pt-BR"), ("es-AR", "es-ES", "es-AR"),
    ],
)  # fmt: skip
def test_a_tag_leads_to_the_nearest_language(tag: str, spoken: str | None, recognised: str | None) -> None:
    voice = voices.spoken_by(tag, "male")
    assert (voice.language if voice else None, voices.recognised(tag)) == (spoken, recognised)


def test_one_voice_speaks_where_there_is_no_other() -> None:
    say = verb(Line().says(Play("1.1", (Text("Hej", "male", "sv-SE"),))), "Say")
    assert (say.get("voice"), CALL[:2]) == ("Polly.Astrid", "CA")
