"""docs/sip.md: the clauses that it names for a file stand in the file."""

import re

from tests.house.pages import ROOT, text

ROW = re.compile(
    r"^\| [^|]+ \| (RFC [^|]+) \| \[(\w+)\]\(\.\./(ivr/\w+/\w+\.py)\) \| \[(\w+)\]\(\.\./(tests/\w+/\w+\.py)\) \|$",
    re.MULTILINE,
)
PAGE = text("sip.md")
ROWS = ROW.findall(PAGE)


def absent(clauses: str, code: str) -> list[str]:
    """Return the RFCs and sections among clauses that a file does not name."""
    wanted = re.findall(r"RFC [0-9]+|[0-9]+(?:\.[0-9]+)*", clauses)
    return [each for each in wanted if not re.search(rf"(?<![0-9.]){re.escape(each)}(?!\.?[0-9])", code)]


def test_every_row_names_a_clause_a_file_and_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| rule", "| ---"))]
    assert len(ROWS) == len(rows) > 40
    assert all(path.endswith(f"/{name}.py") for _, name, path, _, _ in ROWS)


def test_every_row_names_tests_that_are_there() -> None:
    assert all(path.endswith(f"/{name}.py") and (ROOT / path).is_file() for _, _, _, name, path in ROWS)


def test_every_clause_stands_in_the_file_that_keeps_it() -> None:
    found = [(path, absent(clauses, (ROOT / path).read_text("utf-8"))) for clauses, _, path, _, _ in ROWS]
    assert [(path, clauses) for path, clauses in found if clauses] == []


def test_a_clause_that_is_not_in_a_file_would_be_found() -> None:
    assert absent("RFC 3261 9.2, 15, RFC 3262 3", "as RFC 3261 9.2.1 and 13.15 have it") == [
        "9.2",
        "15",
        "RFC 3262",
        "3",
    ]
