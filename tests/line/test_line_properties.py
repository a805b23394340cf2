"""Whatever a caller does, and however time passes, a line keeps its promises."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.commands import Answer, HangUp, LineCommand, Play, Recognize, Record
from ivr.line import (
    CallerLeft,
    Finished,
    KeyDown,
    KeyUp,
    Line,
    LineStep,
    Listening,
    PromptEnded,
    PromptFailed,
    PromptStarted,
    RecordingEnded,
    RecordingStarted,
    Signal,
    Tick,
    TransferFailed,
    Transferred,
    Trouble,
    VoiceSignal,
    WordsUnderstood,
    apply,
)
from tests.line.line_driver import PROMPT, LineDriver, digits, menu, record, transfer

SIGNALS = st.one_of(
    st.sampled_from("0123456789*#ABCD").map(KeyDown),
    st.just(KeyUp()),
    st.booleans().map(VoiceSignal),
    st.sampled_from(["sales", "buy something", "weather", ""]).map(WordsUnderstood),
    st.just(PromptEnded()),
    st.just(PromptFailed("no such file")),
    st.just(Tick()),
    st.sampled_from([CallerLeft(), Trouble(), Transferred(), TransferFailed(603, "declined")]),
)
STORY = st.lists(st.tuples(st.floats(0, 12), SIGNALS), max_size=40)
MIDDLE = st.lists(
    st.one_of(
        st.just(Play("play", PROMPT)),
        st.builds(menu, barge_in=st.booleans()),
        st.builds(digits, st.integers(1, 6), st.sampled_from(["", "#", "*#"])),
        st.builds(record, silence=st.floats(0, 5), longest=st.floats(2, 20), beep=st.booleans()),
    ),
    max_size=3,
)


def renamed(actions: list[LineCommand]) -> list[LineCommand]:
    """Return the actions, each with an id of its own."""
    return [
        type(action)(**{**_fields(action), "op": f"{type(action).__name__}.{n}"}) for n, action in enumerate(actions)
    ]


def _fields(action: LineCommand) -> dict[str, Any]:
    return {name: getattr(action, name) for name in action.__struct_fields__}


LISTS = st.builds(
    lambda first, middle, last: renamed([*first, *middle, *last]),
    st.sampled_from([[], [Answer("a")]]),
    MIDDLE,
    st.sampled_from([[], [HangUp("h")], [transfer()]]),
).filter(bool)


def tell(actions: list[LineCommand], story: list[tuple[float, Signal]]) -> LineDriver:
    driver = LineDriver(*actions)
    for after, signal in story:
        driver.apply(signal, after=after)
    return driver


@given(LISTS, STORY)
def test_there_is_one_outcome_and_it_comes_last(actions: list[LineCommand], story: list[tuple[float, Signal]]) -> None:
    driver = tell(actions, story)
    finished = [effect for effect in driver.effects if isinstance(effect, Finished)]
    assert len(finished) == driver.over
    assert not finished or driver.effects[-1] is finished[0]


@given(LISTS, STORY)
def test_actions_begin_in_the_order_in_which_they_stand(
    actions: list[LineCommand], story: list[tuple[float, Signal]]
) -> None:
    order = [action.op for action in actions]
    begun = [effect.op for effect in tell(actions, story).effects if isinstance(effect, PromptStarted)]
    assert begun == [op for op in order if op in begun]


@given(LISTS, STORY)
def test_a_success_is_the_last_action_s_unless_the_call_is_over(
    actions: list[LineCommand], story: list[tuple[float, Signal]]
) -> None:
    driver = tell(actions, story)
    if driver.over and driver.outcome.ok and driver.outcome.result != "left":
        assert driver.outcome.op == actions[-1].op


@given(LISTS, STORY)
def test_what_is_recorded_has_a_beginning_an_end_and_a_length(
    actions: list[LineCommand], story: list[tuple[float, Signal]]
) -> None:
    driver = tell(actions, story)
    started = [effect.op for effect in driver.effects if isinstance(effect, RecordingStarted)]
    ended = [effect for effect in driver.effects if isinstance(effect, RecordingEnded)]
    assert [effect.op for effect in ended] == started[: len(ended)]
    assert len(started) - len(ended) in ((0,) if driver.over else (0, 1))
    for effect in ended:
        action = next(action for action in actions if action.op == effect.op)
        assert isinstance(action, Record)
        assert 0 <= effect.seconds <= action.max_duration + 1e-6


@given(LISTS, STORY)
def test_answers_are_among_those_that_were_offered(
    actions: list[LineCommand], story: list[tuple[float, Signal]]
) -> None:
    driver = tell(actions, story)
    if not driver.over:
        return
    action = next(action for action in actions if action.op == driver.outcome.op)
    if isinstance(action, Recognize) and action.digits:
        assert len(driver.outcome.keys) <= action.digits.maximum
        assert not set(driver.outcome.keys) & set(action.digits.terminators)
        assert driver.outcome.keys or not driver.outcome.ok
    elif isinstance(action, Recognize) and driver.outcome.ok:
        assert driver.outcome.choice in {choice.name for choice in action.choices}


@given(LISTS, STORY)
def test_time_alone_ends_everything_once_the_caller_is_silent(
    actions: list[LineCommand], story: list[tuple[float, Signal]]
) -> None:
    driver = tell(actions, story)
    driver.apply(VoiceSignal(active=False))
    for _ in range(40):
        if driver.over:
            return
        deadline = driver.line.deadline
        driver.apply(PromptEnded() if deadline is None else Tick(), after=max(0.0, (deadline or 0.0) - driver.now))
    raise AssertionError(f"still waiting: {driver.line.phase}")


@given(LISTS, STORY)
def test_the_same_story_always_ends_the_same(actions: list[LineCommand], story: list[tuple[float, Signal]]) -> None:
    assert tell(actions, story).effects == tell(actions, story).effects


@given(LISTS, STORY)
def test_a_tick_before_the_deadline_changes_nothing(
    actions: list[LineCommand], story: list[tuple[float, Signal]]
) -> None:
    driver = tell(actions, story)
    line: Line = driver.line
    if line.deadline is None or driver.now < line.deadline:
        assert apply(line, Tick(), now=driver.now) == LineStep(line)


@given(LISTS, STORY)
def test_each_question_listens_once(actions: list[LineCommand], story: list[tuple[float, Signal]]) -> None:
    listened = [effect.op for effect in tell(actions, story).effects if isinstance(effect, Listening)]
    assert len(listened) == len(set(listened))
