"""What the pages name by its place is there: files, folders, tests, flows, addresses, options; each word once."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ivr.channels.skype import CALL, CALLBACK
from ivr.cli import main
from ivr.server.app import ALIVE, MEDIA, READY
from ivr.server.plugs import SOURCES
from ivr.server.recording_links import PATH as RECORDINGS
from tests.house.pages import PAGES, ROOT, codes, fences, links, section, shown_code, text

PLACE = re.compile(r"`((?:ivr|tests|tools|bench|docs|flows|recordings)/[\w./-]+)`")
TEST = re.compile(r"`(?:[\w/]*/)?(test_\w+)(?:\.py)?`")
COMMAND = re.compile(r"(?<!-u )(?<!/lib/)(?<![\w@.-])ivr ((?:[a-z]+\b(?![-./:=*@]) ?){1,2})([^\n|;#&)]*)")
"A command as it is typed, and its options; not the user `ivr`, nor a folder of that name."
BY_THE_SERVER = Path("recordings/live")
"Where a server for development keeps calls."
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
TESTS = {path.stem for path in (ROOT / "tests").rglob("test_*.py") if "node_modules" not in path.parts}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_folder_that_a_page_names_is_there(page: Path) -> None:
    named = {Path(place) for place in PLACE.findall(page.read_text("utf-8"))}
    there = {place for place in named if (ROOT / place).exists() or place.is_relative_to(BY_THE_SERVER)}
    assert named - there == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    assert set(TEST.findall(page.read_text("utf-8"))) <= TESTS


def test_every_folder_of_the_code_is_in_the_architecture() -> None:
    page = text("architecture.md")
    packages = {path.parent.relative_to(ROOT) for path in (ROOT / "ivr").rglob("__init__.py")} - {Path("ivr")}
    modules = {path.relative_to(ROOT) for path in (ROOT / "ivr").glob("*.py") if not path.stem.startswith("__")}
    inside = {path for path in packages if path.parent.as_posix() == "ivr/speech/engines"}
    "One folder each, as its row says."
    assert {path.as_posix() for path in packages - inside | modules if path.as_posix() not in page} == set()


def test_every_shipped_flow_is_shown_to_authors_and_counted() -> None:
    shipped = {f"../flows/{file.name}" for file in (ROOT / "flows").glob("*.yaml")}
    shown = section(text("flow-language.md"), "## C18. Whole flows")
    count = NUMBERS[len(shipped)]
    assert {target for target in links(shown) if target.endswith(".yaml") and "/shared/" not in target} == shipped
    assert f"has {count}" in shown
    assert f"[{count} examples]" in text("README.md")
    assert f"[{count} examples]" in text("tutorial.md")


def test_the_proxy_shown_passes_on_what_strangers_may_ask_and_nothing_else() -> None:
    (proxy,) = fences(section(text("operations.md"), "## Behind a TLS proxy"), "nginx")
    shown = [re.compile(pattern) for pattern in re.findall(r"location ~ (\S+) {", proxy)]
    written = {"chat": "/api/messages", "skype-v2": "/skype-v2/messages", "page": "/chat/messages"}
    channels = {written.get(source.name, f"/{source.name}/call") for source in SOURCES[1:]}
    outside = {*channels, CALL, f"{CALL}/support", CALLBACK, f"{MEDIA}1f", f"{RECORDINGS}1f"}
    inside = {"/", ALIVE, READY, "/phone", "/phone/line", "/chat"}
    passed_on = {path for path in [*outside, *inside] if any(pattern.match(path) for pattern in shown)}
    assert passed_on == outside


def test_the_balancer_sends_messages_of_a_platform_twice_and_nothing_else() -> None:
    configuration = (ROOT / "docs" / "haproxy.cfg").read_text("utf-8")
    (pattern,) = re.findall(r"disable-l7-retry if METH_POST !{ path_reg (\S+) }", configuration)
    sent = [CALL, f"{CALL}/support", CALLBACK, "/calls", "/calls/1f", "/callbacks", "/console/login", "/signin/ticket"]
    assert [path for path in sent if re.search(pattern, path)] == [CALL, f"{CALL}/support", CALLBACK]


@pytest.mark.parametrize("name", ["talk", "check", "notifications"])
def test_every_option_of_an_authors_or_operators_command_is_documented(name: str) -> None:
    assert isinstance(main, click.Group)
    command = main.get_command(click.Context(main), name)
    assert command is not None
    options = {option.opts[0] for option in command.params if isinstance(option, click.Option)}
    assert options <= codes(text("operations.md")) | codes(text("flow-language.md"))


def wrong_commands(page: str) -> Iterator[str]:
    """Find commands and options of a page that the program has not."""
    context = click.Context(main)
    for words, options in (found for code in shown_code(page) for found in COMMAND.findall(code)):
        command: click.Command | None = main
        for word in words.split():
            if isinstance(command, click.Group):
                command = command.get_command(context, word)
        known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} if command else set()
        if command is None or set(re.findall(r"(?<!\S)--[a-z-]+", options)) - known - {"--help"}:
            yield " ".join(f"ivr {words}{options}".split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_shows_can_be_typed(page: Path) -> None:
    assert list(wrong_commands(page.read_text("utf-8"))) == []


def test_a_command_or_an_option_that_is_not_there_would_be_found() -> None:
    page = (
        "`ivr erase` or `ivr store moved`\n```sh\nsudo -u ivr mkdir x\n.venv/bin/ivr serve flows/ \\\n  --prot 1\n```\n"
    )
    assert list(wrong_commands(page)) == ["ivr serve flows/ --prot 1", "ivr erase", "ivr store moved"]


def test_the_glossary_has_each_word_once_and_in_order() -> None:
    words = re.findall(r"^\| \*\*(.+?)\*\*", text("glossary.md"), re.MULTILINE)
    assert words == sorted(set(words), key=str.casefold)
