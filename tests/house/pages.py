"""The documentation as data, for the tests that hold it against the code."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")


def text(name: str) -> str:
    """Return a page of docs/, or README.md."""
    return (ROOT / name if name == "README.md" else ROOT / "docs" / name).read_text("utf-8")


def fences(page: str, info: str) -> list[str]:
    """Return the code blocks of a page that are marked so."""
    return [body for mark, body in _FENCE.findall(page) if mark == info]


def codes(page: str) -> set[str]:
    """Return every word that stands in a code span, alone or with others."""
    outside = _FENCE.sub("", page)
    return {word for span in _CODE.findall(outside) for word in [span, *re.findall(r"[\w.\-<>]+", span)]}


def shown_code(page: str) -> list[str]:
    """Return every code block and code span of a page, with what is continued on a next line in one."""
    return [body.replace("\\\n", " ") for _, body in _FENCE.findall(page)] + _CODE.findall(_FENCE.sub("", page))


def section(page: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of its level."""
    level = heading.partition(" ")[0]
    bare = _FENCE.sub(lambda fence: " " * len(fence[0]), page)  # a comment in an example is no heading
    start = re.search(rf"^{re.escape(heading)}$", bare, re.MULTILINE)
    assert start, f"no heading {heading!r}"
    end = re.compile(rf"^#{{1,{len(level)}}} ", re.MULTILINE).search(bare, start.end())
    return page[start.end() : end.start() if end else len(page)]


def table(page: str, head: str) -> list[str]:
    """Return the rows of the table whose first column has this head."""
    _, _, rest = page.partition(f"\n| {head} |")
    return rest.partition("\n\n")[0].splitlines()[2:]


def anchors(page: str) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: str) -> Iterator[str]:
    """Return the targets of a page's links, code left out."""
    yield from re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", _CODE.sub("", _FENCE.sub("", page)))
