"""Mistakes that have nothing to do with each other are found in one run: every pair of checks, each in its own states.

What stops the parser, breaks a state or leads nowhere must not hide what is wrong elsewhere, and must not be told
twice by what follows from it.
"""

import re
from collections.abc import Sequence

import pytest
from msgspec import Struct
from pydantic.alias_generators import to_snake

from ivr.channels.skype import SkypeChannel
from ivr.flowfile.checks import CHECKS, Provided
from ivr.flowfile.finding import Finding, as_text
from ivr.flowfile.load import load_text
from tests.flowfile.reading import NOWHERE

HEAD = "flow: example\ninitial: root\non: {exhausted: bye, error: bye}\n"
END = "  bye: {say: Goodbye., final: true, outcome: unresolved}\n"


class Plant(Struct, frozen=True):
    """What is wrong in some states of a flow."""

    states: str
    "They begin in `start`."
    variables: str = ""
    calendars: str = ""
    prompts: str = ""
    sign_ins: str = ""


OTHERWISE = {
    "destination": Plant("start: {transfer: {to: nowhere}, on: {failed: bye}, allow: {channel: another line can}}\n"),
    "lost-recording": Plant(
        "start: {record: {prompt: What is it?, transcribe: true, into: matter}, next: tell, allow: {speech: soon}}\n"
        "tell: {notify: {email: desk@example.com, text: A message., attach: matter}, next: bye}\n"
    ),
    "ref": Plant(
        "start: {say: [{ref: greting}, {ref: greeting}], next: bye}\n",
        prompts="greeting: Good morning.\n",
    ),
    "bare-name": Plant(
        'start: {say: "{{ amount }} euros.", set: {total: amount}, next: tell}\n'
        'tell: {say: "{{ total }}", next: bye}\n',
        'amount: 12\ntotal: {type: text, default: ""}\n',
    ),
    "never-set": Plant(
        "start: {say: \"Hello {{ nickname or 'stranger' }}.\", next: bye}\n",
        "nickname: {type: text, default: none}\n",
    ),
    "default-outcome": Plant(
        "start: {say: Hello., next: thanks, on: {error: sorry}}\nthanks: {say: Thank you., next: bye}\n"
        "sorry: {say: Something went wrong., final: true}\n"
    ),
    "no-answer": Plant(
        'start: {digits: {prompt: How many?, into: amount}, next: told}\ntold: {say: "{{ amount }}.", next: bye}\n',
        "amount: {type: integer, min: 10, max: 5}\n",
    ),
    "channel": Plant("start: {say: {text: Guten Tag., language: de-DE}, next: bye}\n"),
    "language": Plant("start: {say: {en: Good morning., fr: Bonjour.}, next: bye}\n"),
    "requires": Plant(
        "start: {decide: [{guard: call.from, set: {known: true}, target: account}, account]}\n"
        "account: {say: Your account is in credit., requires: [known], next: bye}\n",
        "known: false\n",
    ),
    "calendar": Plant(
        "start: {say: \"{{ 'We are here.' if calendar.office.open else 'We are closed.' }}\", next: bye}\n",
        calendars="office: {closed: {12-24: Christmas Eve}}\n",
    ),
    "closed": Plant(
        "start: {decide: [{guard: calendar.office.open, target: welcome}, bye]}\n"
        "welcome: {say: We are here., next: bye}\n",
        calendars='office: {weekly: {mon-fri: "09:00-17:00"}}\n',
    ),
    "user-variable": Plant(
        'start: {say: "Call {{ user.visits }}.", set: {user.visits: "{{ user.visits + 1 }}"}, next: bye}\n',
        "user.visits: {default: 0}\n",
    ),
    "signed-in": Plant(
        'start: {signIn: {name: diary, prompt: "Open {{ signIn.page }}."}, '
        "on: {signedIn: look, declined: look, expired: bye, failed: bye}}\n"
        'look: {http: {url: "https://api.contoso.example/calls", auth: {signIn: diary}}, next: bye}\n',
        sign_ins="diary: {}\n",
    ),
    "truth-word": Plant("start: {decide: [{guard: closed, target: bye}, bye]}\n", "closed: no\n"),
    "encoding": Plant("start: {say: Gr\udcfc\udcdfe., next: bye}\n"),
    "size": Plant(f"start: {{say: {'[' * 60}Hello.{']' * 60}, next: bye}}\n"),
}
"Checks whose declared example is more than states."
OF_THE_FLOW = {"time-zone", "command", "include"}
"""A flow has one time zone, which stands in none of its states; its commands are understood in those of other mistakes.
What it includes is read before anything else of it."""
CODES = [code for code, check in CHECKS.items() if (check.bad or code in OTHERWISE) and code not in OF_THE_FLOW]
"All that one flow can have beside others."


def planted(code: str, mark: str) -> Plant:
    """Return the bad example of a check, with names that no other has."""
    plant = OTHERWISE.get(code) or Plant(CHECKS[code].bad.strip("\n") + "\n")
    sections: tuple[str, ...] = (plant.states, plant.variables, plant.calendars, plant.prompts, plant.sign_ins)
    names = {name for section in sections for name in re.findall(r"^(\w+):", section, re.MULTILINE)}
    names |= set(re.findall(r"into: (\w+)", plant.states))
    for name in names - {"digits"}:  # which is the mistake of `state-name`
        own = re.compile(rf"(?<![\w-]){name}(?![\w-])" if name != "number" else r"number(?=[ },])")
        sections = tuple(own.sub(f"{mark}_{name}", section) for section in sections)
    return Plant(*sections)


def flow_with(codes: Sequence[str]) -> bytes:
    """Plant several mistakes in one flow."""
    plants = [(f"m{number}", planted(code, f"m{number}")) for number, code in enumerate(codes)]
    branches = ", ".join(
        f"{{guard: visits.root == {number}, target: {mark}_start}}" for number, (mark, _) in enumerate(plants)
    )
    states = f"root: {{decide: [{branches}, bye]}}\n" + "".join(plant.states for _, plant in plants)
    head = HEAD
    for key in ("variables", "calendars", "prompts", "signIns"):
        section = "".join(getattr(plant, to_snake(key)) for _, plant in plants)
        head += f"{key}:\n{indented(section)}" if section else ""
    return (head + f"states:\n{indented(states)}" + END).encode("utf-8", "surrogateescape")


def indented(text: str) -> str:
    return "".join(f"  {line}\n" if line else "\n" for line in text.splitlines())


def found(data: bytes) -> set[str]:
    return {one.code for one in findings(data)}


def findings(data: bytes) -> Sequence[Finding]:
    return load_text(
        data,
        file="flow.yaml",
        folder=NOWHERE,
        lines={"skype": SkypeChannel.can},
        missing=no_dictation,
        provided=PROVIDED,
    ).findings


PROVIDED = Provided(refuses=lambda address: "it is not on the list" if "fabrikam" in address else "")


def no_dictation(language: str, phrases: bool, audio: str | None) -> Sequence[str]:
    return [] if phrases else ["writes nothing down"]


@pytest.mark.parametrize("code", CODES)
def test_a_mistake_alone_is_found_alone(code: str) -> None:
    data = flow_with([code])
    assert found(data) == {code}, as_text(findings(data))


@pytest.mark.parametrize("code", CODES)
def test_a_mistake_is_found_beside_any_other(code: str) -> None:
    for other in CODES[: CODES.index(code)]:
        data = flow_with([code, other])
        assert found(data) == {code, other}, f"{data.decode(errors='replace')}\n{as_text(findings(data))}"
