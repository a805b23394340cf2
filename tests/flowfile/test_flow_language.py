"""The flow language, rule by rule (LANGUAGE C1 to C10), as far as reading and building a flow goes."""

from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest

from ivr.engine.actions.answer import AnswerCall
from ivr.engine.actions.decide import DECIDED, Decide
from ivr.engine.actions.digits import Digits
from ivr.engine.actions.hangup import HangUpCall
from ivr.engine.actions.menu import Menu
from ivr.engine.actions.record import Record
from ivr.engine.actions.reject import RejectCall
from ivr.engine.commands import Choice, DigitInput
from ivr.engine.expressions.types import RECORDING, TEXT, Type
from ivr.engine.flow import SELF
from ivr.engine.offers import FixedChoice
from ivr.engine.prompt import AudioPart, SilencePart, TextPart
from ivr.flowfile.finding import as_text
from ivr.flowfile.load import load_flow
from tests.flowfile.reading import HERE, codes, flow, load, said

MENU = 'menu: {prompt: To go on press 1., choices: {go: {dtmf: "1", speech: [go on]}}}'


def text_of(prompt: object) -> list[str]:
    return [part.text.source for part in prompt]  # type: ignore[attr-defined]


@pytest.mark.parametrize("file", sorted((HERE / "good").glob("*.yaml")), ids=lambda file: file.stem)
def test_c18_and_the_first_part_of_the_examples_load_clean(file) -> None:
    loaded = load_flow(file)
    assert loaded.findings == (), as_text(loaded.findings)
    assert loaded.served().name == file.stem


class TestC1ReadingTheFile:
    def test_every_scalar_stays_text_and_its_field_decides(self) -> None:
        built = flow("""
variables: {code: '', flag: '', number: ''}
states:
  start:
    say: 0042
    set: {code: 0042, flag: yes, number: +15550100}
    next: on
  on: {say: "{{ code }} {{ flag }} {{ number }}", next: bye}
""")
        assert text_of(built.states["start"].action.prompt) == ["0042"]  # type: ignore[attr-defined]
        assert [each.value.source for each in built.states["start"].set] == ["0042", "yes", "+15550100"]
        assert "on" in built.states

    def test_utf_8_with_or_without_a_byte_order_mark(self) -> None:
        text = "flow: example\ninitial: start\nstates: {start: {say: Grüß Gott., final: true}}\n"
        plain, marked = load(text), load(b"\xef\xbb\xbf" + text.encode())
        assert plain.findings == marked.findings == ()

    @pytest.mark.parametrize(
        "data", [b"\xff\xfeflow: x", "flow: Grüß".encode("utf-16"), "flow: Grüß".encode("utf-16-be")]
    )
    def test_another_encoding_is_refused(self, data: bytes) -> None:
        assert [found.code for found in load(data).findings] == ["encoding"]

    @pytest.mark.parametrize("word", ["Grüß".encode("latin-1"), b"\xed\xa0\x80", b"Gr\xc3"])
    def test_what_is_not_utf_8_is_refused_and_the_rest_is_read(self, word: bytes) -> None:
        found = load(b"flow: x\ninitial: a\nstates: {a: {say: " + word + b"., next: b, final: true}}\n").findings
        assert {each.code for each in found} == {"encoding", "final", "unknown-target"}

    def test_a_file_over_the_size_limit_is_refused(self) -> None:
        (found,) = load("#" * (1 << 22) + "\n").findings
        message = "The file is larger than 4,194,304 bytes, the limit for a flow."
        assert (found.code, found.message) == ("size", message)

    def test_aliases_are_allowed(self) -> None:
        built = flow("""
start: {say: &hello Hello., next: again}
again: {say: *hello, next: bye}
""")
        assert built.states["start"].action == built.states["again"].action or text_of(
            built.states["again"].action.prompt  # type: ignore[attr-defined]
        ) == ["Hello."]

    def test_an_alias_bomb_ends_in_a_finding(self) -> None:
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
        assert "size" in [found.code for found in load("\n".join(lines)).findings]

    def test_a_chain_of_aliases_cannot_be_deeper_than_a_file(self) -> None:
        lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 60))]
        assert "size" in [found.code for found in load("\n".join(lines)).findings]

    def test_every_mistake_is_told_however_many_there_are(self) -> None:
        found = load("\n".join(f"k{n}: *" for n in range(100))).findings
        assert [each.code for each in found].count("star") == 100

    @pytest.mark.parametrize(
        ("text", "column"),
        [('a: "x\\UFFFFFFFF"', 6), ('a: "x\\U00110000"', 6), ('a: "\\ud800 x"', 5), ('a: "x\\U0000DFFF"', 6)],
    )
    def test_a_character_that_there_is_not_is_refused(self, text: str, column: int) -> None:
        found = [each for each in load(text).findings if each.code == "syntax"]
        assert [(each.column, each.message) for each in found] == [(column, "This character does not exist.")]

    def test_an_alias_to_itself_is_refused(self) -> None:
        assert "star" in [found.code for found in load("flow: &a [*a]").findings]

    @pytest.mark.parametrize(
        ("written", "seconds"), [("1s", 1.0), ("1.5s", 1.5), ("1500ms", 1.5), ("0.5m", 30.0), ("30 s", 30.0)]
    )
    def test_a_time_is_a_number_and_a_unit(self, written: str, seconds: float) -> None:
        built = flow(f"start: {{digits: {{prompt: Key it., initialSilence: {written}}}, next: bye}}")
        action = built.states["start"].action
        assert isinstance(action, Digits)
        assert action.question.initial_silence == seconds

    @pytest.mark.parametrize("written", ["5", "5 sec", "s", "five", "1e3s", "-1s", "", "5s s"])
    def test_a_time_without_a_unit_is_refused(self, written: str) -> None:
        assert codes(f'start: {{digits: {{prompt: Key it., initialSilence: "{written}"}}, next: bye}}') == ["unit"]

    def test_statements_are_refused(self) -> None:
        assert codes('start: {say: "{% if now %}a{% endif %}", next: bye}') == ["statement"]


class TestC2Flow:
    def test_defaults_of_a_flow(self) -> None:
        built = flow("start: {say: Hello., next: bye}")
        assert (built.language, built.voice, built.limits.duration, built.limits.turns) == ("en-US", "male", 1800, 200)
        assert built.zone.key == "UTC"
        assert built.description == ""

    def test_what_a_flow_says_of_itself(self) -> None:
        built = flow("""
flow: my-flow
description: Mine.
language: en-GB
voice: female
timeZone: Europe/Vienna
limits: {duration: 1h, turns: 50}
states:
  start: {say: Hello., next: bye}
""")
        assert (built.name, built.description, built.language, built.voice) == ("my-flow", "Mine.", "en-GB", "female")
        assert (built.limits.duration, built.limits.turns, built.zone.key) == (3600, 50, "Europe/Vienna")
        (part,) = built.states["start"].action.prompt  # type: ignore[attr-defined]
        assert (part.voice, part.language) == (
            "female",
            None,
        )  # what is spoken is the fact `language`, as it then stands

    def test_defaults_are_used_by_each_asking_state_that_has_none(self) -> None:
        built = flow("""
defaults:
  noInput: Hello?
  noMatch: [No., Not that.]
  maxAttempts: 2
  initialSilence: 7s
  interDigit: 2s
  maxSilence: 4s
  bargeIn: false
states:
  start: {digits: {prompt: Key it.}, next: own}
  own:
    digits: {prompt: Key it., noInput: Still there?, maxAttempts: 4, initialSilence: 1s, interDigit: 5s, bargeIn: true}
    next: speak
  speak: {record: {prompt: Speak.}, next: bye}
""")
        shared, own, speak = (built.states[name].action for name in ("start", "own", "speak"))
        assert isinstance(shared, Digits)
        assert isinstance(own, Digits)
        assert isinstance(speak, Record)
        assert [text_of(text) for text in shared.question.no_input] == [["Hello?"]]
        assert [text_of(text) for text in shared.question.no_match] == [["No."], ["Not that."]]
        assert (shared.question.attempts, shared.question.initial_silence) == (2, 7.0)
        assert (shared.keys.inter_digit, shared.question.barge_in) == (2.0, False)
        assert [text_of(text) for text in own.question.no_input] == [["Still there?"]]
        assert (own.question.attempts, own.question.initial_silence) == (4, 1.0)
        assert (own.keys.inter_digit, own.question.barge_in) == (5.0, True)
        assert speak.order.max_silence == 4.0
        assert speak.question.no_match == ()


class TestC3State:
    def test_next_is_every_choice_that_is_not_in_on(self) -> None:
        built = flow("""
start:
  menu:
    prompt: For sales press 1. For service press 2. To end press 3.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}, end: {dtmf: "3"}}
  next: sell
  on: {end: bye}
sell: {say: Hello., next: bye}
""")
        targets = {event: branches[0].target for event, branches in built.states["start"].on.items()}
        assert targets == {"end": "bye", "sales": "sell", "service": "sell"}

    @pytest.mark.parametrize(
        ("action", "event"),
        [
            ("say: Hello.", "done"),
            ("answer: {}", "done"),
            ("digits: {prompt: Key it.}", "digits"),
            ("record: {prompt: Speak.}", "recorded"),
        ],
    )
    def test_next_is_the_success_of_an_action(self, action: str, event: str) -> None:
        assert list(flow(f"start: {{{action}, next: bye}}").states["start"].on) == [event]

    def test_hangup_and_reject_are_final_by_nature(self) -> None:
        built = flow("""
start: {decide: [{guard: call.from, target: leave}, decline]}
leave: {hangup: {}, outcome: unresolved}
decline: {reject: {}, outcome: failed}
""")
        assert built.states["leave"].final
        assert built.states["decline"].final
        assert isinstance(built.states["leave"].action, HangUpCall)
        assert isinstance(built.states["decline"].action, RejectCall)
        assert not built.states["start"].final
        assert built.states["leave"].outcome == "unresolved"

    def test_answer_and_decide_are_actions(self) -> None:
        built = flow("""
start: {answer: {}, next: judge}
judge: {decide: [{guard: call.from, target: bye}, leave]}
leave: {hangup: {}}
""")
        assert isinstance(built.states["start"].action, AnswerCall)
        assert isinstance(built.states["judge"].action, Decide)
        assert [branch.target for branch in built.states["judge"].on[DECIDED]] == ["bye", "leave"]

    def test_set_is_done_on_entering(self) -> None:
        built = flow("""
variables: {visits_here: 0}
states:
  start: {say: "{{ visits_here }} times.", set: {visits_here: "{{ visits_here + 1 }}"}, next: bye}
""")
        assert [each.variable for each in built.states["start"].set] == ["visits_here"]


class TestC4Actions:
    def test_defaults_of_digits(self) -> None:
        action = flow("start: {digits: {prompt: Key it.}, next: bye}").states["start"].action
        assert isinstance(action, Digits)
        assert action.keys == DigitInput(1, 20, "#", 3.0)
        assert (action.question.barge_in, action.variable, action.sensitive, action.attempts) == (True, None, False, 3)
        assert (action.question.reprompt, action.question.no_input, action.question.no_match) == (None, (), ())
        assert action.question.initial_silence is None, "a channel must see that it was not written"

    def test_defaults_of_record(self) -> None:
        action = flow("start: {record: {prompt: Speak.}, next: bye}").states["start"].action
        assert isinstance(action, Record)
        order = action.order
        assert (order.max_duration, order.max_silence, order.terminators, order.beep) == (120, 3, "#", True)
        assert order.format is None, "a channel must see that it was not written"
        assert (action.transcribe, action.transcribe_timeout, action.phrases, action.hold_prompt) == (False, 30, (), ())

    def test_what_can_be_written_of_record(self) -> None:
        action = (
            flow("""
start:
  record:
    prompt: Speak.
    maxDuration: 10m
    maxSilence: 1s
    terminators: none
    beep: false
    format: mp3
    transcribe: true
    transcribeTimeout: 5m
    phrases: [yes, no]
    holdPrompt: One moment.
    sensitive: true
  next: bye
""")
            .states["start"]
            .action
        )
        assert isinstance(action, Record)
        order = action.order
        assert (order.max_duration, order.max_silence, order.terminators) == (600, 1, "")
        assert (order.beep, order.format, action.transcribe, action.transcribe_timeout) == (
            False,
            "mp3",
            True,
            300,
        )
        assert (action.phrases, text_of(action.hold_prompt), action.sensitive) == (("yes", "no"), ["One moment."], True)

    def test_a_recording_without_into_is_kept_under_a_name_that_no_author_can_write(self) -> None:
        built = flow("start: {record: {prompt: Speak., sensitive: true}, next: bye}")
        action = built.states["start"].action
        assert isinstance(action, Record)
        assert action.into == "answer in start"
        assert built.variables[action.into].type == RECORDING
        assert built.variables[action.into].sensitive

    @pytest.mark.parametrize(
        ("key", "good", "bad"),
        [
            ("maxAttempts", ["1", "10"], ["0", "11", "2.5", "two", "1e1", "١"]),
            ("initialSilence", ["1s", "30s"], ["999ms", "31s"]),
            ("minDigits", ["0", "20"], ["21", "-1"]),
            ("maxDigits", ["1", "20"], ["0", "21"]),
            ("interDigit", ["1s", "5s"], ["500ms", "6s"]),
            ("bargeIn", ["true", "false"], ["yes", "True", "1"]),
            ("sensitive", ["true", "false"], ["maybe"]),
            ("terminators", ['"#"', '"*#ABC"', "none"], ['"##"', '"*#ABCD"', '"x"', '""']),
        ],
    )
    def test_ranges_of_the_keys_of_digits(self, key: str, good: list[str], bad: list[str]) -> None:
        def found(value: str) -> list[str]:
            return codes(f"start: {{digits: {{prompt: Key it., {key}: {value}}}, next: bye}}")

        assert [found(value) for value in good] == [[]] * len(good)
        assert [found(value) for value in bad] == [["value"]] * len(bad)

    @pytest.mark.parametrize(
        ("key", "good", "bad"),
        [
            ("maxDuration", ["10s", "10m"], ["9s", "11m"]),
            ("maxSilence", ["1s", "30s"], ["900ms", "31s"]),
            ("transcribeTimeout", ["1s", "5m"], ["0s", "6m"]),
            ("format", ["wma", "wav", "mp3"], ["ogg", "WMA"]),
            ("beep", ["true", "false"], ["off"]),
        ],
    )
    def test_ranges_of_the_keys_of_record(self, key: str, good: list[str], bad: list[str]) -> None:
        def found(value: str) -> list[str]:
            return codes(f"start: {{record: {{prompt: Speak., {key}: {value}}}, next: bye}}")

        assert [found(value) for value in good] == [[]] * len(good)
        assert [found(value) for value in bad] == [["value"]] * len(bad)

    def test_max_digits_is_not_under_min_digits(self) -> None:
        assert codes("start: {digits: {prompt: Key it., minDigits: 5, maxDigits: 4}, next: bye}") == ["value"]

    def test_reprompt_false_says_nothing(self) -> None:
        silent = flow("start: {digits: {prompt: Key it., reprompt: false}, next: bye}").states["start"].action
        other = flow("start: {digits: {prompt: Key it., reprompt: Again.}, next: bye}").states["start"].action
        assert isinstance(silent, Digits)
        assert isinstance(other, Digits)
        assert silent.question.reprompt == ()
        assert text_of(other.question.reprompt) == ["Again."]

    def test_a_prompt_is_required_unless_choices_have_one(self) -> None:
        assert codes('start: {menu: {choices: {go: {dtmf: "1", prompt: To go press 1.}}}, next: bye}') == []
        assert codes('start: {menu: {choices: {go: {dtmf: "1"}}}, next: bye}') == ["missing"]
        assert codes("start: {record: {into: words}, next: bye}") == ["missing"]


class TestC5Choices:
    def test_a_choice_with_everything(self) -> None:
        action = (
            flow("""
start:
  menu:
    prompt: "Welcome."
    choices:
      go: {dtmf: "*", speech: [go, go on], prompt: "To go press {{ key }}.", guard: call.from}
      end: {dtmf: "#", prompt: To end press pound.}
    into: chosen
    bargeIn: false
  next: judge
judge: {decide: [{guard: chosen == 'go', target: bye}, bye]}
""")
            .states["start"]
            .action
        )
        assert isinstance(action, Menu)
        go, end = action.choices
        assert isinstance(go, FixedChoice)
        assert isinstance(end, FixedChoice)
        assert go.offer == Choice("go", "*", ("go", "go on"))
        assert text_of(go.prompt) == ["To go press {{ key }}."]
        assert go.guard is not None
        assert go.guard.source == "call.from"
        assert (end.offer, end.guard) == (Choice("end", "#"), None)
        assert (action.into, action.question.barge_in) == ("chosen", False)

    def test_one_spoken_form_needs_no_list(self) -> None:
        action = flow('start: {menu: {prompt: Say go., choices: {go: {dtmf: "1", speech: go}}}, next: bye}')
        assert action.states["start"].action.choices[0].offer.speech == ("go",)  # type: ignore[attr-defined]

    def test_a_key_may_be_unquoted_where_yaml_allows(self) -> None:
        assert codes("start: {menu: {prompt: To go press 1., choices: {go: {dtmf: 1}}}, next: bye}") == []

    @pytest.mark.parametrize("key", ['"1E"', '"E"', '""', '"a"', '" "', '"1 2"'])
    def test_a_key_is_one_of_sixteen(self, key: str) -> None:
        assert "value" in codes(f"start: {{menu: {{prompt: To go on., choices: {{go: {{dtmf: {key}}}}}}}, next: bye}}")

    def test_five_spoken_forms_are_possible(self) -> None:
        text = 'start: {menu: {prompt: To go say a., choices: {go: {dtmf: "1", speech: [%s]}}}, next: bye}'
        assert codes(text % "a, b, c, d, e") == []
        assert codes(text % "a, b, c, d, e, f") == ["value"]

    def test_empty_must_be_handled_when_all_choices_have_guards(self) -> None:
        text = 'start: {menu: {prompt: To go press 1., choices: {go: {dtmf: "1", guard: call.from}}}, on: {go: bye%s}}'
        assert codes(text % "") == ["unhandled"]
        assert codes(text % ", empty: bye") == []


class TestC6AskingAgain:
    def test_a_text_alone_is_a_list_of_one_and_an_item_may_be_a_list(self) -> None:
        action = (
            flow("""
start:
  digits:
    prompt: [Key it., {silence: 1s}, Please.]
    noInput: Hello?
    noMatch: [[No., Not that.], Still not.]
  next: bye
""")
            .states["start"]
            .action
        )
        assert isinstance(action, Digits)
        assert len(action.question.prompt) == 3
        assert [text_of(text) for text in action.question.no_input] == [["Hello?"]]
        assert [text_of(text) for text in action.question.no_match] == [["No.", "Not that."], ["Still not."]]

    def test_exhausted_need_not_be_handled_where_attempts_never_count(self) -> None:
        text = "on: {error: bye}\nstates:\n  start: {digits: {prompt: Key it.}, on: {digits: bye, noInput: bye%s}}\n"
        bye = "  bye: {say: Goodbye., final: true}\n"
        assert codes(text % "" + bye) == ["unhandled"]
        assert codes(text % ", noMatch: bye" + bye) == []

    def test_a_record_without_no_input_never_counts(self) -> None:
        text = "on: {error: bye}\nstates:\n  start: {record: {prompt: Speak.}, on: {recorded: bye, noInput: bye}}\n"
        assert codes(text + "  bye: {say: Goodbye., final: true}\n") == []

    def test_self_is_kept_as_a_target(self) -> None:
        built = flow(f"start: {{{MENU}, on: {{go: self}}}}")
        assert built.states["start"].on["go"][0].target == SELF

    def test_self_only_where_something_was_asked(self) -> None:
        assert codes("start: {say: Hello., next: [{guard: call.from, target: self}, bye]}") == ["unknown-target"]


class TestC7Transitions:
    def test_the_three_forms(self) -> None:
        built = flow("""
variables: {count: 0}
states:
  start:
    say: "{{ count }}"
    next:
      - {guard: call.from, set: {count: 5}, say: Moment., target: middle}
      - bye
  middle: {say: Hello., on: {done: {target: bye}, hangup: bye}}
""")
        first, last = built.states["start"].on["done"]
        assert (first.target, first.guard.source, text_of(first.say)) == ("middle", "call.from", ["Moment."])
        assert [(each.variable, each.value.source) for each in first.set] == [("count", "5")]
        assert (last.target, last.guard, last.set, last.say) == ("bye", None, (), ())
        assert built.states["middle"].on["done"][0].target == "bye"

    def test_the_flow_has_handlers_of_its_own(self) -> None:
        built = flow("start: {say: Hello., next: bye}")
        assert {event: branches[0].target for event, branches in built.on.items()} == {
            "exhausted": "bye",
            "error": "bye",
        }

    def test_longer_names_and_prefixes_fit(self) -> None:
        assert codes("start: {say: Hello., next: bye, on: {error: bye, error.system: bye, hangup: bye}}") == []
        assert codes("start: {say: Hello., next: bye, on: {error.sys: bye}}") == ["never"]


class TestC9Prompts:
    def test_parts_with_everything(self) -> None:
        built = flow("""
start:
  say:
    - {text: Hello., voice: female, emphasize: true, language: en-GB, sayAs: name, guard: call.from}
    - {silence: 60s, guard: call.from}
    - {audio: "https://contoso.example/a.wav", text: Music., guard: call.from}
  next: bye
""")
        text, silence, audio = built.states["start"].action.prompt  # type: ignore[attr-defined]
        assert isinstance(text, TextPart)
        assert isinstance(silence, SilencePart)
        assert isinstance(audio, AudioPart)
        assert (text.voice, text.emphasize, text.language, text.say_as) == ("female", True, "en-GB", "name")
        assert silence.milliseconds == 60_000
        assert (audio.url, audio.asset, audio.text.source) == ("https://contoso.example/a.wav", None, "Music.")
        assert {part.guard.source for part in (text, silence, audio)} == {"call.from"}

    @pytest.mark.parametrize(("written", "milliseconds"), [("1ms", 1), ("500ms", 500), ("60s", 60_000)])
    def test_a_silence_is_a_millisecond_to_a_minute(self, written: str, milliseconds: int) -> None:
        built = flow(f"start: {{say: {{silence: {written}}}, next: bye}}")
        assert built.states["start"].action.prompt[0].milliseconds == milliseconds  # type: ignore[attr-defined]
        assert codes("start: {say: {silence: 61s}, next: bye}") == ["value"]

    def test_an_address_without_text_has_none(self) -> None:
        loaded = load('flow: x\ninitial: a\nstates: {a: {say: {audio: "http://a.example/b.wav"}, final: true}}\n')
        assert [found.code for found in loaded.findings] == ["audio-text"]
        assert loaded.served().states["a"].action.prompt[0].text is None  # type: ignore[attr-defined]


class TestC10Variables:
    def variables(self, written: str, *, uses: str = "") -> dict[str, Any]:
        text = f"variables: {written}\nstates:\n  start: {{say: Hello{uses}., next: bye}}\n"
        loaded = load(f"flow: x\ninitial: start\non: {{error: bye}}\n{text}  bye: {{say: Bye., final: true}}\n")
        errors = [found for found in loaded.findings if found.is_error]
        assert not errors, as_text(errors)
        return dict(loaded.served().variables)

    @pytest.mark.parametrize(
        ("written", "type_", "default"),
        [
            ("0", "integer", 0),
            ("-12", "integer", -12),
            ("1.50", "decimal", Decimal("1.50")),
            ("true", "boolean", True),
            ("0042", "text", "0042"),
            ('"12"', "text", "12"),
            ("word", "text", "word"),
            ('""', "text", ""),
            ("2026-11-24", "text", "2026-11-24"),
        ],
    )
    def test_the_short_form_takes_its_type_from_the_value(self, written: str, type_: str, default: object) -> None:
        variable = self.variables(f"{{x: {written}}}")["x"]
        assert (variable.type.name, variable.default, variable.has_default) == (type_, default, True)

    def test_none_makes_a_variable_optional(self) -> None:
        short, long = self.variables("{x: none, y: {type: date, default: none}}").values()
        assert (short.type, short.default, short.has_default) == (Type("text", optional=True), None, True)
        assert (long.type, long.default) == (Type("date", optional=True), None)

    def test_quoted_none_is_a_word(self) -> None:
        assert self.variables('{x: "none"}')["x"].default == "none"

    def test_the_long_form(self) -> None:
        found = self.variables("""
  size: {type: text, values: [small, large], default: small}
  free: {values: [a, b]}
  count: {type: integer, min: "1", max: 10, default: 5}
  day: {type: date, min: 2026-01-01, max: 2026-12-31, format: mmddyyyy}
  hour: {type: time, default: 09:40}
  price: {type: decimal, default: 2}
  several: {type: [text]}
  person: {type: {name: text, age?: integer}}
  secret: {type: text, default: "", sensitive: true}
""")
        size, free, count, day, hour, price, several, person, secret = found.values()
        assert (size.values, size.default, free.values, free.has_default) == (
            ("small", "large"),
            "small",
            ("a", "b"),
            False,
        )
        assert (count.minimum, count.maximum, count.default) == (1, 10, 5)
        assert (day.minimum, day.maximum, day.format) == (date(2026, 1, 1), date(2026, 12, 31), "mmddyyyy")
        assert (hour.default, price.default) == (time(9, 40), Decimal(2))
        assert several.type == Type("list", item=TEXT)
        assert person.type.fields == {"name": TEXT, "age": Type("integer", optional=True)}
        assert secret.sensitive

    @pytest.mark.parametrize("written", ["number", "[]", "{}", "[text, text]", "[[number]]"])
    def test_a_type_that_there_is_not(self, written: str) -> None:
        found = codes(f"variables: {{x: {{type: {written}}}}}\nstates:\n  start: {{say: Hello., next: bye}}\n")
        assert found in (["value"], ["empty"])

    def test_into_declares_its_variable(self) -> None:
        built = flow("""
start:
  menu: {prompt: To go press 1., choices: {go: {dtmf: "1"}}, into: choice_made}
  next: [{guard: choice_made == 'go', target: key_it}, bye]
key_it: {digits: {prompt: Key it., into: number}, next: speak}
speak: {record: {prompt: Speak., into: words}, next: end}
end: {say: "{{ number | digits }} {{ words.transcript or '' }}", next: bye}
""")
        assert built.variables["choice_made"].type == TEXT
        assert built.variables["number"].type == TEXT
        assert built.variables["words"].type == RECORDING

    def test_digits_take_the_type_of_their_variable(self) -> None:
        built = flow("""
variables: {birthday: {type: date, max: 2026-01-01}}
states:
  start: {digits: {prompt: Key it., into: birthday}, next: end}
  end: {say: "{{ birthday | date }}", next: bye}
""")
        action = built.states["start"].action
        assert isinstance(action, Digits)
        assert action.variable == built.variables["birthday"]
        assert action.variable.maximum == date(2026, 1, 1)

    def test_a_variable_declared_by_values_alone_is_text_whatever_keeps_it(self) -> None:
        found = codes("""
variables: {words: {values: [a]}}
states:
  start: {record: {prompt: Speak., into: words}, next: bye}
""")
        assert "type" in found

    def test_a_declared_variable_without_type_takes_that_of_its_into(self) -> None:
        built = flow("""
variables: {words: {sensitive: true}}
states:
  start: {record: {prompt: Speak., into: words}, next: [{guard: words.transcript, target: bye}, bye]}
""")
        assert built.variables["words"].type == RECORDING
        assert built.states["start"].action.sensitive  # type: ignore[attr-defined]


class TestC12Sensitive:
    def test_the_mark_follows_the_value(self) -> None:
        built = flow("""
variables: {copy: "", second: "", plain: "", length: 0}
states:
  start:
    digits: {prompt: Key your PIN., into: pin, sensitive: true}
    next: {target: judge, set: {copy: "{{ digits }}", length: "{{ pin | length }}", plain: word}}
  judge:
    decide:
      - {guard: second == pin and copy == plain, target: bye}
      - {guard: length > 3, set: {second: "{{ copy ~ pin }}"}, target: bye}
      - bye
""")
        marked = {name for name, variable in built.variables.items() if variable.sensitive}
        assert marked == {"pin", "copy", "second", "length"}

    def test_a_sensitive_variable_makes_its_question_so(self) -> None:
        built = flow("""
variables: {pin: {type: text, sensitive: true}, copy: ""}
states:
  start:
    digits: {prompt: Key your PIN., into: pin}
    next: {target: judge, set: {copy: "{{ digits }}"}}
  judge: {decide: [{guard: pin == copy, target: bye}, bye]}
""")
        assert built.states["start"].action.sensitive  # type: ignore[attr-defined]
        assert built.variables["copy"].sensitive

    def test_a_private_value_stays_private_in_the_handlers_of_the_flow(self) -> None:
        assert codes("""
on: {exhausted: bye, error: bye, error.transcribe: {target: bye, say: "{{ seconds | number }}"}}
states:
  start: {record: {prompt: Speak., sensitive: true, transcribe: true}, next: bye}
""") == ["sensitive"]


class TestC11WhatIsKnown:
    """Types and values that may be missing, on every way (the checks `unset` and `may-be-null`)."""

    def test_a_guard_on_the_way_proves_what_the_target_reads(self) -> None:
        assert (
            codes("""
start: {record: {prompt: Speak., transcribe: true, into: words}, next: judge, on: {error.transcribe: judge}}
judge: {decide: [{guard: words.transcript, target: read}, bye]}
read: {say: "{{ words.transcript }}", next: bye}
""")
            == []
        )

    def test_a_guard_may_prove_several_things_at_once(self) -> None:
        assert (
            codes("""
start: {record: {prompt: Speak., transcribe: true, into: words}, next: judge, on: {error.transcribe: judge}}
judge: {decide: [{guard: words.transcript and words.confidence is not none, target: read}, bye]}
read: {say: "{{ words.transcript }} {{ words.confidence | number }}", next: bye}
""")
            == []
        )

    def test_the_otherwise_of_a_guard_proves_the_contrary(self) -> None:
        assert (
            codes("""
variables: {nick: {type: text, default: none}}
states:
  start: {digits: {prompt: Key it.}, next: [{guard: nick is none, set: {nick: friend}, target: judge}, judge]}
  judge: {decide: [{guard: nick is none, target: bye}, read]}
  read: {say: "{{ nick }}", next: bye}
""")
            == []
        )

    def test_what_only_one_way_proves_is_not_known(self) -> None:
        assert codes("""
variables: {nick: {type: text, default: none}}
states:
  start: {decide: [{guard: nick, target: read}, {guard: call.from, target: read}, other]}
  other: {say: Hello., set: {nick: friend}, next: read}
  read: {say: "{{ nick }}", next: bye}
""") == ["may-be-null"]

    def test_storing_an_optional_value_takes_the_proof_back(self) -> None:
        assert codes("""
variables: {nick: {type: text, default: none}}
states:
  start: {say: Hello., set: {nick: friend}, next: {target: read, set: {nick: "{{ call.from }}"}}}
  read: {say: "{{ nick }}", next: bye}
""") == ["may-be-null"]

    def test_recording_again_takes_the_proof_of_a_transcript_back(self) -> None:
        assert codes("""
start: {record: {prompt: Speak., into: words, transcribe: true}, next: judge, on: {error.transcribe: judge}}
judge: {decide: [{guard: words.transcript and visits.again < 2, target: again}, bye]}
again: {record: {prompt: Speak again., into: words}, next: read}
read: {say: "{{ words.transcript }}", next: bye}
""") == ["may-be-null"]

    def test_what_a_transition_says_sees_what_it_sets(self) -> None:
        assert codes("""
variables: {nick: {type: text, default: none}}
states:
  start:
    say: Hello.
    next: [{guard: nick, set: {nick: "{{ call.from }}"}, say: "{{ nick }}", target: bye}, other]
  other: {say: Bye., next: {target: bye, set: {nick: friend}, say: "{{ nick }}"}}
""") == ["may-be-null"]

    def test_fields_common_to_all_events_of_a_handler_can_be_read(self) -> None:
        assert (
            codes(
                """
start:
  record: {prompt: Speak., transcribe: true}
  next: {target: bye, say: "{{ transcript or 'nothing' }} {{ seconds | number }}"}
  on:
    error: {target: bye, say: "{{ error.name }} {{ reason }}"}
    error.transcribe: {target: bye, say: "{{ reason }} {{ seconds | number }}"}
"""
            )
            == []
        )
        assert codes("start: {say: Hello., next: bye, on: {error: {target: bye, say: '{{ seconds | number }}'}}}") == [
            "undefined"
        ]

    def test_the_choice_can_be_read_where_next_stands_for_it(self) -> None:
        text = "next: {target: bye, set: {last: '{{ choice }}'}}"
        assert codes(f"variables: {{last: ''}}\nstates:\n  start: {{{MENU}, {text}}}\n") == ["unused"]

    def test_a_key_may_be_missing_where_a_choice_has_none(self) -> None:
        text = 'start: {menu: {choices: {go: {speech: [go], prompt: "Say go or press {{ key }}."}}}, next: bye}'
        assert codes(text) == ["speech-only", "may-be-null"] or codes(text) == ["may-be-null", "speech-only"]

    def test_fourteen_skippable_questions_take_no_time(self) -> None:
        states = "".join(
            f"s{n}: {{menu: {{prompt: To skip press 1. To answer press 2., choices: {{skip: {{dtmf: '1'}}, "
            f"answer: {{dtmf: '2'}}}}}}, on: {{skip: s{n + 1}, answer: q{n}}}}}\n"
            f"q{n}: {{digits: {{prompt: Key it., into: v{n}}}, next: s{n + 1}}}\n"
            for n in range(60)
        )
        states = states.replace("s0:", "start:").replace("s60", "end")
        found = said(states + "end: {say: '{{ v0 | digits }}', next: bye}\n")
        assert [line for line in found if line.startswith("unset")] == [
            'unset: "v0" may have no value here. It is not set on the path start → s1 → '
            + " → ".join(f"s{n}" for n in range(2, 60))
            + ' → end. Set it before, or add a "default".'
        ]
