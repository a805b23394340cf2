"""Writes the parts of the repository that are made from the code: `make docs`, or with `--check` only compares.

- the checks in docs/flow-language.md, from `ivr.flowfile.checks`;
- flows/flow.schema.json, from `ivr schema`.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner

from ivr.cli import main as ivr
from ivr.flowfile.checks import CHECKS, Check
from ivr.flowfile.checks.declaration import GROUPS

ROOT = Path(__file__).parents[1]
BEGIN = "<!-- From here on made by `make docs`; the texts are in ivr/flowfile/checks. -->\n"
SEVERITY = {"error": "Error.", "warning": "Warning.", "both": "Error or warning."}


def checks() -> str:
    """Return the chapter on checks, ready for the page: by group, then by code."""
    listed = sorted(CHECKS.values(), key=lambda check: check.code)
    chapters = ([f"### {group}\n", *(_check(each) for each in listed if each.group == group)] for group in GROUPS)
    return "\n".join(line for chapter in chapters for line in chapter)


def _check(check: Check) -> str:
    shown = [f"# {word}\n{text.strip(chr(10))}" for word, text in (("wrong", check.bad), ("right", check.good)) if text]
    example = ["```yaml\n" + "\n\n".join(shown) + "\n```\n"] if shown else []
    return "\n".join([f"#### `{check.code}`\n", f"{SEVERITY[check.severity]} {check.title}\n", *example])


def schema() -> str:
    """Return what `ivr schema` prints."""
    printed = CliRunner().invoke(ivr, ["schema"], catch_exceptions=False)
    if printed.exit_code:
        sys.exit(printed.output)
    return printed.output


def written() -> Mapping[Path, str]:
    """Return every file that is made from the code, as it should be."""
    language = ROOT / "docs" / "flow-language.md"
    ours, _, _ = language.read_text("utf-8").partition(BEGIN)
    return {language: f"{ours}{BEGIN}\n{checks()}", ROOT / "flows" / "flow.schema.json": schema()}


def main(*, check: bool) -> None:
    """Write what has changed; with `check`, name it and fail."""
    stale = {file: text for file, text in written().items() if not file.exists() or file.read_text("utf-8") != text}
    for file, text in stale.items():
        if not check:
            file.write_text(text, "utf-8")
        print(f"{file.relative_to(ROOT)} {'is not what the code says; run: make docs' if check else 'written'}")
    if check and stale:
        sys.exit(1)


if __name__ == "__main__":
    main(check="--check" in sys.argv[1:])
