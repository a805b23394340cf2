"""Diagrams in the real Mermaid, set up as the sites that show them do: every state and every way is in the picture."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ivr.engine.actions.decide import DECIDED
from ivr.engine.expressions.compile import Expression
from ivr.engine.flow import Flow
from ivr.flowfile.chart import ANY
from ivr.flowfile.diagram import LONGEST, mermaid
from ivr.flowfile.load import load_flow
from tests.fakes.chromium import Browser, Page
from tests.flowfile.reading import HERE, flow

MERMAID = HERE.parent / "peers/node_modules/mermaid/dist/mermaid.min.js"
PICTURE = """mermaid.render('picture', {0}).then(({{svg}}) => {{
  document.body.innerHTML = svg;
  const texts = (selector) => [...document.querySelectorAll(selector)].map(e => e.textContent).filter(Boolean);
  const tags = [...document.querySelectorAll('body *')].map(e => e.localName);
  return {{boxes: texts('g.node'), ways: texts('span.edgeLabel'), tags: [...new Set(tags)]}};
}})"""
DRAWN = {"svg", "style", "g", "defs", "marker", "path", "rect", "circle", "foreignObject", "div", "span", "p",
         "filter", "feDropShadow", "linearGradient", "stop"}  # fmt: skip
"What a picture is made of; anything else was made by a label."

GUARDED = flow("start: {decide: [{guard: call.from, target: bye}, bye]}")
TEXTS = st.text(st.characters(exclude_categories=["C"], exclude_characters="ﬂ"), max_size=20)
"""Mermaid uses the ligature for itself, and shows `ﬂ°°58¶ß` as a colon."""
NAMES = TEXTS.filter(lambda name: name.strip() and name != ANY)
"""The chart calls its box for every state `*`, and counts on it that no state can be called so."""

HOSTILE = [
    '"',
    ":::x; %% note",
    "--> [*] <b>bold</b> {",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "&quot; &#60; #35; #quot;",
    "%%{init: {'securityLevel': 'loose'}}%%",
    "price*2*count and **a** or _b_ or __c__ and a_b_c",
    "`a` ~~b~~ $$x^2$$ \\(y\\) \\n",
    "[a](javascript:alert(1)) ![b](c) www.d.e http://f.g h@i.j",
    "1. one",
    "- one",
    "# one",
    "> one",
    "end",
    "note right of s0",
    "[*]",
    "<<fork>>",
    "fa:fa-car",
    "---",
    "x" * 500,
]


@pytest.fixture
async def page(tmp_path: Path, browser: Browser) -> AsyncIterator[Page]:
    """A page with Mermaid in it."""
    if not MERMAID.exists():
        pytest.skip("run `npm install` in tests/peers (make test does)")
    file = tmp_path / "page.html"
    file.write_text(f'<!doctype html><meta charset="utf-8"><body><script src="{MERMAID.as_uri()}"></script>')
    async with browser.page() as tab:
        await tab.go(file.as_uri())
        await tab.run("mermaid.initialize({startOnLoad: false, securityLevel: 'strict'})")
        yield tab
        assert tab.complaints == []


async def drawn(page: Page, flow: Flow) -> tuple[list[str], list[str]]:
    """Have a flow drawn, and give what stands in the boxes and on the ways."""
    picture = await page.run(PICTURE.format(json.dumps(mermaid(flow))))
    assert set(picture["tags"]) <= DRAWN
    return picture["boxes"], picture["ways"]


def shown(text: str) -> str:
    """Write a label as people see it."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def guarded(guard: str, *, name: str = "start") -> Flow:
    """Build a flow with such a guard, and such a name of a state, whether or not an author could write them."""
    start = GUARDED.states["start"]
    branch = start.on[DECIDED][0]
    assert branch.guard
    transitions = {DECIDED: (replace(branch, guard=Expression(guard, branch.guard.node)),)}
    states = {name: replace(start, name=name, on=transitions), "bye": GUARDED.states["bye"]}
    return replace(GUARDED, initial=name, states=states)


async def test_every_state_of_a_shipped_flow_is_in_its_picture(page: Page) -> None:
    for file in sorted((HERE.parents[1] / "flows").glob("*.yaml")):
        built = load_flow(file).served()
        boxes, transitions = await drawn(page, built)
        actions = {
            name: type(state.action).__name__.removesuffix("Call").lower() for name, state in built.states.items()
        }
        assert boxes == [
            *(f"{name} ({action})" for name, action in actions.items()),
            *(["any state"] if built.on else []),
        ]
        outcomes = {state.outcome for state in built.states.values() if state.final and state.outcome}
        assert outcomes <= set(transitions)


async def test_nothing_that_an_author_writes_changes_the_picture(page: Page) -> None:
    for text in HOSTILE:
        assert (text, await drawn(page, guarded(text))) == (text, _picture(text))
        assert (text, await drawn(page, guarded("x", name=text))) == (text, _picture("x", name=text))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(guard=TEXTS, name=NAMES)
async def test_no_text_at_all_changes_the_picture(page: Page, guard: str, name: str) -> None:
    assert await drawn(page, guarded(guard, name=name)) == _picture(guard, name=name)


def _picture(guard: str, *, name: str = "start") -> tuple[list[str], list[str]]:
    return [shown(f"{name} (decide)"), "bye (say)", "any state"], [
        shown(f"[{guard}]"),
        "unresolved",
        "exhausted, error",
    ]
