"""What is checked of flows that invoke others, and of those that are invoked (LANGUAGE C4, C7, C12)."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from ivr.flowfile.bundle import Bundle
from ivr.flowfile.chart import chart_of
from ivr.flowfile.diagram import mermaid
from ivr.flowfile.load import LoadedFlow, asks_the_clock, load_flow, load_text, rebuild, texts_of
from tests.caller import Caller

SHOP = """\
flow: shop
initial: pay
on: {error: bye}
variables: {sum: 12}
states:
  pay:
    invoke: {flow: payment, with: {amount: "{{ sum }}"}, into: code}
    on: {paid: thanks, cancelled: bye}
  thanks: {say: "Your code is {{ code | digits }}.", next: bye}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""
PAYMENT = """\
flow: payment
initial: ask
on: {exhausted: cancel, error: cancel}
variables: {amount: {type: integer, default: 5, max: 1000}}
states:
  ask:
    digits: {prompt: "Key the code to pay {{ amount }} euros.", into: code}
    next: done
  done: {return: {event: paid, value: "{{ code }}"}}
  cancel: {return: cancelled}
"""


def among(folder: Path, *texts: str) -> LoadedFlow:
    """Write flows into a folder, each under its name, and load the first."""
    files = [folder / f"{text.split(chr(10), 1)[0].removeprefix('flow: ')}.yaml" for text in texts]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, "utf-8")
    return load_flow(files[0], named=files[0].name)


def said(loaded: LoadedFlow) -> Sequence[str]:
    return [
        f"{found.file}:{found.line}:{found.column} {found.code}: {found.message} {found.suggestion}".strip()
        for found in loaded.findings
    ]


def test_a_flow_and_the_one_that_it_invokes_are_sound(tmp_path: Path) -> None:
    assert said(among(tmp_path, SHOP, PAYMENT)) == []


def test_c4_a_flow_that_is_given_nothing_may_be_written_as_its_name(tmp_path: Path) -> None:
    written = '{flow: payment, with: {amount: "{{ sum }}"}, into: code}'
    shop = SHOP.replace(written, "payment").replace("Your code is {{ code | digits }}.", "{{ sum }} euros.")
    loaded = among(tmp_path, shop, PAYMENT)
    assert said(loaded) == []
    assert loaded.served().parts["pay/"].flow == "payment"


@pytest.mark.parametrize(
    ("of", "to", "finding"),
    [
        ("flow: payment,", "flow: paymant,", 'shop.yaml:7:20 unknown-flow: No flow in this folder is called "paym'),
        ("amount:", "amuont:", 'shop.yaml:7:36 undefined: The flow "payment" has no variable "amuont".'),
        ('"{{ sum }}"', "many", 'shop.yaml:7:44 type: "many" is not valid for "amount".'),
        ('"{{ sum }}"', "2000", 'shop.yaml:7:44 type: "2000" is not valid for "amount".'),
        ('"{{ sum }}"', '"{{ call.from }}"', "shop.yaml:7:44 may-be-null"),
        ('"{{ sum }}"', '"{{ nothing }}"', "shop.yaml:7:48 undefined"),
        ("on: {paid", "on: {payed", "shop.yaml:6:3 unhandled"),
        ("on: {paid: thanks, ", "on: {paid: thanks, exhausted: bye, ", "shop.yaml:8:24 never"),
        ("into: code}", "into: sum}", "shop.yaml:7:64 type"),
        ("cancelled: bye}", "cancelled: thanks}", 'shop.yaml:9:34 unset: "code" may have no value here'),
    ],
)  # fmt: skip
def test_a_mistake_in_an_invocation_is_found(tmp_path: Path, of: str, to: str, finding: str) -> None:
    assert of in SHOP
    assert any(one.startswith(finding) for one in said(among(tmp_path, SHOP.replace(of, to), PAYMENT)))


@pytest.mark.parametrize(
    ("of", "to", "finding"),
    [
        ("event: paid", "event: hangup", 'payment.yaml:9:26 name: "hangup" is a reserved word.'),
        ("event: paid", "event: failed", 'payment.yaml:9:26 name: "failed" is reserved for an error event.'),
        ("event: paid", "event: 'paid up'", 'payment.yaml:9:26 name: "paid up" is not a valid name.'),
        ("value: \"{{ code }}\"", "value: \"{{ kode }}\"", "payment.yaml:9:43 undefined"),
        ("next: done", "next: doen", "payment.yaml:8:11 unknown-target"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_invoked_flow_is_found_in_its_file(tmp_path: Path, of: str, to: str, finding: str) -> None:
    assert of in PAYMENT
    loaded = among(tmp_path, SHOP, PAYMENT.replace(of, to))
    assert loaded.flow is None
    assert any(one.startswith(finding) for one in said(loaded))
    assert not any(found.fix for found in loaded.findings if found.file == "payment.yaml")


def test_an_invoked_flow_that_cannot_be_read_is_named_with_what_is_wrong(tmp_path: Path) -> None:
    assert said(among(tmp_path, SHOP, "flow: payment\n"))[0].startswith("payment.yaml:1:1 missing")


def test_c8_every_returned_name_must_be_handled(tmp_path: Path) -> None:
    shop = SHOP.replace("on: {paid: thanks, cancelled: bye}", "on: {paid: thanks}")
    assert said(among(tmp_path, shop, PAYMENT)) == [
        (
            'shop.yaml:6:3 unhandled: "cancelled" is not handled here. '
            'Add cancelled: <state> to the "on" of this state or of the flow.'
        )
    ]


def test_c4_next_stands_for_every_returned_name(tmp_path: Path) -> None:
    shop = SHOP.replace("on: {paid: thanks, cancelled: bye}", "next: bye\n    on: {paid: thanks}")
    assert said(among(tmp_path, shop, PAYMENT)) == []


def test_c4_a_flow_that_never_returns_needs_no_next(tmp_path: Path) -> None:
    shop = "flow: shop\ninitial: go\non: {error: bye}\nstates:\n  go: {invoke: leave}\n"
    shop += "  bye: {hangup: {}, outcome: lost}\n"
    leave = "flow: leave\ninitial: bye\nstates:\n  bye: {say: Goodbye., final: true, outcome: unresolved}\n"
    assert said(among(tmp_path, shop, leave)) == []


def test_c12_a_private_value_can_only_be_given_to_a_private_variable(tmp_path: Path) -> None:
    shop = SHOP.replace("sum: 12", "sum: {type: integer, default: 12, sensitive: true}")
    assert said(among(tmp_path, shop, PAYMENT)) == [
        (
            "shop.yaml:7:48 sensitive: A private value would be stored in a variable that is not. "
            'Declare "amount" sensitive in "payment".'
        )
    ]
    payment = PAYMENT.replace("max: 1000", "max: 1000, sensitive: true").replace("{{ amount }}", "some")
    payment = payment.replace("next: done", "next: [{guard: amount > 5, target: done}, cancel]")
    assert said(among(tmp_path, shop, payment)) == []


@pytest.mark.parametrize("told", ["code", "value"])
def test_c12_a_private_value_that_is_returned_stays_private(tmp_path: Path, told: str) -> None:
    shop = SHOP.replace("Your code is {{ code | digits }}.", "Thank you.").replace(
        "on: {paid: thanks,", f'on: {{paid: {{say: "{{{{ {told} | digits }}}}", target: thanks}},'
    )
    payment = PAYMENT.replace("into: code}", "into: code, sensitive: true}")
    found = [one.partition(" ")[2] for one in said(among(tmp_path, shop, payment))]
    assert "sensitive: A private value would be spoken. Only guards may read it." in found


@pytest.mark.parametrize(
    ("other", "fits"),
    [
        ('{event: paid, value: "{{ amount }}"}', ["type"]),
        ("paid", ["unset"]),
        ('{event: paid, value: "{{ code }}"}', []),
    ],
    ids=["of-another-type", "without-a-value", "of-the-same-type"],
)
def test_c4_a_name_that_is_returned_twice_has_what_both_have_in_common(
    tmp_path: Path, other: str, fits: Sequence[str]
) -> None:
    payment = PAYMENT.replace("next: done", "next: [{guard: amount > 7, target: done}, also]")
    payment = payment.replace("  cancel:", f"  also: {{return: {other}}}\n  cancel:")
    shop = SHOP.replace("{{ code | digits }}", "{{ code | length }}")
    assert [found.code for found in among(tmp_path, shop, payment).findings] == fits


def test_an_invocation_without_a_flow_hides_no_other_mistake(tmp_path: Path) -> None:
    shop = SHOP.replace("flow: payment, ", "flow: [payment], ").replace("Goodbye.", "Good the the bye.")
    assert [found.code for found in among(tmp_path, shop, PAYMENT).findings] == ["value", "doubled-word"]


GERMAN = """\
flow: shop
languages: [en-GB, de-AT]
initial: hello
on: {error: bye}
states:
  hello: {invoke: greeting, next: bye}
  bye: {say: {en: Goodbye., de: Auf Wiederhören.}, final: true, outcome: unresolved}
"""
GREETING = """\
flow: greeting
languages: [en, de]
initial: hello
on: {error: back}
states:
  hello: {say: {en: Hello., de: Guten Tag.}, next: back}
  back: {return: back}
"""


def test_c2_an_invoked_flow_speaks_the_languages_of_the_flow_that_invokes_it(tmp_path: Path) -> None:
    loaded = among(tmp_path, GERMAN, GREETING)
    assert said(loaded) == []
    Caller(loaded.served(), language="de-DE").hears("Guten Tag. Auf Wiederhören.")
    Caller(loaded.served(), language="fr").hears("Hello. Goodbye.")


def test_c2_an_invoked_flow_without_a_language_of_the_one_that_invokes_it_is_refused(tmp_path: Path) -> None:
    greeting = GREETING.replace("languages: [en, de]", "language: en-US").replace(
        "{en: Hello., de: Guten Tag.}", "Hello."
    )
    (found,) = said(among(tmp_path, GERMAN, greeting))
    assert found == (
        'shop.yaml:6:19 language: The flow "greeting" does not speak de-AT, and shares the language of the call. '
        "Write its texts in it; it has en-US."
    )


CIRCLE = ("flow: {name}\ninitial: go\non: {{error: back, error.limit: back}}\nstates:\n"
          "  go: {{invoke: {other}, next: back}}\n  back: {{return: back}}\n")  # fmt: skip


def chain(*names: str) -> Sequence[str]:
    return [CIRCLE.format(name=name, other=other) for name, other in pairwise(names)]


def test_flows_that_invoke_each_other_in_a_circle_are_named(tmp_path: Path) -> None:
    first, *others = chain("a", "b", "c", "b")
    loaded = among(tmp_path, first, *others)
    assert "a.yaml:5:16 recursion: Flows invoke each other in a circle: b → c → b. Use a transition instead." in said(
        loaded
    )


def test_flows_invoke_each_other_at_most_eight_deep(tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(10)]
    last = f"flow: {names[-1]}\ninitial: back\nstates: {{back: {{return: back}}}}\n"
    codes = [found.code for found in among(tmp_path, *chain(*names), last).findings if found.file == "f0.yaml"]
    assert codes == ["recursion"]
    assert said(load_flow_named(tmp_path / "f1.yaml")) == []


def load_flow_named(file: Path) -> LoadedFlow:
    return load_flow(file, named=file.name)


def test_a_flow_with_all_that_it_invokes_has_a_bounded_number_of_states(tmp_path: Path) -> None:
    def wide(name: str, other: str) -> str:
        states = "".join(f"  s{number}: {{invoke: {other}, next: s{number + 1}}}\n" for number in range(30))
        return f"flow: {name}\ninitial: s0\non: {{error: s30}}\nstates:\n{states}  s30: {{return: back}}\n"

    last = "flow: last\ninitial: back\nstates: {back: {return: back}}\n"
    loaded = among(tmp_path, wide("a", "b"), wide("b", "c"), wide("c", "last"), last)
    assert said(loaded) == [
        (
            'a.yaml:5:16 recursion: With all that "b" invokes, this flow has 55,861 states; 20,000 are possible. '
            "Invoke it from fewer states."
        )
    ]


def test_a_flow_with_what_it_invokes_is_the_same_after_a_restart(tmp_path: Path) -> None:
    loaded = among(tmp_path, SHOP, PAYMENT)
    assert loaded.bundle is not None
    assert loaded.bundle.format == 2
    again = rebuild(Bundle.decode(loaded.bundle.encode(), loaded.bundle.hash))
    assert repr(again.served()) == repr(loaded.served())
    assert [text.written for text in texts_of(loaded.bundle)] == ["Your code is {{ code | digits }}.", "Goodbye."]


def test_c16_the_hash_is_taken_over_what_is_invoked_too(tmp_path: Path) -> None:
    before = among(tmp_path, SHOP, PAYMENT).served().hash
    assert among(tmp_path, SHOP, PAYMENT.replace("Key the code", "Enter the code")).served().hash != before
    assert among(tmp_path, SHOP, PAYMENT).served().hash == before


def test_c4_an_invoked_flow_without_a_time_zone_has_that_of_the_flow_that_is_called(tmp_path: Path) -> None:
    zoned = SHOP.replace("initial: pay", "initial: pay\ntimeZone: Asia/Tokyo")
    assert among(tmp_path, zoned, PAYMENT).served().parts["pay/"].zone.key == "Asia/Tokyo"
    own = PAYMENT.replace("initial: ask", "initial: ask\ntimeZone: Europe/Vienna")
    assert among(tmp_path, zoned, own).served().parts["pay/"].zone.key == "Europe/Vienna"


def test_the_file_of_an_invoked_flow_may_have_any_name(tmp_path: Path) -> None:
    among(tmp_path, SHOP, PAYMENT)
    (tmp_path / "payment.yaml").rename(tmp_path / "other.yml")
    (tmp_path / "payment.yml").write_text("flow: something\n", "utf-8")
    loaded = load_flow_named(tmp_path / "shop.yaml")
    assert said(loaded) == []
    assert "other.yml" in loaded.beside


def test_a_variable_that_is_given_is_no_constant(tmp_path: Path) -> None:
    def read(payment: str) -> Sequence[str]:
        bundle = among(tmp_path, payment).bundle
        assert bundle is not None
        return texts_of(bundle)[0].reads

    assert read(PAYMENT) == ("amount",)
    alone = PAYMENT.replace("{return: cancelled}", "{hangup: {}, outcome: failed}")
    assert (
        read(
            alone.replace('{return: {event: paid, value: "{{ code }}"}}', '{say: "{{ code | digits }}", next: cancel}')
        )
        == ()
    )


def test_whether_a_flow_asks_the_clock_is_asked_of_what_it_invokes_too(tmp_path: Path) -> None:
    among(tmp_path, SHOP, PAYMENT.replace("Key the code", "It is {{ now | time }}. Key the code"))
    assert asks_the_clock(str(tmp_path / "shop.yaml"), SHOP.encode())
    among(tmp_path, SHOP, PAYMENT)
    assert not asks_the_clock(str(tmp_path / "shop.yaml"), SHOP.encode())


def test_the_picture_of_a_flow_has_one_box_for_a_flow_that_it_invokes(tmp_path: Path) -> None:
    built = among(tmp_path, SHOP, PAYMENT).served()
    first, *_ = chart_of(built).boxes
    assert (first.name, first.kind, first.invokes) == ("pay", "invoke", "payment")
    assert "payment" in mermaid(built)
    assert [box.name for box in chart_of(built).boxes] == ["pay", "thanks", "bye", "*"]


def test_a_flow_that_is_not_in_a_file_has_no_others_beside_it() -> None:
    loaded = load_text(SHOP.encode(), file="shop.yaml", folder=Path("no-such-folder"))
    assert next(found.code for found in loaded.findings) == "unknown-flow"


def test_a_file_that_cannot_be_read_and_a_broken_expression_ask_no_clock(tmp_path: Path) -> None:
    file = str(tmp_path / "shop.yaml")
    assert not asks_the_clock(file, b"{{{")
    broken = "flow: f\ninitial: bye\nstates:\n  bye: {say: '{{ 1 + }} BAD', final: true}\n"
    assert not asks_the_clock(file, broken.replace("BAD", "").encode())
    assert asks_the_clock(file, broken.replace("BAD", "{{ now | time }}").replace("{{ 1 + }}", "").encode())


RECORDED = """flow: recorded
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {consent: {prompt: "This call is recorded. Press 1 for yes, 2 for no."}, next: again, on: {refused: bye}}
  again: {invoke: wrapper, next: speak}
  speak: {record: {prompt: Please speak., needsConsent: true}, next: bye}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""
WRAPPER = """flow: wrapper
initial: go
on: {error: back}
states:
  go: {invoke: inner, next: back}
  back: {return: ok}
"""
INNER = """flow: inner
initial: ask
on: {exhausted: back, error: back}
states:
  ask: ASK
  back: {return: ok}
"""


def test_consent_that_can_be_refused_in_an_invoked_flow_is_not_given_after_it(tmp_path: Path) -> None:
    quiet = INNER.replace("ASK", "{say: Welcome., next: back}")
    asking = INNER.replace(
        "ASK", '{consent: {prompt: "Really? Press 1 for yes, 2 for no."}, next: back, on: {refused: back}}'
    )
    assert said(among(tmp_path, RECORDED, WRAPPER, quiet)) == []
    [found] = said(among(tmp_path, RECORDED, WRAPPER, asking))
    assert found.startswith("recorded.yaml:7:43 consent: A call can come here without consent: ask → again → speak.")
