"""Proofs about calls: what is repeated, declined too late, or lost; in invoked flows, too."""

from pathlib import Path

import pytest

from ivr.flowfile.load import load_flow
from tests.flowfile.reading import codes, said

ROUND = """
start:
  menu: {prompt: To order press 1. To end press 2., choices: {order: {dtmf: "1"}, end: {dtmf: "2"}}}
  on: {order: ordered, end: bye}
ordered: {ACTION, next: WAY}
"""
NOTIFY = "notify: {email: desk@example.com, text: An order.}"
POST = 'http: {method: POST, url: "https://api.example.com/orders"}, on: {error: bye}'


@pytest.mark.parametrize(
    ("action", "way", "found"),
    [
        (NOTIFY, "start", ["unbounded"]),
        (POST, "start", ["unbounded"]),
        ('http: {url: "https://api.example.com/orders"}, on: {error: bye}', "start", []),
        ("say: You have ordered nothing.", "start", []),
        (POST.replace("error: bye", "error.http.status.409: start, error: bye"), "bye", []),
        (NOTIFY, "bye", []),
        (NOTIFY, "[{guard: visits.start < 3, target: start}, bye]", []),
    ],
    ids=["told", "posted", "asked", "said", "failed", "once", "counted"],
)
def test_what_counts_outside_of_a_call_can_be_repeated_only_a_few_times(
    action: str, way: str, found: list[str]
) -> None:
    assert codes(ROUND.replace("ACTION", action).replace("WAY", way)) == found


def test_a_round_is_told_once_and_shown() -> None:
    example = ROUND.replace("ACTION", NOTIFY).replace("WAY", "ordered_too")
    example += f"ordered_too: {{{NOTIFY}, next: start}}\n"
    (found,) = said(example)
    assert found.startswith(
        'unbounded: A caller can have "ordered" done again and again: ordered → ordered_too → start → ordered.'
    )


def test_what_never_ends_without_an_answer_is_told_as_that() -> None:
    example = f"start: {{{NOTIFY}, next: ask}}\n"
    example += 'ask: {menu: {prompt: Press 1., choices: {one: {dtmf: "1"}}}, on: {one: bye, exhausted: start}}\n'
    assert codes(example) == ["endless"]


RECORD = """
start:
  record: {prompt: What is the matter?, transcribe: true, into: matter}
  next: tell_us
  on: {ON}
tell_us: {notify: {email: desk@example.com, text: A message., attach: matter}, next: bye}
"""


@pytest.mark.parametrize(
    ("on", "found"),
    [
        ("error: bye", ["lost-recording"]),
        ("error.transcribe: bye", []),
        ("error.transcribe.failed: tell_us", ["lost-recording"]),
        ("error.transcribe.failed: tell_us, error.transcribe.timeout: tell_us", []),
    ],
)
def test_a_recording_is_used_although_it_cannot_be_transcribed(on: str, found: list[str]) -> None:
    assert codes(RECORD.replace("ON", on)) == found


def test_a_recording_that_nothing_reads_cannot_be_lost() -> None:
    assert codes("start: {record: {prompt: Speak., transcribe: true, into: matter}, next: bye}") == []


@pytest.mark.parametrize(
    ("example", "found"),
    [
        ("start: {decide: [{guard: call.from, target: bye}, no]}\nno: {reject: {}}", []),
        ("start: {decide: [{guard: call.from, say: Welcome., target: next}, bye]}\nnext: {reject: {}}", ["reject"]),
        (
            "start: {answer: {}, next: go}\ngo: {decide: [{guard: call.from, target: no}, bye]}\nno: {reject: {}}",
            ["reject"],
        ),
        (f"start: {{{NOTIFY}, next: no}}\nno: {{reject: {{}}}}", []),
    ],
    ids=["at-once", "said-on-the-way", "answered", "told-somebody"],
)
def test_a_call_is_declined_before_it_is_answered(example: str, found: list[str]) -> None:
    assert codes(example) == found


@pytest.mark.parametrize(("text", "found"), [("a" * 2048, []), ("a" * 2049, ["too-long"]), ("abc def " * 500, [])])
def test_a_text_can_be_divided(text: str, found: list[str]) -> None:
    assert codes(f'start: {{say: "{text.strip()}", next: bye}}') == found


OUTER = """\
flow: outer
initial: start
on: {error: bye}
states:
  start: {invoke: inner, on: {given: told, gave_up: AGAIN}}
  told: {decide: [{guard: call.from, target: start}, bye]}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""
INNER = """\
flow: inner
initial: ask
on: {exhausted: gave_up, error: gave_up}
states:
  ask: {digits: {prompt: Key your number.}, next: ACTION}
  tell: {notify: {email: desk@example.com, text: A number.}, next: given}
  given: {return: keyed}
  gave_up: {return: gave_up}
"""


@pytest.mark.parametrize(
    ("again", "action", "found"),
    [
        ("bye", "given", []),
        ("start", "given", ["endless"]),
        ("told", "given", ["endless"]),
        ("bye", "tell", ["unbounded"]),
    ],
)
def test_a_valid_answer_in_an_invoked_flow_is_one(tmp_path: Path, again: str, action: str, found: list[str]) -> None:
    (tmp_path / "outer.yaml").write_text(OUTER.replace("AGAIN", again).replace("given:", "keyed:"), "utf-8")
    inner = INNER.replace("ACTION", action)
    (tmp_path / "inner.yaml").write_text(inner if action == "tell" else inner.replace("  tell:", "  #"), "utf-8")
    assert [found.code for found in load_flow(tmp_path / "outer.yaml").findings] == found
