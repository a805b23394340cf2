"""The elements of Plivo as the verbs that the interpreter carries out: the same acts, with other names and times."""

from collections.abc import Iterator

from ivr.carriers.twiml.document_reading import DocumentReader, spoken
from ivr.carriers.twiml.markup import Node
from ivr.carriers.twiml.twiml_document import Dial, Gather, HangUp, Prompt, Record, Redirect, Reject, Verb
from ivr.engine.commands import Segment, Silence

_AUTO = 2.0
"Seconds that `auto` waits for one more key, or one more word."


class PlivoReader(DocumentReader):
    """Makes verbs of a document that keeps to the grammar."""

    def verb(self, node: Node, *, leading: bool) -> Verb:
        """Return what an element does."""
        said = node.attributes
        match node.name:
            case "Speak" | "Play" | "Wait":
                return Prompt(tuple(self.segments(node)), int(said.get("loop", 1)), leading)
            case "GetInput":
                return self._input(node)
            case "Record":
                return self._recorded(node)
            case "Dial":
                return self._dialled(node)
            case "Redirect":
                return Redirect(self.target(node.text, said.get("method")))
            case "Hangup" if "reason" in said:
                return Reject("busy" if said["reason"] == "busy" else "rejected")
        return HangUp()

    def _input(self, node: Node) -> Gather:
        said = node.attributes
        inputs = said.get("inputType", "dtmf").split()
        most, end = said.get("numDigits"), said.get("finishOnKey", "#")
        return Gather(
            action=self.action(node),
            prompt=tuple(segment for child in node.children for segment in self.repeated(child)),
            keys="dtmf" in inputs,
            speech="speech" in inputs,
            timeout=float(said.get("executionTimeout", 15)),
            between=_seconds(said.get("digitEndTimeout")),
            most=int(most) if most else None,
            finish_on="" if end == "none" else end,
            hints=tuple(hint.strip() for hint in said.get("hints", "").split(",") if hint.strip()),
            language=said.get("language", "en-US"),
            speech_timeout=_seconds(said.get("speechEndTimeout")),
        )

    def _recorded(self, node: Node) -> Record:
        said = node.attributes
        end, told = said.get("finishOnKey", "#"), said.get("callbackUrl")
        return Record(
            action=self.action(node),
            timeout=float(said.get("timeout", 15)),
            finish_on="" if end == "none" else end,
            most=float(said.get("maxLength", 60)),
            beep=said.get("playBeep") != "false",
            trim=False,
            status=self.target(told, said.get("callbackMethod")) if told else None,
            keeps_silence=True,
        )

    def _dialled(self, node: Node) -> Dial:
        said, called = node.attributes, node.children[0] if node.children else node
        told, whisper = said.get("callbackUrl"), said.get("confirmSound")
        number = called.text
        return Dial(
            number if called.name == "User" else f"tel:{number}",
            self.action(node) if "action" in said else None,
            float(said.get("timeout", 120)),
            status=self.target(told, said.get("callbackMethod")) if told else None,
            events=("answered", "completed"),
            whisper=self.target(whisper, "POST") if whisper else None,
        )

    def segments(self, node: Node) -> Iterator[Segment]:
        """Return what is heard of an element."""
        match node.name:
            case "Wait":
                yield Silence(1000 * int(node.attributes.get("length", 1)))
            case "Speak":
                yield from spoken(node, male="MAN")
            case _:
                yield from super().segments(node)


def _seconds(text: str | None) -> float:
    return _AUTO if text is None or text == "auto" else float(text)
