"""`ivr phone --as`: a TwiML bot that is not ours is called by hand, by script, and many times."""

import asyncio
import json
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner, Result
from twilio.rest import Client

from ivr.carriers.bot import Bot, BotRequest
from ivr.cli.phone import phone
from ivr.trial_carrier import ACCOUNT, TOKEN
from tests.carriers.twiml.plivo_bot import PlivoBot
from tests.carriers.twiml.tiny_bot import TinyBot
from tests.waiting import PATIENCE


@contextmanager
def on_the_web(bot: Bot) -> Iterator[str]:
    """Serve a bot on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = tuple(
                (name.title() if name.lower().startswith("x-") else name, value) for name, value in self.headers.items()
            )
            request = BotRequest("POST", f"{address}{self.path}", headers, body)
            reply = asyncio.run(bot.send(request, within=1.0))
            self.send_response(reply.status)
            self.send_header("Content-Type", f"{reply.content_type or 'text/plain'}; charset=utf-8")
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield address
        finally:
            server.shutdown()
            thread.join()


def call(*flags: str, typed: str = "", bot: TinyBot | None = None) -> Result:
    with on_the_web(bot or TinyBot(token=TOKEN)) as address:
        places = {"BOT": f"{address}/call", "STATUS": f"{address}/status", "NOWHERE": f"{address}/nowhere"}
        return CliRunner().invoke(phone, ["--as", "twilio", *(places.get(flag, flag) for flag in flags)], input=typed)


def test_a_call_is_typed_by_hand() -> None:
    bot = TinyBot(token=TOKEN)
    done = call("--bot", "BOT", "--status", "STATUS", "--from", "+4915112345", typed="1\nhello there\n", bot=bot)
    assert done.exit_code == 0, done.output
    assert "Press 1 for sales, or 2 for support." in done.output
    assert "Thank you for 1 seconds." in done.output
    assert "The bot hung up." in done.output
    assert f"The secret of its signatures: {TOKEN}" in done.output
    assert bot.paths == ["/call", "/chosen", "/recorded", "/rec", "/status"]
    assert bot.forms("/call")[0]["From"] == "+4915112345"


def test_plivo_is_played_too() -> None:
    bot = PlivoBot(token=TOKEN)
    with on_the_web(bot) as address:
        places = ["--bot", f"{address}/call", "--status", f"{address}/hangup"]
        done = CliRunner().invoke(phone, ["--as", "plivo", *places], input="1#\nhello there\n")
    assert done.exit_code == 0, done.output
    assert "Leave a message." in done.output
    assert [path for path, _ in bot.requests] == ["/call", "/chosen", "/recorded", "/kept", "/hangup"]


def test_words_and_a_transfer_are_typed_too() -> None:
    done = call("--bot", "BOT", typed="support\nbusy\n")
    assert "The other side: busy." in done.output
    assert "not understood" not in done.output


def test_a_bot_with_another_secret_refuses() -> None:
    done = call("--bot", "BOT", "--secret", "another", typed="")
    assert done.exit_code == 1
    assert "answered 403 (error 11200)" in done.output
    assert "another" not in done.output


def test_misdeeds_are_done_and_what_the_bot_does_wrong_is_shown() -> None:
    bot = TinyBot(token=TOKEN, checks=False)
    done = call("--bot", "BOT", "--misbehave", "forged,twice", typed="/hangup\n", bot=bot)
    assert done.exit_code == 1
    assert "a request with a bad signature (wrong-key) was answered 200" in done.output


def test_the_wire_can_be_seen() -> None:
    done = call("--bot", "BOT", "--wire", typed="/hangup\n")
    assert "> POST" in done.output
    assert "CallStatus=ringing" in done.output
    assert "<Response><Gather" in done.output


SCRIPT = """\
script: A message
steps:
  - expect: ~Press 1
  - press: "1"
  - expect: Leave a message.
  - say: hello hello hello
  - press: "#"
  - expect: {hears: ~Thank you, ends: hangup}
"""


def test_the_scripts_of_other_calls_are_played(tmp_path: Path) -> None:
    (tmp_path / "a.call.yaml").write_text(SCRIPT)
    (tmp_path / "b.call.yaml").write_text(SCRIPT.replace("Thank you", "Thanks a lot"))
    done = call("--bot", "BOT", "--script", str(tmp_path))
    assert done.exit_code == 1
    assert f"passed  {tmp_path / 'a.call.yaml'}" in done.output
    assert "Step 6 of 6 did not happen: expect: {hears: ~Thanks a lot, ends: hangup}" in done.output
    assert "The call was over: hangup." in done.output
    assert "2 calls, 1 failed." in done.output


@pytest.mark.parametrize("head", ["flow: a.yaml", 'at: "10:00"'])
def test_a_script_that_needs_a_server_of_its_own_is_refused(head: str, tmp_path: Path) -> None:
    (tmp_path / "a.call.yaml").write_text(f"{head}\n{SCRIPT}")
    done = call("--bot", "BOT", "--script", str(tmp_path))
    assert done.exit_code == 1
    assert "has no effect with --as" in done.output


def test_many_callers_at_once() -> None:
    bot = TinyBot(token=TOKEN)
    done = call("--bot", "BOT", "--calls", "30", "--concurrency", "5", "--json", bot=bot)
    assert done.exit_code == 0, done.output
    measured = json.loads(done.output[done.output.index("{") :])
    assert measured["calls"] == 30
    assert measured["errors"] == {}
    assert sum(measured["endings"].values()) == 30


def test_a_bot_that_is_not_there_fails_the_command() -> None:
    done = CliRunner().invoke(phone, ["--as", "twilio", "--bot", "http://127.0.0.1:9/call"])
    assert done.exit_code == 1
    assert "cannot be reached" in done.output


def test_other_hosts_have_to_be_allowed() -> None:
    done = CliRunner().invoke(phone, ["--as", "twilio", "--bot", "http://192.0.2.1/call"])
    assert done.exit_code == 1
    assert "--allow 192.0.2.1" in done.output


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--as", "twilio", "--sip", "sip:a@b"], "--as has no effect with --sip"),
        (["--as", "twilio", "--app-id", "a"], "--app-id has no effect with --as"),
        (["--as", "twilio", "--browser"], "--browser has no effect with --as"),
        (["--as", "twilio", "--retries", "1"], "--retries has no effect with --as"),
        (["--as", "twilio", "--callee", "machine"], "--callee has no effect without --orders"),
        (["--as", "twilio", "--orders", "--calls", "2"], "--calls and --orders cannot be used together"),
        (["--as", "twilio", "--misbehave", "twice,often"], "often is not one of twice, lost"),
        (["--orders"], "--orders has no effect without --as"),
        (["--misbehave", "twice"], "--misbehave has no effect without --as"),
        (["--as", "nobody"], "Invalid value for '--as'"),
    ],
)
def test_flags_that_would_be_ignored_are_refused(flags: list[str], sentence: str) -> None:
    done = CliRunner().invoke(phone, flags)
    assert done.exit_code == 2
    assert sentence in done.output


def test_a_key_that_cannot_sign_is_refused() -> None:
    done = CliRunner().invoke(phone, ["--as", "telnyx", "--secret", "short"])
    assert done.exit_code == 1
    assert "An Ed25519 key has 32 bytes, written in base64." in done.output


async def test_calls_that_the_bot_orders_take_the_scripts(tmp_path: Path) -> None:
    """The carrier's own client orders calls of the command, which runs beside it."""
    file = tmp_path / "a.call.yaml"
    file.write_text(SCRIPT)
    with on_the_web(TinyBot(token=TOKEN)) as address, closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
        free.close()
        command = ["--as", "twilio", "--orders", "--script", str(file), "--api-port", str(port), "--callee", "machine"]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ivr", "phone", *command,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stderr is not None
        while b"Waiting for calls" not in await process.stderr.readline():
            pass
        client = Client(ACCOUNT, TOKEN)
        client.api.base_url = f"http://127.0.0.1:{port}"
        assert client.http_client.session is not None
        with client.http_client.session:
            order = {"to": "+4930123456", "from_": "+4930901820", "url": f"{address}/call"}
            call = await asyncio.to_thread(client.calls.create, **order)
            assert call.status == "queued"
            busy = await asyncio.to_thread(client.calls.create, **order)
        output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert f"passed  {file}" in output.decode()
    assert process.returncode == 0
    assert busy.sid != call.sid
