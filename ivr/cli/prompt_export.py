"""Spoken texts as files for people and for lines that play files alone: a WAV for each, and an index of them all."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from unicodedata import category

from msgspec import Struct

from ivr.cli.prompt_making import MadePrompt
from ivr.engine.commands import Text
from ivr.flowfile.finding import visible
from ivr.flowfile.spoken_texts import FlowText
from ivr.media.recorder import wav
from ivr.ports import SampleRate
from ivr.smallfiles import write_whole

INDEX = "index"
"The name of the two indexes, without `.json` and `.txt`."
_LONGEST_NAME = 200
"Bytes in UTF-8: with what is added to it, a file system takes it."
_BRANCHES = frozenset({"on", "next", "decide"})
"Keys of a state that are no action with prompts of its own."


class ExportedFlow(Struct, frozen=True):
    """The texts of one flow, and the file of each that is spoken."""

    name: str
    file: str
    texts: Sequence[FlowText]
    files: Mapping[Text, str]
    "Names below the folder of the export, with `/`; the same text has one file, wherever it stands."


class Export:
    """A folder that gets the files of some flows."""

    def __init__(self, folder: Path, rate: SampleRate) -> None:
        """Use a folder, which is made if it is missing."""
        self.folder = folder
        self._rate = rate
        self._flows: list[ExportedFlow] = []
        self._taken: set[str] = set()

    def add(self, name: str, file: str, texts: Sequence[FlowText]) -> None:
        """Add the texts of a flow; each is written as soon as it is there."""
        self._flows.append(named(name, file, texts, self._taken))

    def write(self, text: Text, samples: bytes) -> list[int]:
        """Write the sound of a text, a file for each flow that speaks it; return their bytes, raise OSError."""
        data = wav(samples, self._rate).data
        names = [flow.files[text] for flow in self._flows if text in flow.files]
        for name in names:
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, data)
        return [len(data)] * len(names)

    def write_index(self, made: Mapping[Text, MadePrompt]) -> None:
        """Write down which text of which state is in which file, for programs and for people; raise OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        listed = {"rate": self._rate, "flows": [_listed(flow, made) for flow in self._flows]}
        as_json = json.dumps(listed, indent=2, ensure_ascii=False) + "\n"
        write_whole(self.folder / f"{INDEX}.json", as_json.encode())
        write_whole(self.folder / f"{INDEX}.txt", "\n".join(_lines(self._flows, made)).encode())


def _listed(flow: ExportedFlow, made: Mapping[Text, MadePrompt]) -> dict[str, object]:
    return {
        "flow": flow.name,
        "file": flow.file,
        "texts": [entry for one in flow.texts for entry in _entries(flow, one, made)],
    }


def _entries(flow: ExportedFlow, one: FlowText, made: Mapping[Text, MadePrompt]) -> Iterator[dict[str, object]]:
    where = {"state": one.state, "place": place_of(one), "line": one.line, "written": one.written}
    where |= {"file": one.file} if one.file else {}
    for text in one.spoken:
        prompt = made[text]
        yield {
            **where,
            "text": text.value,
            "language": text.language,
            "voice": text.voice,
            "sayAs": text.say_as,
            "emphasize": text.emphasize,
            "wav": None if prompt.failure else flow.files[text],
            "seconds": round(prompt.seconds, 2),
            "spokenBy": list(prompt.voices),
            "failure": prompt.failure or None,
        }
    if one.reads:
        yield {**where, "wav": None, "reads": list(one.reads)}


def _lines(flows: Sequence[ExportedFlow], made: Mapping[Text, MadePrompt]) -> Iterator[str]:
    """Write the index for people: file, seconds, line of the flow, words."""
    for flow in flows:
        yield visible(f"{flow.name} ({flow.file})")
        for one in flow.texts:
            for text in one.spoken:
                prompt = made[text]
                name = f"(not made: {prompt.failure})" if prompt.failure else flow.files[text]
                yield visible(f"  {name}  {prompt.seconds:.1f} s  {one.place}  {text.language}  {text.value}")
            if one.reads:
                yield visible(f"  (known in a call: {', '.join(one.reads)})  {one.place}  {one.written}")
        yield ""


def named(name: str, file: str, texts: Sequence[FlowText], taken: set[str]) -> ExportedFlow:
    """Return a flow with a file for each spoken text, named after the first place where it stands.

    No two names differ by capital letters alone: some file systems take them for one. `taken` grows by the new ones.
    """
    files: dict[Text, str] = {}
    for one in texts:
        for text in one.spoken:
            if text not in files:
                language = f"-{text.language}" if len(one.spoken) > 1 else ""
                files[text] = _free(f"{_plain(name)}/{_plain(_place(one) + language)}", taken) + ".wav"
    return ExportedFlow(name, file, texts, files)


def place_of(text: FlowText) -> str:
    """Return where in its state, or in the flow, a text stands, as a person would say it: `noInput-2`."""
    path: tuple[str | int, ...] = text.path
    if text.state is not None:
        path = path[2:]
        if path[0] not in _BRANCHES and any(isinstance(step, str) for step in path[1:]):
            path = path[1:]  # what comes after the action says enough
    while path[-1] == 0:
        path = path[:-1]
    # The first branch of a handler is mostly the only one.
    steps = [step for number, step in enumerate(path) if step != 0 or path[number + 1 : number + 2] != ("say",)]
    return "-".join(str(step + 1) if isinstance(step, int) else step for step in steps)


def _place(text: FlowText) -> str:
    return f"{text.state}-{place_of(text)}" if text.state is not None else place_of(text)


def _plain(name: str) -> str:
    """Return a name with nothing in it that means more than itself in a path; letters of all alphabets stay."""
    kept = "".join(char if char.isalnum() or char in "-." or category(char)[0] == "M" else "_" for char in name)
    return kept.encode()[:_LONGEST_NAME].decode(errors="ignore").lstrip(".") or "_"


def _free(name: str, taken: set[str]) -> str:
    free, number = name, 2
    while free.casefold() in taken:
        free, number = f"{name}-{number}", number + 1
    taken.add(free.casefold())
    return free
