"""Workflows for tests: of all kinds, most of them good, at the edges of every rule; and damaged ones."""

import json
import operator
from typing import Any

from hypothesis import strategies as st

from ivr.channels.skype import wire

Tree = dict[str, Any]


def mostly(good: st.SearchStrategy[Any], bad: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return a good one, but for one in sixteen: a workflow has many members, and one that is bad spoils all."""
    return st.integers(0, 15).flatmap(lambda chance: bad if chance == 7 else good)


def maybe(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[Tree]:
    """Return an object with any of these members."""
    return st.fixed_dictionaries({}, optional=members)


def together(*parts: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    """Return an object with the members of all."""
    return st.tuples(*parts).map(lambda found: {name: value for part in found for name, value in part.items()})


KEYS = st.sampled_from("0123456789*#ABCD")
OPS = st.sampled_from(["a", "b.prompt", "0f8fad5b-d9cb-469f-a165-70867728950e", 7])
WORDS = st.sampled_from(["sales", "Sales", "help", "yes please", "no"])
TEXT = mostly(
    st.sampled_from(["Hello.", "", " ", None, 7]) | st.builds(operator.mul, st.sampled_from("x é"), st.just(1024)),
    st.builds(operator.mul, st.sampled_from("x é😀"), st.sampled_from([512, 513, 1024, 1025, 2048, 2049])),
)
ADDRESSES = st.sampled_from(
    ["https://bot.example/callback", "HTTPS://bot.example:8443/c?x=1", "http://127.0.0.1:8080/c", "http://[::1]/c"]
)
BAD_ADDRESSES = st.sampled_from(
    ["", "/c", "http://bot.example/c", "https://", "https://[::1/c", "ftp://a/b", "https://a:port/", "http://10.0.0.1/"]
)


def seconds(low: float, high: float) -> st.SearchStrategy[Any]:
    """Return times around the edges of a range, as numbers and as text."""
    edges = mostly(st.sampled_from([low, high, (low + high) / 2]), st.sampled_from([low - 0.5, high + 0.5, 0, -1]))
    return edges | edges.map(str)


def words(alias: Any) -> st.SearchStrategy[Any]:
    """Return the values of an enumeration, in other cases, as numbers, and others."""
    known = st.sampled_from(alias.__args__)
    return known | known.map(str.upper) | st.integers(-1, 20) | st.sampled_from(["smell", "1", "EnUs", "", None])


CULTURES = st.sampled_from(
    ["unknown", "en-US", "EN-us", "enus", "de-DE", "de", "zh-Hant-TW", "i-klingon", "x", "de_DE", "de-", "déu", "smell"]
) | st.sampled_from([-1, 0, 1, 2, 1.0, True, "1", "0", "", None, "de\n", "de-DE-" + "x" * 9])


def action(name: str, *parts: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return together(st.fixed_dictionaries({"operationId": OPS, "action": st.just(name)}), *parts)


PROMPT = maybe(
    value=TEXT,
    fileUri=st.sampled_from(["https://a.example/p.wav", "p.wav", "", None]),
    silenceLengthInMilliseconds=mostly(
        st.sampled_from([0, 1, 500.5, 0.4, 0.6, "500", 60_000, 60_000.4]), st.sampled_from([60_000.6, 60_001, -1])
    ),
    voice=words(wire.VoiceGender),
    culture=CULTURES,
    emphasize=st.sampled_from([True, False, "true", "FALSE", None]),
    sayAs=words(wire.SayAs),
)
GOOD_PROMPT = maybe(voice=words(wire.VoiceGender)).map(lambda more: {"value": "Hello.", **more})
PLAY = action(
    "playPrompt",
    st.fixed_dictionaries({"prompts": st.lists(GOOD_PROMPT | GOOD_PROMPT | PROMPT, min_size=1, max_size=2)}),
)
BEFORE = maybe(playPrompt=PLAY)
TONES = mostly(st.sampled_from([["#"], ["1", "1"], "#", "*#", None]), st.just("") | st.lists(KEYS, max_size=6))
CHOICE = together(
    st.fixed_dictionaries({"name": WORDS}),
    st.fixed_dictionaries({"dtmfVariation": KEYS}) | st.fixed_dictionaries({"speechVariation": st.lists(WORDS)}),
)
RECOGNIZE = action(
    "recognize",
    BEFORE,
    st.fixed_dictionaries({"choices": st.lists(CHOICE, min_size=1, max_size=3)})
    | st.fixed_dictionaries({"collectDigits": maybe(maxNumberOfDtmfs=seconds(1, 20), stopTones=TONES)}),
    maybe(
        bargeInAllowed=st.booleans(),
        culture=CULTURES,
        initialSilenceTimeoutInSeconds=seconds(1, 30),
        interdigitTimeoutInSeconds=seconds(1, 5),
    ),
)
RECORD = action(
    "record",
    BEFORE,
    maybe(
        maxDurationInSeconds=seconds(2, 600),
        initialSilenceTimeoutInSeconds=seconds(1, 30),
        maxSilenceTimeoutInSeconds=seconds(0, 30),
        recordingFormat=words(wire.RecordingFormat),
        playBeep=st.booleans(),
        stopTones=TONES,
    ),
)
ANSWER = action(
    "answer",
    maybe(acceptModalityTypes=mostly(st.sampled_from([[], ["AUDIO"], ["video", 1]]), st.lists(words(wire.Modality)))),
)
TARGETS = mostly(
    st.sampled_from(["sip:sales@pbx.example", "sips:a@[::1]:5061;transport=tls", "tel:+4930", "tel:" + "1" * 252]),
    st.sampled_from(["", "a", "sip:", "SIP:a@b", "sip:a b", "sip:a@b\r\nX: y", "tel:" + "1" * 253, "sip:é@b", 7, None]),
)
TRANSFER = action("transfer", st.fixed_dictionaries({"target": TARGETS}))
END = action("hangup") | TRANSFER
ANY_ACTION = ANSWER | PLAY | RECOGNIZE | RECORD | END | action("reject")
IN_ORDER = st.tuples(
    st.lists(ANSWER, max_size=1),
    st.lists(PLAY, max_size=2),
    st.sampled_from([[], [RECOGNIZE], [RECORD], [RECORD, PLAY, RECOGNIZE]]).flatmap(lambda some: st.tuples(*some)),
    st.lists(END, max_size=1),
).map(lambda parts: [one for part in parts for one in part])
LINKS = together(
    st.fixed_dictionaries({"callback": mostly(ADDRESSES, BAD_ADDRESSES)}),
    maybe(notification=mostly(ADDRESSES, BAD_ADDRESSES)),
)
WORKFLOW = together(
    st.fixed_dictionaries({"actions": mostly(IN_ORDER, st.lists(ANY_ACTION, max_size=5))}),
    maybe(
        links=LINKS,
        appState=TEXT,
        notificationSubscriptions=st.lists(words(wire.NotificationType), max_size=2),
        agent=st.just("botbuilder"),
    ),
)
PROMPTS = [{"value": "Hello.", "voice": "male", "culture": "en-US", "emphasize": True, "sayAs": "cardinal"}]
BEFORE_IT = {"operationId": "p", "action": "playPrompt", "prompts": [*PROMPTS, {"silenceLengthInMilliseconds": 200}]}
EACH_ACTION: dict[str, Tree] = {
    "answer": {"operationId": "a", "action": "answer", "acceptModalityTypes": ["audio", "video"]},
    "playPrompt": BEFORE_IT | {"prompts": [*PROMPTS, {"fileUri": "p.wav", "silenceLengthInMilliseconds": 1}]},
    "recognize": {
        "operationId": "q",
        "action": "recognize",
        "playPrompt": BEFORE_IT,
        "bargeInAllowed": True,
        "culture": "en-US",
        "initialSilenceTimeoutInSeconds": 5,
        "interdigitTimeoutInSeconds": 1,
        "choices": [
            {"name": "yes", "speechVariation": ["yes", "yep"], "dtmfVariation": "1"},
            {"name": "no", "speechVariation": ["no"], "dtmfVariation": "2"},
        ],
    },
    "record": {
        "operationId": "r",
        "action": "record",
        "playPrompt": BEFORE_IT,
        "maxDurationInSeconds": 60,
        "initialSilenceTimeoutInSeconds": 5,
        "maxSilenceTimeoutInSeconds": 2,
        "recordingFormat": "wav",
        "playBeep": True,
        "stopTones": ["#", "*"],
    },
    "hangup": {"operationId": "h", "action": "hangup"},
    "reject": {"operationId": "x", "action": "reject"},
    "transfer": {"operationId": "t", "action": "transfer", "target": "sip:sales@pbx.example"},
}
COLLECT = EACH_ACTION["recognize"] | {"choices": None, "collectDigits": {"maxNumberOfDtmfs": 4, "stopTones": ["#"]}}
EVERYTHING: list[Tree] = [
    {
        "actions": [EACH_ACTION[name] for name in ("answer", "playPrompt", "recognize", "record", "hangup")],
        "links": {"callback": "https://bot.example/callback", "notification": "https://bot.example/notice"},
        "appState": "here",
        "notificationSubscriptions": ["callStateChange"],
    },
    {"actions": [COLLECT]},
    {"actions": [EACH_ACTION["answer"], EACH_ACTION["transfer"]]},
]
"Together they have every member that there is."
NUMBERS = (0, 0.4, 0.5, 0.6, 0.9, 1, 1.5, 1.9, 2, 2.5, 5, 5.1, 6, 20, 20.4, 20.5, 20.6, 21, 30, 30.1, 31, 600, 600.1)
SILENCES = (-1, -0.4, 60_000, 60_000.4, 60_000.5, 60_000.6, 60_001, 10**30)
SPELLED = (
    "",
    " ",
    "text",
    "male",
    "de-DE",
    "FEMALE",
    "enus",
    "en-us",
    "WAV",
    "Audio",
    "VIDEO",
    "true",
    "False",
    "#",
    "E",
    "12",
)
LENGTHS = tuple(letter * count for letter in " xé😀" for count in (512, 513, 1024, 1025, 2048, 2049))
LISTS = (*([*"123456"[:count]] for count in range(7)), ["yes"], ["No"], ["no", "no"], [" "], [None], ["a", 7], [[]])
SCALARS = (*NUMBERS, *SILENCES, *map(str, NUMBERS), *map(str, SILENCES), None, True, False)
EVERY_VALUE = (*SCALARS, *SPELLED, *LENGTHS, *LISTS, {}, {"value": "a"}, {"stopTones": "#"}, {"maxNumberOfDtmfs": 1})

VALUES = ("null", "true", "0", "1", "-1", "1.5", "2.0", "1" + "0" * 30, '""', '" "', '"1"', '"text"', '"true"')
LUMPS = ("[]", "[null]", '["#"]', "{}", '{"a": 1}')
JUNK = st.sampled_from(VALUES + LUMPS).map(json.loads)  # each time anew, since it may be damaged in its turn


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return all there is in a tree: what holds it, and under which name or number."""
    match value:
        case dict():
            inside = list(value.items())
        case list():
            inside = list(enumerate(value))
        case _:
            inside = []
    return [(value, name) for name, _ in inside] + [place for _, item in inside for place in places(item)]


@st.composite
def damaged(draw: st.DrawFn) -> Tree:
    """Return a workflow in which something was left out, replaced, doubled or renamed."""
    tree: Tree = json.loads(json.dumps(draw(WORKFLOW)))
    for _ in range(draw(st.integers(1, 2))):
        if not (found := places(tree)):
            break
        holder, name = draw(st.sampled_from(found))
        caller_action = draw(st.sampled_from(["replace", "leave out", "other case", "twice", "swap"]))
        if caller_action == "leave out":
            del holder[name]
        elif caller_action == "replace" or not isinstance(name, str):
            holder[name] = draw(JUNK)
        elif caller_action == "other case":
            holder[draw(st.sampled_from([name.upper(), name.lower(), name.capitalize()]))] = holder.pop(name)
        elif caller_action == "twice":
            holder[draw(st.sampled_from([name.upper(), name.capitalize()]))] = draw(JUNK)
        else:
            holder[draw(st.sampled_from(sorted({str(other) for _, other in found})))] = holder.pop(name)
    return tree
