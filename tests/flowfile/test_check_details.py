"""Single checks, where one good and one bad example do not say enough."""

import pytest
from msgspec.structs import replace

from ivr.channels.skype import SkypeChannel
from ivr.engine.expressions.compile import compile_expression
from ivr.flowfile.actions.menu import Menu
from ivr.flowfile.checks import CHECKS
from ivr.flowfile.checks.announcements import Announcement, announcement
from ivr.flowfile.checks.whole_calls import limited
from ivr.flowfile.document import Document
from ivr.flowfile.model import FlowFile
from ivr.flowfile.reachability import components, shortest
from ivr.flowfile.yaml.reader import read
from ivr.nearest import did_you_mean, nearest
from tests.flowfile.reading import codes, load, said, whole

DEAF = replace(SkypeChannel.can, speech=False, reject=False, recording="none", terminators=1, languages=None)


def on_channel(example: str) -> list[str]:
    found = load(whole(example), channel=DEAF).findings
    return [each.message for each in found if each.code == "channel"]


class TestChannel:
    def test_a_line_that_cannot_decline(self) -> None:
        assert on_channel("start: {decide: [{guard: call.from, target: bye}, no]}\nno: {reject: {}}\n") == [
            'The channel does not support "reject".'
        ]

    def test_a_line_that_cannot_record(self) -> None:
        assert on_channel("start: {record: {prompt: Speak.}, next: bye}") == ['The channel does not support "record".']

    def test_a_line_with_one_terminator(self) -> None:
        assert on_channel('start: {digits: {prompt: Key it., terminators: "#*"}, next: bye}') == [
            "The channel supports 1 terminator, not 2."
        ]

    def test_a_line_that_hears_no_words(self) -> None:
        text = 'choices: {go: {dtmf: "1", speech: [go]}, wait: {speech: [wait]}}'
        assert on_channel(f"start: {{menu: {{prompt: Say go or wait., {text}}}, next: bye}}") == [
            'The channel does not support speech, and "wait" has no key.'
        ]

    @pytest.mark.parametrize(
        ("language", "found"),
        [
            ("en-US", []),
            ("en", []),
            ("de-AT", ['The channel does not understand de-AT, and "go" has no key.']),
            ("ja", ["The channel does not speak ja."]),
        ],
    )
    def test_a_line_that_speaks_more_languages_than_it_understands(self, language: str, found: list[str]) -> None:
        speaks = frozenset({"en-gb", "en", "de", "fr-FR", "it", "es"})
        can = replace(SkypeChannel.can, languages=speaks, understands=frozenset({"en"}))
        text = f"""
language: {language}
states:
  start: {{menu: {{prompt: Say go., choices: {{go: {{speech: [go]}}, wait: {{dtmf: "1", speech: [wait]}}}}}}}}
"""
        findings = load(whole(text), channel=can).findings
        assert [each.message for each in findings if each.code == "channel"] == found

    def test_a_text_in_a_language_that_a_voice_of_many_does_not_speak(self) -> None:
        can = replace(SkypeChannel.can, languages=frozenset({"en", "de", "fr", "it", "es", "pt-br"}))
        text = "start: {say: [Hello., {text: Hei., language: fi}, {text: Oi., language: pt-BR}], next: bye}"
        findings = load(whole(text), channel=can).findings
        assert [each.message for each in findings] == ["The channel does not speak fi."]

    def test_any_language_where_the_line_speaks_all(self) -> None:
        assert on_channel(CHECKS["channel"].bad) == []

    def test_a_text_in_another_language(self) -> None:
        text = "start: {say: [Hello., {text: Salut., language: fr-FR}, {text: Hi., language: EN-us}], next: bye}"
        found = load(whole(text), channel=SkypeChannel.can).findings
        assert [each.message for each in found] == ["The channel speaks only en-US, not fr-FR."]


def asking(menu: object) -> tuple[Document, Menu]:
    """Return a flow with one menu, and the menu."""
    states = {"start": {"menu": menu}}
    model = FlowFile.model_validate({"flow": "example", "initial": "start", "states": states})
    asked = model.states["start"].menu
    assert asked is not None
    return Document(read("flow.yaml", b"{}").source, model), asked


def announced(menu: object) -> Announcement:
    document, asked = asking(menu)
    return announcement(document, asked, (), document.model.language)


class TestKeysInPrompts:
    @pytest.mark.parametrize(
        ("text", "keys"),
        [
            ("To go press 1.", ["1"]),
            ("Press the number 7 key, dial two or push the pound key.", ["7", "2", "#"]),
            ("Press star, press asterisk, hit hash, press the number sign.", ["*", "*", "#", "#"]),
            ("PRESS NINE", ["9"]),
            ("Press 10 for more, press 5,000 times, press 1.5 seconds.", []),
            ("Press 1, then press 2: or press 3; press 4", ["1", "2", "3", "4"]),
            ("Press zero.", ["0"]),
            ("The press oneself gave starry pressure.", []),
            ("Press # or press *.", ["#", "*"]),
        ],
    )
    def test_which_keys_a_prompt_names(self, text: str, keys: list[str]) -> None:
        spoken = announced({"prompt": text, "choices": {"go": {"dtmf": "1"}}})
        assert [mention.key for mention in spoken.keys] == keys

    def test_a_choice_may_be_told_by_key_word_name_or_its_own_prompt(self) -> None:
        menu = {
            "prompt": "Press 1, say Our Sales Team, or call back.",
            "choices": {
                "one": {"dtmf": "1"},
                "two": {"dtmf": "2", "speech": ["our sales team"]},
                "call_back": {"dtmf": "3"},
                "four": {"dtmf": "4", "prompt": "That is it."},
                "five": {"dtmf": "5", "speech": ["sale"]},
            },
        }
        spoken = announced(menu)
        choices = asking(menu)[1].choices
        assert [name for name in choices if not spoken.mentions(name, choices[name])] == ["five"]

    def test_what_cannot_be_known_is_not_doubted(self) -> None:
        address = '"https://contoso.example/menu.wav"'
        for prompt in (f"{{audio: {address}, text: ''}}", '"{{ call.to }}, your choice?"'):
            text = f'start: {{menu: {{prompt: {prompt}, choices: {{go: {{dtmf: "1"}}}}}}, next: bye}}'
            assert "silent-key" not in codes(text)

    def test_a_prompt_is_counted_in_words_before_its_first_choice(self) -> None:
        spoken = announced(
            {
                "prompt": [{"text": "One two three."}, {"silence": "1s"}, {"text": "Four five."}],
                "choices": {"go": {"dtmf": "1", "prompt": "Press 1."}},
            }
        )
        assert spoken.first_after == 5

    def test_keys_of_digits_are_not_doubted(self) -> None:
        assert codes("start: {digits: {prompt: Press star for the point.}, next: bye}") == []


class TestEndless:
    @pytest.mark.parametrize(
        ("guard", "under", "otherwise"),
        [
            ("visits.a < 3", {"a"}, set()),
            ("visits.a <= 3", {"a"}, set()),
            ("3 > visits.a", {"a"}, set()),
            ("visits.a == 2", {"a"}, set()),
            ("visits.a >= 3", set(), {"a"}),
            ("3 < visits.a", set(), {"a"}),
            ("visits.a != 2", set(), {"a"}),
            ("not visits.a < 3", set(), {"a"}),
            ("visits.a < 3 and visits.b < 3", {"a", "b"}, set()),
            ("visits.a < 3 or visits.b < 3", set(), set()),
            ("visits.a < 3 or visits.a < 5", {"a"}, set()),
            ("visits.a > 3 or visits.b > 3", set(), {"a", "b"}),
            ("visits.a > 3 and visits.b > 3", set(), set()),
            ("visits.a < visits.b", set(), set()),
            ("call.to == '3'", set(), set()),
            ("1 < visits.a < 3", set(), set()),
            ("now", set(), set()),
        ],
    )
    def test_which_visits_a_guard_limits(self, guard: str, under: set[str], otherwise: set[str]) -> None:
        node = compile_expression(guard).node
        assert limited(node, holds=True) == under
        assert limited(node, holds=False) == otherwise

    def test_a_count_of_a_state_that_is_not_on_the_round_ends_nothing(self) -> None:
        assert codes("""
start: {say: Hello., next: ask}
ask:
  digits: {prompt: Key it.}
  on: {digits: bye, exhausted: [{guard: visits.start < 3, target: sorry}, bye]}
sorry: {say: Sorry., next: ask}
""") == ["endless"]

    def test_a_count_of_another_state_on_the_round_ends_it(self) -> None:
        assert (
            codes("""
start:
  digits: {prompt: Key it.}
  on: {digits: bye, exhausted: [{guard: visits.middle >= 3, target: bye}, first]}
first: {say: Sorry., next: middle}
middle: {say: Really., next: start}
""")
            == []
        )

    def test_a_round_beside_a_counted_one_is_found(self) -> None:
        assert codes("""
start:
  digits: {prompt: Key it.}
  on: {digits: bye, exhausted: [{guard: visits.start < 3, target: first}, second], noInput: second}
first: {say: Sorry., next: start}
second: {say: Really., next: start}
""") == ["endless"]

    def test_asking_again_on_silence_goes_on_for_ever_whatever_is_counted(self) -> None:
        transitions = "{digits: bye, noInput: [{guard: visits.start < 3, target: self}, bye]}"
        assert codes(f"start: {{digits: {{prompt: Key it.}}, on: {transitions}}}") == ["endless"]

    def test_a_valid_answer_is_progress(self) -> None:
        assert (
            codes("""
start:
  menu: {prompt: To hear it again press 1., choices: {again: {dtmf: "1"}}}
  on: {again: [{guard: call.from, target: self}, speak]}
speak:
  record: {prompt: Speak., transcribe: true}
  next: start
  on: {error.transcribe: start, error.recording: start}
  allow: {dropped-recording: It is for the archive.}
""")
            == []
        )

    def test_states_that_work_by_themselves_go_round_for_ever(self) -> None:
        assert codes("""
start: {decide: [{guard: call.from, target: other}, bye]}
other: {answer: {}, next: start}
""") == ["endless"]


class TestDroppedRecording:
    def after(self, more: str) -> list[str]:
        return codes(f"start: {{record: {{prompt: Speak., into: words}}, next: more}}\n{more}")

    def test_an_end_is_something_made_of_it(self) -> None:
        assert self.after("more: {say: Thank you., final: true}\n") == []

    def test_a_guard_that_reads_it_is_something_made_of_it(self) -> None:
        menu = 'menu: {prompt: To go press 1., choices: {go: {dtmf: "1"}}}'
        assert self.after(f"more: {{{menu}, next: bye}}\n") == ["dropped-recording"]
        assert (
            self.after(f"more: {{say: '{{{{ words.seconds | number }}}}', next: ask}}\nask: {{{menu}, next: bye}}\n")
            == []
        )
        assert self.after(
            f"more: {{decide: [{{guard: words.transcript, target: ask}}, ask]}}\nask: {{{menu}, next: bye}}\n"
        ) == ["dropped-recording"], "the other branch has not read it when it goes on"

    def test_a_handler_of_the_flow_for_hanging_up_counts(self) -> None:
        text = """
on: {exhausted: bye, error: bye, hangup: bye}
states:
  start: {record: {prompt: Speak., into: words}, next: more}
  more: {menu: {prompt: To go press 1., choices: {go: {dtmf: "1"}}}, next: bye}
"""
        assert codes(text) == []

    def test_hanging_up_may_lead_to_where_it_is_read(self) -> None:
        text = """
start: {record: {prompt: Speak., into: words}, next: more}
more:
  menu: {prompt: To go press 1., choices: {go: {dtmf: "1"}}}
  next: bye
  on: {hangup: [{guard: words.transcript, target: bye}, other]}
other: {digits: {prompt: Key it.}, next: bye}
"""
        assert codes(text) == ["dropped-recording"]


class TestMistakesOfYaml:
    def test_a_comment_after_a_text_of_several_lines_is_a_comment(self) -> None:
        for text in ('"Our hours:\n    daily: all day."', "|\n    Our hours:\n    daily: all day."):
            assert codes(f"start:\n  say: {text}\n# This is a comment.\n  next: bye\n") == []

    def test_a_text_of_several_lines_that_is_closed_is_not_what_is_wrong(self) -> None:
        assert codes('start:\n  say: "Hello\n    you." there\n  next: bye\n') == ["syntax"]
        assert codes('start: {say: "Hello\n    you."#\n  , next: bye}\n') == []

    def test_a_quote_inside_is_told_from_words_behind_the_text(self) -> None:
        assert codes("start:\n  say: 'The patients' names.'\n  next: bye\n") == ["quote"]
        assert codes("start:\n  say: 'The patients' names.\n  next: bye\n") == ["syntax"]

    def test_a_line_of_text_that_is_not_indented_is_no_missing_colon(self) -> None:
        assert said("start:\n  say: Hello,\n  my friend\n  next: bye\n") == [
            'syntax: A colon is missing in this line. Write "my: …", or indent it if it belongs to the text above.'
        ]
        assert codes("start:\n  say: Hello,\n    friend: you\n  next: bye\n") == ["syntax"]
        assert codes("start:\n  say: Hello,\n  , my friend\n  next: bye\n") == ["syntax"]

    def test_the_end_of_a_file_in_the_midst_of_it(self) -> None:
        for text in ("a: [b\nc", "a: {b: c\nd", "'", "a: 'b", "a: - b", "a\n b: c", "- a\nb", "a:b", "\n\n: b: c"):
            assert load(text).flow is None

    def test_two_texts_with_a_comma_between(self) -> None:
        assert said('start:\n  say: "Hello.", "You."\n  next: bye\n') == [
            "syntax: Two texts with a comma between them are not one value. Put them in [ ], or in one text."
        ]

    def test_a_long_value_behind_a_colon_without_space_is_not_repeated(self) -> None:
        [found] = said(f"start: {{say:{'Hello ' * 10}, next: bye}}\n")
        assert found == 'space: A space is missing after the colon. Write "say: …".'

    def test_a_key_written_twice_once_without_its_space(self) -> None:
        assert codes("start: {say: Hello., say:You, next: bye}\n") == ["space"]


class TestOtherChecks:
    def test_a_word_is_no_mistake_where_it_is_an_allowed_value(self) -> None:
        assert (
            codes("""
variables: {small: 1, size: {type: text, values: [small, large], default: large}}
states:
  start: {say: "{{ small }} {{ size }}", set: {size: small}, next: bye}
""")
            == []
        )

    def test_facts_that_can_be_set_and_those_that_cannot(self) -> None:
        assert codes("start: {say: Hello., set: {outcome: sold, language: en-GB}, next: bye}") == []
        assert said("start: {say: Hello., set: {now: 5}, next: bye}") == [
            'undefined: "now" is a fact and cannot be set. Facts that can be set: language, outcome.'
        ]

    def test_a_variable_declared_wrongly_is_told_once(self) -> None:
        assert codes("""
variables: {count: [5]}
states:
  start: {say: "{{ count }}", set: {count: 5}, next: bye}
""") == ["value"]

    def test_text_is_stored_in_any_type_that_keys_can_have(self) -> None:
        assert (
            codes("""
variables: {count: 0}
states:
  start: {digits: {prompt: Key it.}, next: {target: told, set: {count: "{{ digits }}"}}}
  told: {say: "{{ count }}", next: bye}
""")
            == []
        )

    def test_white_space_around_a_text_harms_nothing(self) -> None:
        assert (
            codes("""
variables: {number: ""}
states:
  start: {digits: {prompt: Key it.}, next: {target: told, set: {number: "{{ digits }} "}}}
  told: {say: "{{ number }}", next: bye}
""")
            == []
        )

    def test_an_unhandled_event_is_told_for_the_state_it_happens_in(self) -> None:
        text = "on: {exhausted: bye}\nstates:\n  start: {say: Hello., on: {done: bye}}\n"
        assert said(text) == [
            'unhandled: "error" is not handled here. Add error: <state> to the "on" of this state or of the flow.'
        ]

    def test_a_flow_wide_handler_covers_the_state_it_leads_to(self) -> None:
        text = "on: {exhausted: bye, error: start}\nstates:\n  start: {say: Hello., next: bye}\n"
        assert codes(text) == ["default-outcome"] or codes(text) == []

    def test_a_failed_end_is_no_surprise_where_the_flow_sets_outcomes_itself(self) -> None:
        bad = CHECKS["default-outcome"].bad
        assert codes(bad.replace("start: {say", "start: {set: {outcome: failed}, say")) == []
        assert codes(bad.replace("next: thanks}", "next: {target: thanks, set: {outcome: sold}}}")) == []

    def test_an_outcome_that_is_set_is_compared_with_the_others(self) -> None:
        assert codes("start: {say: Hello., set: {outcome: unresolvd}, next: bye}") == ["outcome-typo"]

    def test_what_becomes_too_long_must_end(self) -> None:
        assert codes("start: {say: Hello., next: bye, on: {error.limit: bye}}") == []
        asks = "more: {digits: {prompt: Key it.}, next: bye}\n"
        assert codes(f"start: {{say: Hello., next: more, on: {{error.limit: more}}}}\n{asks}") == ["final"]
        text = "on: {exhausted: bye, error: bye, error.limit: more}\nstates:\n  start: {say: Hello., next: more}\n"
        assert codes(f"{text}  {asks}") == ["final"]

    def test_what_becomes_too_long_may_do_something_on_its_way_to_the_end_but_ask_nothing(self) -> None:
        start = "start: {say: Hello., next: more, on: {error.limit: more}}\n"
        assert codes(start + "more: {say: Hi., next: bye}") == []
        told = "more: {notify: {email: desk@example.com, text: Too long.}, next: tell}\ntell: {say: Hi., next: bye}"
        assert codes(start + told) == []
        assert codes(start + "more: {say: Hi., next: ask}\nask: {digits: {prompt: Key it.}, next: bye}") == ["final"]
        asked_on_failure = "more: {say: Hi., next: bye, on: {error: ask}}\nask: {digits: {prompt: Key it.}, next: bye}"
        assert codes(start + asked_on_failure) == ["final", "final"]  # the limit is an error in `more` as well

    @pytest.mark.parametrize(
        ("on", "found"),
        [
            ("error: more", ["final"]),
            ("error: bye, error.limit: more", ["final"]),
            ("error: more, error.limit: bye", []),
        ],
    )
    def test_what_becomes_too_long_must_end_by_whichever_name_fits(self, on: str, found: list[str]) -> None:
        asks = "more: {digits: {prompt: Key it.}, next: bye, on: {error: bye}}\n"
        assert codes(f"start: {{say: Hi., next: bye, on: {{{on}}}}}\n{asks}") == found
        text = f"on: {{exhausted: bye, {on}}}\nstates:\n  start: {{say: Hi., next: more}}\n"
        assert codes(f"{text}  {asks}") == found

    def test_a_question_that_is_asked_again_on_any_error_does_not_end_what_becomes_too_long(self) -> None:
        found = said("start: {digits: {prompt: Key it.}, on: {digits: bye, error: self}}")
        assert [each.partition(":")[0] for each in found] == ["endless", "final"]
        assert found[1].endswith('"start" leads to a question. Add "error.limit: <final state>".')

    def test_decide_has_no_next(self) -> None:
        assert codes("start: {decide: [{guard: call.from, target: bye}, bye], next: bye}") == ["two-ways"]

    def test_a_misspelt_key_beside_its_action_is_told_where_it_belongs(self) -> None:
        assert said("start: {say: Hello., choices: {}, next: bye}") == [
            'unknown-key: "choices" is not known here. Write it inside the action.'
        ]

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("start: {say: [[Hello.]], next: bye}", "value"),
            ("start: {say: Hello., next: [[bye]]}", "value"),
            ("start: {say: Hello., description: {a: b}, next: bye}", "value"),
            ("start: {say: Hello., final: [true]}", "value"),
            ("start: {digits: {prompt: Key it., maxDigits: {a: b}}, next: bye}", "value"),
            ("start: {menu: [a], next: bye}", "value"),
        ],
    )
    def test_a_list_where_none_belongs(self, text: str, code: str) -> None:
        assert set(codes(text)) >= {code}


def test_the_nearest_word_ignores_the_case_and_long_words() -> None:
    assert nearest("BARGEIN", ["bargeIn", "beep"]) == "bargeIn"
    assert nearest("x" * 100, ["x" * 99]) is None
    assert did_you_mean("zzz", ["abc"]) == ""


def test_components_of_a_graph() -> None:
    found = components({"a": ["b"], "b": ["c", "d"], "c": ["a"], "d": ["e"], "e": ["d"], "f": []})
    assert found["a"] == found["b"] == found["c"]
    assert found["d"] == found["e"]
    assert len({found["a"], found["d"], found["f"]}) == 3


def test_shortest_paths() -> None:
    graph = {"a": ["b", "c"], "b": ["d"], "c": ["e"], "d": ["e"], "e": []}
    assert shortest(graph, "a", "e") == ["a", "c", "e"]
    assert shortest(graph, "a", "e", avoiding="c") == ["a", "b", "d", "e"]
    assert shortest(graph, "e", "a") is None
    assert shortest(graph, "a", "e", avoiding="a") is None
    assert shortest(graph, "a", "a") == ["a"]
