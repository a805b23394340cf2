"""`ivr call`, against a server that is not ours: what it orders, what it says, and what it answers to mistakes."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ivr.cli.call import call

TOKEN = "t" * 20
ORDER = ["+436601234567", "--flow", "reminder", "--channel", "twilio"]


@contextmanager
def server(answers: Sequence[tuple[int, Any]]) -> Iterator[tuple[str, list[Any]]]:
    """Answer so, one request after the other, and keep what was asked."""
    left = list(answers)
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, self.headers["Authorization"], self.headers["Idempotency-Key"], body))
            self._answer()

        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Authorization"]))
            self._answer()

        def _answer(self) -> None:
            status, said = left.pop(0)
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_address[1]}", asked
        finally:
            running.shutdown()
            thread.join()


def state(word: str, **more: Any) -> dict[str, Any]:
    return {"id": "a1", "state": word, "outcome": None, "answeredBy": None, **more}


def order(*flags: str, token: str | None = TOKEN) -> Result:
    return CliRunner(env={"IVR_CALLS_TOKEN": token}).invoke(call, [*ORDER, *flags])


def test_an_order_has_its_token_its_key_and_its_values() -> None:
    with server([(202, state("placed"))]) as (address, asked):
        done = order(
            "--server", address, "--key", "key-0001", "--value", "patient=Anna", "--value", "room=4", "--machine"
        )
    assert (done.exit_code, done.output) == (0, "Call a1 is ordered.\n")
    assert asked == [
        (
            "/calls",
            f"Bearer {TOKEN}",
            "key-0001",
            {
                "to": "+436601234567", "flow": "reminder", "channel": "twilio", "ring": 45.0, "machine": True,
                "values": {"patient": "Anna", "room": 4},
            },
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("end", "status", "said"),
    [
        (state("over", outcome="resolved", answeredBy="human"), 0, "over: resolved"),
        (state("over", outcome="busy"), 1, "over: busy"),
    ],
)
def test_it_waits_until_the_call_is_over(
    end: dict[str, Any], status: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ivr.cli.call.PAUSE", 0.0)
    with server([(202, state("placed")), (200, state("ringing")), (200, end)]) as (address, asked):
        done = order("--server", address, "--wait")
    assert done.exit_code == status
    assert done.output.splitlines() == ["Call a1 is ordered.", "ringing", said]
    assert [one[0] for one in asked] == ["/calls", "/calls/a1", "/calls/a1"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((403, {"error": {"code": "target", "message": "Not named."}}), "Not named. (403)"),
        ((404, {"error": {"code": "not-found", "message": "Not found."}}), "its IVR_CALLS_TOKEN is not set"),
        ((404, {"error": {"code": "unknown-flow", "message": "No such flow."}}), "Error: No such flow. (404)\n"),
        ((401, {"error": {"code": "token", "message": "A token."}}), "is another one at that server"),
        ((500, b"<html>"), "The server refuses, with 500"),
        ((202, b"<html>"), "Is it an ivr server?"),
    ],
)
def test_what_a_server_refuses_is_said(answer: tuple[int, Any], said: str) -> None:
    with server([answer]) as (address, _):
        done = order("--server", address)
    assert done.exit_code == 1
    assert said in done.output
    assert TOKEN not in done.output


def test_mistakes_get_an_answer() -> None:
    assert "IVR_CALLS_TOKEN is not set here" in order(token=None).output
    assert "is not NAME=VALUE" in order("--value", "patient").output
    assert "must be an address" in order("--server", "nowhere").output
    assert "cannot be reached" in order("--server", "http://127.0.0.1:9").output
