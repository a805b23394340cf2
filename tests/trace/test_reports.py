"""What people read when a call is not the same any more, to the letter."""

import pytest

from ivr.engine.flow import Flow
from ivr.flowfile.load import load_text
from ivr.trace.case import Case
from ivr.trace.flow_places import FlowPlaces
from ivr.trace.recorded import case_of
from ivr.trace.replay import replay, rewrite
from ivr.trace.report import Tally, as_text, report
from tests.callers import platform
from tests.callers.bot import dial
from tests.flows import flow_of
from tests.trace.recorded_calls import PRIVATE, ROOT, random_call

CARETS = "^" * len('To Vienna you can fly at {{ "09:40" | time }} and {{ "17:15" | time }}.')
TEXT = (ROOT / "flows" / "flight-desk.yaml").read_text()


def flow_and_places(text: str) -> tuple[Flow, FlowPlaces]:
    data = text.encode()
    return load_text(data, file="desk.yaml", folder=ROOT / "flows").served(), FlowPlaces("desk.yaml", data)


def times_then_silence() -> Case:
    """Somebody who hears the times, and then says nothing more."""
    flow, places = flow_and_places(TEXT)
    bot = dial(flow).post(platform.incoming("call-1"))
    assert bot.workflow is not None
    chosen = {"completionReason": "dtmfOptionMatched", "choiceName": "times"}
    action = bot.workflow["actions"][-1]
    report_of_times = platform.report_of(platform.outcome("call-1", action, outcome="success", choiceOutcome=chosen))
    bot = bot.post(report_of_times)
    while not bot.over and bot.workflow:
        bot = bot.post(platform.silence("call-1", bot.workflow))
    return case_of(bot.record, bot.trace, flow, places.lines())


def told(*changes: tuple[str, str], with_source: bool = False) -> str:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    flow, places = flow_and_places(text)
    recorded = times_then_silence()
    then = flow_and_places(TEXT)[1] if with_source else None
    return as_text(report("a case", recorded, replay(recorded, flow), places, then))


def test_an_edited_prompt_is_shown_before_and_now_with_its_line() -> None:
    assert told(("Flights to Vienna leave at", "To Vienna you can fly at")) == (
        "a case: changed (wording)\n"
        "  0:03 after the caller chose times by a key\n"
        "  heard before: Flights to Vienna leave at 9:40 AM and 5:15 PM. To report a problem, press 1 or say problem. "
        "For flight times, press 2 or say times.\n"
        "  hears now:    To Vienna you can fly at 9:40 AM and 5:15 PM. To report a problem, press 1 or say problem. "
        "For flight times, press 2 or say times.\n"
        "  desk.yaml:37:10\n"
        '      say: To Vienna you can fly at {{ "09:40" | time }} and {{ "17:15" | time }}.\n'
        f"           {CARETS}\n"
        "  recorded in times (line 36 then)\n"
        "  path before: main → times → main\n"
        "  path now:    main → times → main"
    )


def test_the_line_of_that_day_is_shown_where_the_flow_of_that_day_is_at_hand() -> None:
    text = told(("Flights to Vienna leave at", "To Vienna you can fly at"), with_source=True)
    assert "  recorded with desk.yaml:37:10\n      say: Flights to Vienna leave at" in text


def test_a_new_question_is_undetermined_and_named() -> None:
    sure = (
        "  sure:\n    menu: {prompt: Really?, choices: {yes: {dtmf: '1', prompt: Press 1.}}}\n    on: {yes: times}\n\n"
    )
    text = told(("times: times}", "times: sure}"), ("  thanks:", f"{sure}  thanks:"))
    assert text.startswith("a case: undetermined\n  0:03 after the caller chose times by a key\n")
    assert "  hears now:    Really? Press 1.\n" in text
    assert (
        '  undetermined: "sure" asks something that this caller never answered\n  desk.yaml:40:3\n      sure:\n' in text
    )


@pytest.mark.parametrize(
    ("changes", "rows"),
    [
        (
            [("{problem: report, times: times}", "{problem: times, times: report}")],
            ("  before: the call reached main\n  now:    it reaches report\n", "desk.yaml:19:33\n", "now:    main →"),
        ),
        (
            [('times:   {dtmf: "2"', 'times:   {dtmf: "3"')],
            ("  now:    the caller can choose problem (key 1", "times (key 3 or", "desk.yaml:14:7\n      choices:\n"),
        ),
        (
            [("outcome: unresolved", "outcome: lost")],
            ("  before: the outcome was unresolved\n  now:    the outcome is lost\n", "desk.yaml:47:14\n"),
        ),
        ([("voice: female", "voice: male")], ("  voice female is now male\n", "desk.yaml:13:15\n")),
        (
            [
                ("    say: Goodbye.\n    final: true", "    say: Goodbye.\n    next: more\n  more:\n    hangup: {}"),
                ("error: goodbye}", "error: goodbye, error.limit: more}"),
            ],
            ("  before: the call reached goodbye\n  now:    it reaches more\n",),
        ),
        (
            [("I did not hear you.", "Nothing came.")],
            ("  0:06 after the caller was silent\n", "desk.yaml:17:17\n      noInput: [Nothing came.,"),
        ),
        (
            [("say: Goodbye.", "say: {silence: 500ms}")],
            ("  hears now:    (0.5 s of silence)\n", "desk.yaml:45:20\n"),
        ),
        ([("maxDuration: 30s", "maxDuration: 40s")], ("a case: same",)),
    ],
    ids=["target", "key", "outcome", "voice", "end", "silence", "pause", "unseen"],
)  # fmt: skip
def test_each_sort_of_change_says_what_is_different(changes: list[tuple[str, str]], rows: tuple[str, ...]) -> None:
    text = told(*changes)
    for row in rows:
        assert row in text


def test_a_text_that_is_gone_is_looked_for_where_it_was() -> None:
    times = next(line for line in TEXT.splitlines() if "say: Flights" in line)
    two = times.replace("say: ", "say:\n      - ") + "\n      - And that is all."
    flow, places = flow_and_places(TEXT.replace(times, two))
    longer = rewrite(times_then_silence(), flow, places.lines())
    shorter, today = flow_and_places(TEXT)
    text = as_text(report("a case", longer, replay(longer, shorter), today))
    assert "  hears now:    Flights to Vienna leave at 9:40 AM and 5:15 PM. To report" in text
    assert "  desk.yaml:36:3\n      times:\n" in text


def test_what_hangs_on_a_private_value_says_so_without_a_word_about_the_question() -> None:
    flow, edited = flow_of(PRIVATE), flow_of(PRIVATE.replace("digits == '1'", "digits == '2'"))
    verdicts = [(recorded, replay(recorded, edited)) for recorded in (random_call(flow, seed) for seed in range(40))]
    recorded, verdict = next((one, said) for one, said in verdicts if said.why)
    told_now = report("a case", recorded, verdict, None)
    assert told_now.why == "it depends on a private value, and the rules for that value were changed"
    assert told_now.place is None
    assert told_now.detail[:1] == () or "asked" not in told_now.detail[0]


def test_many_that_differ_alike_are_told_once() -> None:
    flow, places = flow_and_places(
        TEXT.replace("Goodbye.\n    final: true\n    outcome", "Bye.\n    final: true\n    outcome")
    )
    recorded = times_then_silence()
    tally = Tally(frozenset({"way"}))
    for number in range(5):
        verdict = replay(recorded, flow)
        tally.add(report(f"case {number}", recorded, verdict, places), passes=verdict.allowed(tally.allowed))
    same = replay(recorded, flow_and_places(TEXT)[0])
    tally.add(report("case 5", recorded, same, places), passes=same.allowed(tally.allowed))
    (group,) = tally.groups()
    assert "\n  and 4 more like it: case 1, case 2, case 3, …\n" in as_text(group.first, group.names[1:])
    assert tally.summary() == "6 calls replayed: 1 same, 5 changed, 0 undetermined."
    assert tally.refused == 5
