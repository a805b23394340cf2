"""An edit is seen by those callers who would notice it, and by no others."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.engine.flow import Flow
from ivr.trace.case import AskedChoices, AskedKeys, Case, CaseLine
from ivr.trace.replay import replay
from tests.flows import flow_of
from tests.trace.recorded_calls import random_call

DESK = """
flow: desk
initial: main
on: {exhausted: gave_up, error: trouble}
states:
  main:
    menu:
      prompt: For help, press 1. For news, press 2.
      choices: {help: {dtmf: "1", speech: [help]}, news: {dtmf: "2", speech: [news]}}
      noInput: [I heard nothing., Still nothing.]
      noMatch: Not a choice.
    on: {help: number, news: news}
  number:
    digits: {prompt: Your number., maxDigits: 4, noMatch: Too long., into: number}
    next: [{guard: number == '1' or visits.number > 2, target: describe}, {say: Wrong number., target: number}]
  describe:
    record: {prompt: What is wrong?, transcribe: true, holdPrompt: One moment., into: issue}
    next: thanks
    on: {error.transcribe: thanks, hangup: left}
  thanks: {say: ["Thank you.", {guard: issue.transcript, text: "We heard {{ issue.transcript }}."}], final: true}
  news: {say: There is no news., next: main}
  left: {say: Left., final: true, outcome: left}
  gave_up: {say: We give up., final: true, outcome: unresolved}
  trouble: {say: Trouble., final: true, outcome: failed}
"""
SURE = "{menu: {prompt: 'For sure, press 1.', choices: {yes: {dtmf: '1'}}}, on: {yes: news}}"
WHO = "{digits: {prompt: Who are you?, into: who}, next: main}"
LAST = "{exhausted: gave_up, error: trouble}"
LAST_SWAPPED = "{exhausted: trouble, error: gave_up}"
HELP = "on: {help: number, news: news}"
HELP_AND_NEWS = "on: {help: number, news: {say: There is no news., target: news}}"
Changes: TypeAlias = list[tuple[str, str]]
SEEDS = st.integers(0, 2**32)


def edited(*changes: tuple[str, str]) -> Flow:
    text = DESK
    for old, new in changes:
        assert text.count(old) == 1, (old, text.count(old))
        text = text.replace(old, new)
    return flow_of(text)


def played(line: CaseLine) -> str:
    """All that a line of a case played, as one text."""
    heard = (*line.heard, *(line.asked.prompt if line.asked else ()))
    return " ".join(one for one in heard if isinstance(one, str))


def hears(text: str) -> Callable[[Case], bool]:
    return lambda recorded: any(text in played(line) for line in recorded.lines)


def takes(state: str, event: str, target: str | None = None) -> Callable[[Case], bool]:
    return lambda recorded: any(
        (taken.state, taken.event) == (state, event) and target in {None, taken.target}
        for line in recorded.lines
        for taken in line.path
    )


def reaches(*states: str) -> Callable[[Case], bool]:
    return lambda recorded: any(taken.target in states for line in recorded.lines for taken in line.path)


def asked_by(kind: type[AskedChoices] | type[AskedKeys]) -> Callable[[Case], bool]:
    return lambda recorded: any(isinstance(line.asked, kind) for line in recorded.lines)


def waited() -> Callable[[Case], bool]:
    return lambda recorded: any(line.held for line in recorded.lines)


def wants_words() -> Callable[[Case], bool]:
    """A recording's words were ordered, or the caller only waited for the recording: both hear the hold prompt."""
    return lambda recorded: any(line.ordered or line.held for line in recorded.lines)


def ends(outcome: str) -> Callable[[Case], bool]:
    return lambda recorded: recorded.header.outcome == outcome


NOTICED: Sequence[tuple[str, Changes, Callable[[Case], bool]]] = [
    ("a question reworded", [("What is wrong?", "What has happened?")], hears("What is wrong?")),
    ("a text for silence reworded", [("Still nothing.", "Nothing again.")], hears("Still nothing.")),
    ("a say of a transition reworded", [("say: Wrong number.", "say: Not known.")], hears("Wrong number.")),
    ("the words before a transcript", [("We heard {{", "You said {{")], hears("We heard")),
    ("a prompt more", [("say: There is no news.", "say: [There is no news., Really.]")], hears("There is no news.")),
    ("a prompt less", [('say: ["Thank you.", ', "say: [")], hears("Thank you.")),
    ("another voice", [("initial: main", "initial: main\nvoice: female")], hears("For help")),
    ("a pause", [("say: There is no news.", "say: [There is no news., {silence: 2s}]")], hears("There is no news.")),
    ("no interruption", [("maxDigits: 4,", "maxDigits: 4, bargeIn: false,")], hears("Your number.")),
    ("targets swapped", [("{help: number, news: news}", "{help: news, news: number}")], reaches("number", "news")),
    ("another way out of silence", [(LAST, LAST_SWAPPED)], reaches("gave_up", "trouble")),
    ("a guard turned round", [("number == '1'", "number != '1'")], takes("number", "digits")),
    (
        "a choice less",
        [
            (', news: {dtmf: "2", speech: [news]}}', "}"),
            (", news: news}", "}"),
            ("  news: {say: There is no news., next: main}\n", ""),
            ("For help, press 1. For news, press 2.", "For help, press 1."),
        ],
        asked_by(AskedChoices),
    ),
    ("another key", [('dtmf: "2"', 'dtmf: "3"')], asked_by(AskedChoices)),
    ("other words for a choice", [("speech: [news]", "speech: [what is new]")], asked_by(AskedChoices)),
    ("fewer digits", [("maxDigits: 4", "maxDigits: 3")], asked_by(AskedKeys)),
    ("more patience", [("maxDigits: 4", "maxDigits: 4, initialSilence: 9s")], asked_by(AskedKeys)),
    ("another hold prompt", [("holdPrompt: One moment.", "holdPrompt: Please wait.")], waited()),
    ("another outcome", [("outcome: unresolved", "outcome: lost")], ends("unresolved")),
    ("a question more", [("news: news}", f"news: sure}}\n  sure: {SURE}")], takes("main", "news")),
    (
        "a question before all others",
        [("initial: main", "initial: who"), ("states:", f"states:\n  who: {WHO}")],
        lambda recorded: True,
    ),
    (
        "no words wanted any more",
        [
            ("transcribe: true, holdPrompt: One moment., ", ""),
            ("error.transcribe: thanks, ", ""),
            (', {guard: issue.transcript, text: "We heard {{ issue.transcript }}."}', ""),
        ],
        wants_words(),
    ),
]


@pytest.mark.parametrize(("changes", "notices"), [case[1:] for case in NOTICED], ids=[case[0] for case in NOTICED])
@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_who_would_notice_an_edit_never_replays_as_same(
    changes: Changes, notices: Callable[[Case], bool], seed: int
) -> None:
    recorded = random_call(flow_of(DESK), seed)
    verdict = replay(recorded, edited(*changes))
    if notices(recorded):
        assert verdict.verdict in {"changed", "undetermined"}
    else:
        assert verdict.verdict == "same"


UNNOTICED: Sequence[tuple[str, Changes]] = [
    (
        "another batch",
        [("{say: There is no news., next: main}", "{decide: [main]}"), (HELP, HELP_AND_NEWS)],
    ),
    ("a text cut in two", [("say: There is no news.", 'say: ["There is", "no news."]')]),
    (
        "a state between that says nothing",
        [("next: thanks\n", "next: between\n"), ("  thanks:", "  between: {decide: [thanks]}\n  thanks:")],
    ),
    ("a renamed state", [("news: news}", "news: bulletin}"), ("  news: {say", "  bulletin: {say")]),
    (
        "a renamed question",
        [
            ("{help: number,", "{help: ask,"),
            ("  number:\n", "  ask:\n"),
            ("visits.number", "visits.ask"),
            ("target: number}", "target: ask}"),
        ],
    ),
    ("a renamed choice", [("choices: {help:", "choices: {support:"), ("{help: number,", "{support: number,")]),
    (
        "choices in another order",
        [
            (
                '{help: {dtmf: "1", speech: [help]}, news: {dtmf: "2", speech: [news]}}',
                '{news: {dtmf: "2", speech: [news]}, help: {dtmf: "1", speech: [help]}}',
            )
        ],
    ),
    ("defaults written out", [("maxDigits: 4,", "maxDigits: 4, initialSilence: 5s, interDigit: 3s, bargeIn: true,")]),
]


@pytest.mark.parametrize("changes", [case[1] for case in UNNOTICED], ids=[case[0] for case in UNNOTICED])
@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_what_nobody_on_the_phone_could_notice_is_no_difference(changes: Changes, seed: int) -> None:
    recorded = random_call(flow_of(DESK), seed)
    verdict = replay(recorded, edited(*changes))
    assert (verdict.verdict, verdict.why) == ("same", None)
