"""The words of the code are those of the field: docstrings as PEP 257 has them, and no name that needs a dictionary."""

import ast
import re
from collections.abc import Iterator

from tests.house.pages import ROOT

FILES = sorted(
    path
    for top in ("ivr", "bench", "tests", "tools", "recordings")
    for path in ROOT.joinpath(top).rglob("*.py")
    if "node_modules" not in path.parts
)
NOT_RETURN = re.compile(r"(Give(?! up)|Gives|Tell|Tells|Say|Says|Name|Names)\b")
RETIRED = re.compile(
    r"(?:^|_)(?:feel|felt|obey|fruit|deeds?|shelf|doors|slips?|lacks|anybody|kit|lean|desk|telling)(?:$|_)",
    re.IGNORECASE,
)
"Names of ours that once stood for apply, perform, result, caller action, registry, routes, mistake, missing and so on."


def docstrings(tree: ast.Module) -> Iterator[str]:
    """Find the docstring of every function of a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (text := ast.get_docstring(node)):
            yield text


def names(tree: ast.Module) -> Iterator[str]:
    """Find what a file gives a name to."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name


def test_a_docstring_says_return_for_what_is_returned() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {text.splitlines()[0]}"
        for path in FILES
        for text in docstrings(ast.parse(path.read_text("utf-8")))
        if NOT_RETURN.match(text)
    ]
    assert wrong == []


def test_no_retired_name_comes_back() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / "ivr").rglob("*.py"))
        for name in [path.stem, *names(ast.parse(path.read_text("utf-8")))]
        if RETIRED.search(name)
    ]
    assert found == []
