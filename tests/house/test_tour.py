"""The tour leads to places that exist: each file, and each function or class that it names there."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.pages import ROOT, section, text

TOUR = text("tour.md")
QUESTIONS = re.findall(r"^## (.+)$", TOUR, re.MULTILINE)
STOP = re.compile(r"^[0-9]+\. \[`(?P<shown>[^`]+)`\]\(\.\./(?P<file>[^)]+)\): `(?P<name>[\w.]+)`", re.MULTILINE)


def stops(question: str) -> list[re.Match[str]]:
    """Return the places that a question leads to."""
    return list(STOP.finditer(section(TOUR, f"## {question}")))


def names(body: list[ast.stmt], within: str = "") -> set[str]:
    """Return what a file defines, that of its classes as `Class.name`."""
    found = set()
    for node in body:
        match node:
            case ast.ClassDef(name=name):
                found |= {f"{within}{name}", *names(node.body, f"{within}{name}.")}
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(f"{within}{name}")
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                found.add(f"{within}{name}")
    return found


def test_the_tour_has_nine_questions() -> None:
    assert len(QUESTIONS) == 9
    assert all(question.endswith("?") for question in QUESTIONS)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_leads_to_one_place_in_few_steps(question: str) -> None:
    answer = section(TOUR, f"## {question}")
    assert 3 <= len(stops(question)) <= 4
    assert len(stops(question)) == len(re.findall(r"^[0-9]+\. ", answer, re.MULTILINE)), "a step names no place"
    assert answer.count("**is the place**") == 1
    explained, _, _ = answer.strip().partition("\n\n")
    assert 3 <= len(explained.splitlines()) <= 6


@pytest.mark.parametrize("stop", list(STOP.finditer(TOUR)), ids=lambda stop: f"{stop['file']}:{stop['name']}")
def test_every_place_of_the_tour_exists(stop: re.Match[str]) -> None:
    assert stop["shown"] == stop["file"], "the link leads elsewhere than it says"
    file: Path = ROOT / stop["file"]
    where = f"docs/tour.md leads to {stop['file']}"
    assert file.is_file(), f"{where}, which is not there. Was it moved? Name the new file."
    defined = names(ast.parse(file.read_text("utf-8")).body)
    assert stop["name"] in defined, f"{where} for `{stop['name']}`, which it does not define. Was it renamed or moved?"
