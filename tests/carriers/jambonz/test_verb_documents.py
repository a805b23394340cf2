"""A document is judged as jambonz's own judges do it, and every mistake is told with its place."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ivr.carriers.jambonz.verb_document import Refused, read_document
from ivr.carriers.jambonz.verb_shapes import PARTS, VERBS, Kind, Part, Parts, Shape
from ivr.carriers.jambonz.verbs import VERB_TYPES
from tests.carriers.jambonz.judges import judged, needs_judges

VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        0,
        1,
        2,
        0.5,
        -1,
        5,
        "",
        "x",
        "POST",
        "mono",
        "5",
        [],
        ["x"],
        ["speech", "digits"],
        [1],
        [None],
        [{}],
    ),
    *({}, {"url": "x"}, {"url": "x", "method": "PUT"}, {"url": 1}, {"x": "y"}, {"x": 1}, {"x": {}}, {"vendor": "x"}),
    *({"text": "x"}, {"enable": True}, {"username": "x", "password": "y"}, {"username": "x"}, {"type": "phone"}),
    *([{"phrase": "x"}], [{"phrase": "x", "boost": "1"}], [{"type": "phone"}], [{"type": "fax"}], {"user": "x"}),
    *({"url": "x", "basicAuth": {"username": "x"}}, {"url": "x", "basicAuth": {"username": "x", "password": "y"}}),
    *({"actionHook": "x"}, {"actionHook": 1}, ["x", {}], "MALE", "neural", "dtls", "webrtc", 3, 1.5, "silero"),
)
"What each property of each verb is tried with."
NEEDED: Mapping[str, Mapping[str, Any]] = {
    "say": {"text": "x"},
    "play": {"url": "x"},
    "pause": {"length": 1},
    "listen": {"url": "x"},
    "redirect": {"actionHook": "x"},
    "sip:decline": {"status": 603},
    "dial": {"target": [{"type": "phone", "number": "x"}]},
    "sip:refer": {"referTo": "x"},
    "tag": {"data": {}},
    "synthesizer": {"vendor": "x"},
    "recognizer": {"vendor": "x"},
    "auth": {"username": "x", "password": "y"},
    "fillerNoise": {"enable": True},
    "target": {"type": "phone"},
    "amd": {"actionHook": "x"},
}
UNSEEN = {f"{vendor}Options" for vendor in ("custom", "gladia")} | {
    name for name in PARTS["recognizer"].properties if name.endswith("Options")
}
"A vendor's options are not looked into."


def variants(name: str, shape: Shape, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Return objects of a shape, each with one property that may be wrong."""
    least = dict(NEEDED.get(name, {}))
    yield least
    yield {**least, "bogus": 1}
    yield {**least, "_": {"x": 1}}
    for required in shape.required:
        yield {key: value for key, value in least.items() if key != required}
    for property_, kind in shape.properties.items():
        if property_ in UNSEEN or kind == "absent":
            continue
        yield from ({**least, property_: value} for value in VALUES)
        if depth < 2:
            yield from ({**least, property_: inner} for inner in _inside(kind, depth))


def _inside(kind: Kind, depth: int) -> Iterator[Any]:
    match kind:
        case Part(shape=name):
            yield from variants(name, PARTS[name], depth + 1)
        case Parts(shape=name) if name != "any":
            yield from ([inner] for inner in variants(name, PARTS[name], depth + 1))


def problems_of(document: Any) -> tuple[str, ...]:
    found = read_document(json.dumps(document).encode())
    return found.problems if isinstance(found, Refused) else ()


@needs_judges
def test_what_jambonz_refuses_is_refused_and_nothing_else() -> None:
    documents = [[{"verb": name, **data}] for name in VERBS for data in variants(name, VERBS[name])]
    documents += [[{name: data}] for name in VERBS for data in ({}, NEEDED.get(name, {}))]
    verdicts = judged(documents=documents)["documents"]
    wrong = [
        (document, verdict, problems_of(document))
        for document, verdict in zip(documents, verdicts, strict=True)
        if bool(verdict) != bool(problems_of(document)) and not _stricter(document)
    ]
    assert wrong == []


def _stricter(document: Any) -> bool:
    """Return whether it is refused by more than the judges: by what makes the verbs, or as if a verb stood by itself.

    The feature server makes no `say` without a text. A verb in another one is hardly looked into by the judges.
    """
    nested = (".gather.say", ".gather.play", ".dial.listen", ".dial.stream", ".dial.transcribe")
    problems = problems_of(document)
    return bool(problems) and all(
        'property "text" is missing' in one or any(n in one for n in nested) for one in problems
    )


@needs_judges
def test_both_ways_to_write_a_verb_and_what_is_none_are_judged_alike() -> None:
    documents: list[Any] = [
        [],
        [{"say": {"text": "x"}}, {"verb": "hangup"}],
        [{"verb": "stream", "url": "x"}],
        {},
        [5],
        [{"text": "x", "loop": 1}],
        [{"verb": "sya", "text": "x"}],
        [{}],
    ]
    verdicts = judged(documents=documents)["documents"]
    assert [bool(verdict) for verdict in verdicts] == [bool(problems_of(document)) for document in documents]


def test_each_verb_has_its_shape_and_its_data() -> None:
    assert VERBS.keys() == VERB_TYPES.keys()
    for name in VERBS:
        assert problems_of([{"verb": name, **NEEDED.get(name, {})}]) == ()


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([{"verb": "gather", "input": ["voice"]}], '[0].gather.input[0]: "voice" is none of speech, digits'),
        ([{"verb": "answer"}, {"verb": "say", "txt": "x"}], '[1].say.txt: unknown property. Did you mean "text"?'),
        ([{"verb": "pause", "length": "1"}], '[0].pause.length: must be a number, but is "1"'),
        ([{"verb": "pause"}], '[0].pause: the property "length" is missing'),
        ([{"verb": "gathr"}], '[0]: "gathr" is not a verb. Did you mean "gather"?'),
        ([{"verb": "conference", "name": "x"}], '[0]: this emulator does not carry out "conference"'),
        ([{"verb": "config", "bargeIn": {"enable": True}}], "[0].config.bargeIn: this emulator does not carry it out"),
        ([{"verb": "gather", "say": {"loop": 2}}], '[0].gather.say: the property "text" is missing'),
        (
            [{"verb": "redirect", "actionHook": {"url": "x", "method": "PUT"}}],
            '[0].redirect.actionHook.method: "PUT" is none of GET, POST',
        ),
        ({"verb": "say"}, "A document is an array of verbs."),
        ([{"verb": "pause", "length": 10**400}], None),
    ],
)
def test_a_mistake_is_told_with_its_place(document: Any, problem: str | None) -> None:
    problems = problems_of(document)
    assert problems
    assert problem is None or problem in problems


@pytest.mark.parametrize("body", [b"", b"[", b"\xff", b"[" * 5000 + b"]" * 5000, b"[NaN]", b"[1e999]"])
def test_what_is_no_document_is_refused(body: bytes) -> None:
    assert isinstance(read_document(body), Refused)


def test_what_is_too_deep_is_refused_before_it_is_looked_into() -> None:
    document: Any = {}
    for _ in range(50):
        document = {"x": document}
    assert "nested deeper" in problems_of([{"verb": "tag", "data": document}])[0]
