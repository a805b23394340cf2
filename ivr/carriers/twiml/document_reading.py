"""A bot's answer to a document, every mistake with its place. Nothing of a document with a mistake is carried out.

The carrier itself only warns of some mistakes (its 12200). Here they are errors: who tries a bot out wants to see them.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal
from urllib.parse import urljoin

from ivr.carriers.bot import BotReply
from ivr.carriers.twiml.grammar import Element
from ivr.carriers.twiml.markup import MOST_BYTES, Malformed, Node, parsed
from ivr.carriers.twiml.twiml_document import (
    Dial,
    Document,
    Gather,
    HangUp,
    Method,
    Prompt,
    Record,
    Redirect,
    Refused,
    Reject,
    Target,
    Verb,
)
from ivr.engine.commands import Audio, Segment, Silence, Text
from ivr.nearest import did_you_mean

XML_TYPES = ("text/xml", "application/xml", "text/html")
"What is read as a document."
FEMALE_LANGUAGE = "en-US"


def read_document(
    reply: BotReply, url: str, grammar: Mapping[str, Element], reader: "Callable[[str], DocumentReader] | None" = None
) -> Document | Refused:
    """Read what was answered at an address, against which relative ones count."""
    if reply.content_type not in XML_TYPES:
        return Refused(12300, (f'the content type "{reply.content_type}" is not {XML_TYPES[0]}',))
    if len(reply.body) > MOST_BYTES:
        return Refused(11750, (f"the document is longer than {MOST_BYTES:,} bytes",))
    try:
        root = parsed(reply.body)
    except Malformed as error:
        return Refused(12100, (f"{error.line}:{error.column} {error}",))
    if root.name != "Response":
        return Refused(12102, (f"{root.line}:{root.column} the root element is {root.name}, not Response",))
    problems = tuple(_problems(root, grammar))
    return Refused(12200, problems) if problems else Document(tuple((reader or DocumentReader)(url).verbs(root)))


# --- against the grammar ---------------------------------------------------------------------------------------------


def _problems(node: Node, grammar: Mapping[str, Element]) -> Iterator[str]:
    element = grammar[node.name]
    for name, value in node.attributes.items():
        kind = element.attributes.get(name)
        if kind is None:
            yield _at(node, f'{node.name} has no attribute "{name}"', did_you_mean(name, element.attributes))
        elif expected := kind(value):
            yield _at(node, f'{name}="{value}" of {node.name} is not {expected}')
    if element.text == "none" and node.own_text:
        yield _at(node, f"{node.name} cannot contain text")
    if element.text == "needed" and not node.own_text:
        yield _at(node, f"{node.name} needs a text")
    for child in node.children:
        if child.name in element.children:
            yield from _problems(child, grammar)
        elif child.name in grammar:
            yield _at(child, f"{child.name} cannot stand in {node.name}")
        else:
            yield _at(child, f"no element is called {child.name}", did_you_mean(child.name, element.children))
    if node.name == "Play" and not node.own_text and "digits" not in node.attributes:
        yield _at(node, "Play needs an address")


def _at(node: Node, problem: str, meant: str = "") -> str:
    return f"{node.line}:{node.column} {problem}. {meant}".rstrip(" .")


# --- into verbs ------------------------------------------------------------------------------------------------------


class DocumentReader:
    """Makes verbs of a document that keeps to the grammar."""

    def __init__(self, url: str) -> None:
        self._url = url

    def verbs(self, root: Node) -> Iterator[Verb]:
        """Return what a document does, in order."""
        leading = True
        for node in root.children:
            verb = self.verb(node, leading=leading and node.name == "Pause")
            leading = leading and node.name == "Pause"
            yield verb

    def verb(self, node: Node, *, leading: bool) -> Verb:
        """Return what an element does; `leading`: nothing was heard before it."""
        match node.name:
            case "Say" | "Play" | "Pause":
                return Prompt(tuple(self.segments(node)), int(node.attributes.get("loop", 1)), leading)
            case "Gather":
                return self._gather(node)
            case "Record":
                return self._record(node)
            case "Dial":
                return self._dial(node)
            case "Redirect":
                return Redirect(self.target(node.text, node.attributes.get("method")))
            case "Reject":
                return Reject("busy" if node.attributes.get("reason") == "busy" else "rejected")
        return HangUp()

    def _gather(self, node: Node) -> Gather:
        said = node.attributes
        inputs = said.get("input", "dtmf").split()
        most = said.get("numDigits") or said.get("maxDigits")
        speech_timeout = said.get("speechTimeout")
        nested = (segment for child in node.children for segment in self.repeated(child))
        return Gather(
            action=self.action(node),
            prompt=tuple(nested),
            keys="dtmf" in inputs,
            speech="speech" in inputs,
            timeout=float(said.get("timeout", 5)),
            most=int(most) if most else None,
            finish_on=said.get("finishOnKey", "#"),
            tells_silence=said.get("actionOnEmptyResult") == "true",
            barge_in=said.get("bargeIn") != "false",
            hints=tuple(hint.strip() for hint in said.get("hints", "").split(",") if hint.strip()),
            language=said.get("language", FEMALE_LANGUAGE),
            # `auto` ends at the first pause in speech, which is short.
            speech_timeout=1.0 if speech_timeout == "auto" else float(speech_timeout) if speech_timeout else None,
        )

    def _record(self, node: Node) -> Record:
        said = node.attributes
        status = said.get("recordingStatusCallback")
        return Record(
            action=self.action(node),
            timeout=float(said.get("timeout", 5)),
            finish_on=said.get("finishOnKey", "1234567890*#"),
            most=float(said.get("maxLength", 3600)) or 3600.0,
            beep=said.get("playBeep") != "false",
            trim=said.get("trim") != "do-not-trim",
            status=self.target(status, said.get("recordingStatusCallbackMethod")) if status else None,
            events=tuple(said.get("recordingStatusCallbackEvent", "completed").split()),
        )

    def _dial(self, node: Node) -> Dial:
        nouns = node.children
        called = nouns[0] if nouns else node
        scheme = {"Sip": "", "Client": "client:"}.get(called.name, "tel:")
        has_action = "action" in node.attributes
        timeout = float(node.attributes.get("timeout", 30))
        said = called.attributes if nouns else {}
        status, whisper = said.get("statusCallback"), said.get("url")
        return Dial(
            scheme + called.text,
            self.action(node) if has_action else None,
            timeout,
            status=self.target(status, said.get("statusCallbackMethod")) if status else None,
            events=tuple(said.get("statusCallbackEvent", "completed").split()),
            whisper=self.target(whisper, said.get("method")) if whisper else None,
        )

    def repeated(self, node: Node) -> Iterator[Segment]:
        """Return what is heard of an element in a question, as often as it says."""
        # Endless repetition of what is nested ends with the first key; a hundred times is longer than any patience.
        for _ in range(int(node.attributes.get("loop", 1)) or 100):
            yield from self.segments(node)

    def segments(self, node: Node) -> Iterator[Segment]:
        """Return what is heard of an element."""
        match node.name:
            case "Pause":
                yield Silence(1000 * int(node.attributes.get("length", 1)))
            case "Play" if node.text:
                yield Audio(url=urljoin(self._url, node.text))
            case "Say":
                yield from spoken(node)

    def action(self, node: Node) -> Target:
        """Return the address that is told what became of an element."""
        return self.target(node.attributes.get("action", ""), node.attributes.get("method"))

    def target(self, address: str, method: str | None) -> Target:
        """Return an address as it is asked."""
        way: Method = "GET" if method == "GET" else "POST"
        # An empty address is the document's own. What follows `#` is for the carrier alone.
        return Target(urljoin(self._url, address) if address else self._url, way)


def spoken(node: Node, *, male: str = "man") -> Iterator[Segment]:
    """Return what an element says; `male` is the carrier's word for its one voice of a man."""
    language = node.attributes.get("language", FEMALE_LANGUAGE)
    gender: Literal["male", "female"] = "male" if node.attributes.get("voice") == male else "female"
    words: list[str] = []
    for part in _flat(node):
        if isinstance(part, str):
            words.append(part)
            continue
        if text := " ".join("".join(words).split()):
            yield Text(text, gender, language)
        words.clear()
        yield part
    if text := " ".join("".join(words).split()):
        yield Text(text, gender, language)


def _flat(node: Node) -> Iterator[str | Silence]:
    for part in node.parts:
        if isinstance(part, str):
            yield part
        elif part.name == "break":
            yield Silence(_break(part.attributes))
        elif part.name == "sub":
            yield part.attributes.get("alias", part.text)
        else:
            apart = " " if part.name in ("p", "s") else ""
            yield apart
            yield from _flat(part)
            yield apart


_STRENGTHS = {"none": 0, "x-weak": 0, "weak": 100, "medium": 250, "strong": 500, "x-strong": 1000}
"Milliseconds."


def _break(said: Mapping[str, str]) -> int:
    """Return the length of a pause, in milliseconds."""
    time = said.get("time", "")
    number = time.removesuffix("ms").removesuffix("s")
    if not number.replace(".", "", 1).isdecimal():
        return _STRENGTHS[said.get("strength", "medium")]
    return round(float(number) * (1 if time.endswith("ms") else 1000))
