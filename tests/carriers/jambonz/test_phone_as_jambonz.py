"""`ivr phone --as jambonz`: a bot that is not ours is called by hand, by script, many times, and by its own order."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from ivr.carriers.bot import BotReply, BotRequest
from ivr.carriers.rest import ApiRequest
from ivr.cli.phone import phone
from ivr.cli.phone.carrier_flags import CarrierFlags
from ivr.cli.phone.jambonz_line import SECRET, JambonzLine
from ivr.phone.net.guard import Guard
from ivr.phone.net.post import WebPost
from ivr.phone.phone_events import Ended
from tests.carriers.jambonz.small_bot import Person, SmallBot, handset, json_reply
from tests.carriers.twiml.test_phone_as_carrier import on_the_web

MENU: dict[str, Any] = {
    "verb": "gather",
    "input": ["digits", "speech"],
    "actionHook": "/step",
    "numDigits": 1,
    "minDigits": 1,
    "timeout": 5,
    "say": {"text": "Press 1 or say sales."},
}
DIAL = {"verb": "dial", "target": [{"type": "phone", "number": "+15550123"}], "actionHook": "/dialled"}
PAGES: Mapping[str, Any] = {
    "/call": [MENU, {"verb": "redirect", "actionHook": "/call"}],
    "/step": lambda told: [DIAL] if "speech" in told else [{"verb": "say", "text": f"You pressed {told['digits']}."}],
    "/dialled": lambda told: [{"verb": "say", "text": f"The other side: {told['dial_call_status']}."}],
}


class ByPath(SmallBot):
    """A bot on the web: told apart by path alone."""

    async def send(self, request: BotRequest, *, within: float) -> BotReply:
        path = "/" + request.url.split("/", 3)[3]
        return await super().send(BotRequest("POST", f"http://bot.test{path}", (), request.body), within=within)


def call(*flags: str, typed: str = "", pages: Mapping[str, Any] = PAGES) -> tuple[Result, SmallBot]:
    bot = ByPath(pages)
    with on_the_web(bot) as address:  # one `send` is like the other
        places = {"BOT": f"{address}/call", "STATUS": f"{address}/status"}
        command = ["--as", "jambonz", *(places.get(flag, flag) for flag in flags)]
        return CliRunner().invoke(phone, command, input=typed), bot


def test_a_call_is_typed_by_hand() -> None:
    done, bot = call("--bot", "BOT", "--status", "STATUS", "--from", "+4915112345", typed="1\n")
    assert done.exit_code == 0, done.output
    assert "Press 1 or say sales." in done.output
    assert "You pressed 1." in done.output
    assert "The bot hung up." in done.output
    assert f"The secret of its webhooks: {SECRET}" in done.output
    assert [url for url, _ in bot.got] == ["/call", "/status", "/status", "/step", "/status"]
    assert bot.got_by("/call")[0]["from"] == "+4915112345"


def test_any_words_are_told_and_a_transfer_is_typed_too() -> None:
    done, bot = call("--bot", "BOT", typed="whatever I like\nbusy\n")
    assert "The other side: busy." in done.output
    assert "not understood" not in done.output
    assert bot.got_by("/step")[0]["speech"]["alternatives"][0]["transcript"] == "whatever I like"


def test_a_document_that_breaks_the_rules_is_shown_with_the_place() -> None:
    done, _ = call("--bot", "BOT", pages={"/call": [{"verb": "say", "txt": "x"}]})
    assert done.exit_code == 1
    assert '[0].say.txt: unknown property. Did you mean "text"?' in done.output


def test_misdeeds_are_done_and_what_the_bot_does_wrong_is_shown() -> None:
    done, _ = call("--bot", "BOT", "--misbehave", "forged,late", typed="/hangup\n")
    assert done.exit_code == 1
    assert "a hook with a bad signature (moved-time) was answered 200" in done.output


def test_the_wire_can_be_seen() -> None:
    done, _ = call("--bot", "BOT", "--wire", typed="/hangup\n")
    assert "> POST" in done.output
    assert '"call_status":"trying"' in done.output


SCRIPT = """\
script: Pressing one
steps:
  - expect: ~Press 1
  - press: "1"
  - expect: {hears: You pressed 1., ends: hangup}
"""


def test_scripts_are_played(tmp_path: Path) -> None:
    (tmp_path / "a.call.yaml").write_text(SCRIPT)
    done, _ = call("--bot", "BOT", "--script", str(tmp_path))
    assert done.exit_code == 0, done.output
    assert "1 call, 0 failed." in done.output


def test_many_calls_are_placed() -> None:
    done, bot = call("--bot", "BOT", "--calls", "5", "--concurrency", "2", "--json")
    assert json.loads(done.stdout)["calls"] == 5
    assert len({payload["call_sid"] for payload in bot.got_by("/call")}) == 5


def test_what_jambonz_does_not_have_is_no_flag_of_it() -> None:
    done, _ = call("--bot", "BOT", "--fallback", "http://127.0.0.1:1/")
    assert done.exit_code == 2
    assert "--fallback has no effect with --as jambonz." in done.output


def test_a_bot_that_answers_with_an_error_fails_the_call() -> None:
    done, _ = call("--bot", "BOT", pages={"/call": lambda _: json_reply([], 500)})
    assert done.exit_code == 1
    assert "answered 500" in done.output


async def test_calls_that_the_bot_orders_are_answered_one_at_a_time() -> None:
    guard = Guard()
    web = WebPost(guard)
    line = JambonzLine(CarrierFlags("jambonz", "http://127.0.0.1:1/call"), web, guard)
    over: list[Ended] = []
    unanswered: list[str] = []
    telephone = line.telephone
    telephone.handset = lambda: handset(Person())
    telephone.over, telephone.unanswered = over.append, unanswered.append
    order = b'{"from":"+15550100","to":{"type":"phone","number":"+15550177"},"call_hook":"http://127.0.0.1:1/call"}'
    path = f"/v1/Accounts/{line.account}/Calls"
    asked = ApiRequest("POST", path, f"Bearer {SECRET}", "application/json", order)
    assert [line.ordered.handle(asked).status for _ in range(2)] == [201, 201]
    await asyncio.wait_for(line.ordered.all_over(), 10)
    assert [ended.reason for ended in over] == ["unreachable"]
    assert len(unanswered) == 1
    await web.close()
