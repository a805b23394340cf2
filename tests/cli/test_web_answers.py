"""What web services answer in the terminal: from a file, by hand, or themselves."""

from pathlib import Path

import pytest
from aiohttp import web

from ivr.cli.web_answers import AnswersError, by_hand, from_file, read_answers, really, shown
from ivr.engine.commands import Argument, Request
from ivr.engine.events import HttpAnswered, ServiceFailed
from ivr.settings import Settings
from tests.services.test_web_requests_out import serving

SHAPE = '{"total":"decimal","lines":[{"name":"text"}]}'


def order(url: str = "https://api.example.com/orders", **more: Argument) -> Request:
    return Request("1.1", "http", {"method": "GET", "url": url, "returns": SHAPE, **more}, 5.0)


def test_a_file_answers_by_state_and_address_in_order_and_the_last_one_again(tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(
        '- {state: look, status: 404}\n- {state: look, body: {total: 12.50, card: "4111"}}\n'
        '- {url: "*/slow", fails: timeout}\n- {url: "*/down", fails: connect}\n- {url: "*/odd", fails: body}\n'
        '- {state: typed, body: {total: "7", lines: [{name: none}, {name: true}, {name: x y}]}}\n'
    )
    answers = read_answers(file)
    assert answers.next("look", order()) == HttpAnswered("1.1", 404)
    assert answers.next("look", order()) == HttpAnswered("1.1", 200, {"total": 12.5})
    assert answers.next("look", order()) == HttpAnswered("1.1", 200, {"total": 12.5})
    assert answers.next("other", order()) is None
    assert answers.next("other", order("https://a.example/slow")) == ServiceFailed("1.1", "timeout")
    assert answers.next("other", order("https://a.example/down")) == ServiceFailed("1.1", "connect")
    assert answers.next("other", order("https://a.example/odd")) == HttpAnswered("1.1", 200, readable=False)
    lines = [{"name": None}, {"name": True}, {"name": "x y"}]
    assert answers.next("typed", order()) == HttpAnswered("1.1", 200, {"total": "7", "lines": lines})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("state: look\n", "is not a list of answers"),
        ("- [look]\n", ':1: write "status" and "body", or "fails": timeout, connect, body.'),
        ("- {state: a}\n- {state: look, fails: never}\n", ':2: write "status"'),
        ("- {stat: look}\n", ":1: Object contains unknown field `stat`"),
        ("- {status: many}\n", ":1: Expected `int`"),
    ],
)
def test_a_file_that_is_none_says_where(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(text)
    with pytest.raises(AnswersError) as wrong:
        read_answers(file)
    assert said in str(wrong.value)
    with pytest.raises(AnswersError, match="cannot be read"):
        read_answers(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("typed", "event"),
    [
        ("", HttpAnswered("1.1", 200)),
        ("404", HttpAnswered("1.1", 404)),
        ('200 {"total": 1, "card": 2}', HttpAnswered("1.1", 200, {"total": 1})),
        ('{"total": 1}', HttpAnswered("1.1", 200, {"total": 1})),
        ("timeout", ServiceFailed("1.1", "timeout")),
        ("body", HttpAnswered("1.1", 200, readable=False)),
        ("hello", None),
        ("99", None),
        ("200 {", None),
    ],
)
def test_a_person_answers_with_a_status_and_json(typed: str, event: object) -> None:
    assert by_hand(typed, order()) == event


def test_a_request_is_shown_without_its_secrets() -> None:
    request = order(method="POST", query={"a": "b"}, json='{"key":"\0shop\0"}')
    assert shown(request) == 'POST https://api.example.com/orders  a: b  {"key":"•shop•"}'
    assert shown(Request("1.1", "http", request.arguments, 5.0, private={"form": {"pin": "0815"}})).endswith(
        "(a private body)"
    )


async def test_a_service_can_really_be_asked() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response({"total": 5, "key": request.headers["X-Key"]})

    async with serving(handle) as port:
        settings = Settings(http_hosts=(f"localhost:{port}",), secrets={"shop": "hush"})
        arguments: dict[str, Argument] = {"timeout": 5.0, "retries": 0, "expect": ("2xx",)}
        asks = really(settings)
        there = order(f"http://localhost:{port}/", headers={"X-Key": "\0shop\0"}, **arguments)
        assert await asks("look", there) == HttpAnswered("1.1", 200, {"total": 5})
        elsewhere = order("https://other.example/", **arguments)
        assert await asks("look", elsewhere) == ServiceFailed("1.1", "connect")
        late = Request("1.1", "http", there.arguments, 0.0)
        assert await asks("look", late) == ServiceFailed("1.1", "timeout")


async def test_without_a_file_a_person_answers() -> None:
    assert await from_file(None)("look", order()) is None
