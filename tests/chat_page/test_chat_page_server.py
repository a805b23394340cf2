"""Conversations on a page with a whole server, by HTTP: once, in order, and nobody else's."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from ivr.channels.botframework.page_channel import PAGE
from ivr.server.startup import check_settings
from ivr.settings import Settings, SettingsError
from ivr.trace.recorded import case_of
from ivr.trace.replay import replay
from tests.chat_page.visitor import SECRET, SITE, Visitor, serving, visiting, visitor
from tests.flows import flow_at
from tests.server.harness import connected
from tests.stored import stored_in
from tests.waiting import PATIENCE, begun

QUESTION = "To leave a message, press 1 or say message. To hear a number, press 2."


async def test_a_conversation_from_the_first_word_to_the_last_is_stored_as_a_call_and_replays_the_same(
    tmp_path: Path,
) -> None:
    async with visiting(tmp_path) as anna:
        await anna.join()
        assert await anna.read(1) == [QUESTION]
        assert [one["title"] for one in anna.said[0]["attachments"][0]["content"]["buttons"]] == ["Message", "Number"]
        assert await anna.write("2") == 202
        assert (await anna.read(2))[1:] == ["Which room?"]
        await anna.write("4 0 2")
        assert (await anna.read(3))[2:] == ["Room 4 0 2 it is. Goodbye."]
        await anna.write("hello again")
        assert (await anna.read(4))[3:] == [QUESTION]
    with stored_in(tmp_path / "data") as archive:
        first, second = (one.record for one in archive.stored())
        trace = archive.trace(first.id)
    assert (first.key.channel, first.call.facts.caller, second.call.phase) == (PAGE, "anna", "answering")
    assert first.key.id.endswith("#000000001")
    assert second.key.id == first.key.id.replace("#000000001", "#000000002")
    flow = flow_at(tmp_path / "desk.yaml")
    assert replay(case_of(first, trace, flow, {}), flow).verdict == "same"


async def test_what_is_posted_again_is_answered_once_and_what_was_said_is_there_again_for_who_asks(
    tmp_path: Path,
) -> None:
    async with visiting(tmp_path) as anna:
        await anna.join()
        await anna.read(1)
        pressed = anna.activity(text="2")
        assert [await anna.post(pressed) for _ in range(3)] == [202] * 3
        await anna.read(2)
        before = list(anna.said)
        assert await anna.begin(await anna.token(), before=anna.begun["token"]) == 201
        anna.said = []
        assert await anna.read(2) == [QUESTION, "Which room?"]
        assert anna.said == before
        status, _, body = await anna.look("what-nobody-knows")
        assert (status, body["activities"]) == (200, before)


async def test_whoever_waits_gets_a_message_as_soon_as_it_is_said_and_nothing_as_the_server_ends(
    tmp_path: Path,
) -> None:
    async with aiohttp.ClientSession() as client:
        async with serving(tmp_path) as server:
            anna = Visitor(client, server.url)
            await anna.begin(await anna.token())
            asking = await begun(anna.read(1))
            await anna.join()
            assert await asking == [QUESTION]
            ending = await begun(anna.look(anna.said[-1]["id"]))
            await anna.look("x")  # so that the one before has arrived
        assert (await ending)[2] == {"activities": []}


async def test_another_server_on_the_same_data_goes_on_with_the_conversation(tmp_path: Path) -> None:
    async with visiting(tmp_path) as anna:
        await anna.join()
        await anna.read(1)
        kept = anna.begun
    async with serving(tmp_path) as server, visitor(server.url) as again:
        again.begun = kept
        assert await again.read(1) == [QUESTION]
        await again.write("number", id="m-after-the-restart")
        assert (await again.read(2))[1:] == ["Which room?"]


# --- attacks ---


async def test_a_conversation_is_its_own_visitors_alone(tmp_path: Path) -> None:
    async with visiting(tmp_path) as anna, visitor(anna.url) as eve:
        await anna.join()
        await anna.read(1)
        assert await eve.begin(await eve.token("eve")) == 201
        for stolen in (
            {"conversation": {"id": anna.begun["conversation"]}},
            {"from": {"id": "anna"}},
            {"channelId": "webchat"},
            {"conversation": None},
            {"from": None},
        ):
            members = {**eve.activity(text="2"), **stolen}
            assert await eve.post({name: value for name, value in members.items() if value is not None}) == 403
        assert (await eve.begin(await eve.token("eve"), before=anna.begun["token"]), eve.begun["user"]) == (201, "eve")
        assert eve.begun["conversation"] != anna.begun["conversation"]
        looking = await begun(eve.read(1))
        await eve.join()
        await looking
        assert [one["conversation"]["id"] for one in eve.said] == [eve.begun["conversation"]]
        assert await anna.read(1) == [QUESTION]


async def test_without_a_good_token_nothing_is_written_or_read(tmp_path: Path) -> None:
    async with visiting(tmp_path) as anna:
        said = anna.activity(text="hello")
        visitors = await anna.token()
        for token in (None, "", "x.y", SECRET, visitors, anna.begun["token"][:-1]):
            bearer = token if token != "" else " "
            assert await anna.post(said, token=bearer) == 401
            assert (await anna.look(token=bearer))[0] == 401
            assert (await anna.asked("POST", "/chat/renewals", token=bearer))[0] == 401
        for token in (None, "x.y", SECRET, anna.begun["token"]):
            assert await anna.begin(token) == 401
        for token in (None, "wrong-wrong-wrong-wrong", visitors):
            asked = {"user": "anna", "flow": "desk", "site": SITE}
            assert (await anna.asked("POST", "/chat/tokens", token=token, json=asked))[0] == 401
    with stored_in(tmp_path / "data") as archive:
        assert list(archive.stored()) == []


async def test_a_token_is_for_one_flow_and_one_site(tmp_path: Path) -> None:
    async with visiting(tmp_path) as anna:
        said = anna.activity(text="hello")
        for path in ("/chat/messages", "/chat/messages/other", "/chat/messages/desk%2F"):
            assert await anna.post(said, path=path) in {403, 405}
        assert await anna.begin(await anna.token(), site="https://evil.example") == 403
        refused = {"user": "anna", "flow": "desk", "site": "https://evil.example"}
        assert (await anna.asked("POST", "/chat/tokens", token=SECRET, json=refused))[0] == 422


async def test_what_is_too_large_or_no_activity_is_refused(tmp_path: Path) -> None:
    async with visiting(tmp_path) as anna:
        assert await anna.write("x" * 1_000_000) == 413
        assert await anna.write("x" * 50_000) == 413
        for body in (b"", b"{", b"[]", b"7", b'{"from": 3}', b"[" * 100_000, b"\xff"):
            assert await anna.post(body) in {400, 413}
        assert (await anna.asked("POST", "/chat/messages/desk", token=anna.begun["token"], data=b"a=b"))[0] == 415
        for path in ("/chat/conversations", "/chat/tokens"):
            token = SECRET if path.endswith("tokens") else await anna.token()
            for body, status in ((b"{", 400), (b"[]", 400), (b'{"user": 3, "site": []}', 400), (b"x" * 9000, 413)):
                fields = {"Content-Type": "application/json"}
                assert (await anna.asked("POST", path, token=token, data=body, headers=fields))[0] == status
        await anna.join()
        assert await anna.read(1) == [QUESTION]


async def test_messages_come_so_often_and_no_more(tmp_path: Path) -> None:
    async with visiting(tmp_path) as anna:
        statuses = [await anna.post(anna.activity("typing")) for _ in range(30)]
        assert set(statuses) == {202, 429}
        assert statuses[:20] == [202] * 20
        looks = await asyncio.gather(*(anna.look("x") for _ in range(60)))
        assert {status for status, *_ in looks} == {200, 429}


async def test_files_that_a_visitor_names_are_not_fetched(tmp_path: Path) -> None:
    async with visiting(tmp_path) as anna:
        await anna.join()
        await anna.read(1)
        await anna.write("1")
        await anna.read(2)
        voice = [{"contentType": "audio/wav", "contentUrl": f"{anna.url}/healthz"}]
        await anna.write("", attachments=voice)
        assert (await anna.read(3))[2:] == ["Goodbye."]  # error.recording


# --- pages ---


async def test_only_the_sites_of_the_settings_may_frame_the_chat_and_no_answer_is_for_another_origin(
    tmp_path: Path,
) -> None:
    async with visiting(tmp_path) as anna:
        status, fields, markup = await anna.asked("GET", "/chat/frame")
        assert status == 200
        assert f"frame-ancestors {SITE};" in fields["Content-Security-Policy"] + ";"
        assert "script-src 'self'" in fields["Content-Security-Policy"]
        assert "<script>" not in markup
        evil = {"Origin": "https://evil.example"}
        for method, path in (
            *(("GET", path) for path in ("/chat/frame", "/chat/embed.js", "/chat/static/chat.js", "/chat/activities")),
            *(("POST", path) for path in ("/chat/tokens", "/chat/conversations", "/chat/renewals", "/chat/messages")),
            ("OPTIONS", "/chat/tokens"),
            ("OPTIONS", "/chat/messages"),
        ):
            _, fields, _ = await anna.asked(method, path, headers=evil)
            assert not [name for name in fields if name.lower().startswith("access-control-")]


async def test_without_its_secret_and_development_there_is_nothing_of_it(tmp_path: Path) -> None:
    more: dict[str, Any] = {
        "chat_page_secret": None,
        "chat_app_id": None,
        "twilio_auth_token": "x" * 32,
        "twilio_account_sid": "AC" + "1" * 32,
    }
    async with serving(tmp_path, **more) as server, visitor(server.url) as one:
        for path in ("/chat", "/chat/frame", "/chat/embed.js", "/chat/static/chat.js"):
            assert (await one.asked("GET", path))[0] == 404
        for path in ("/chat/tokens", "/chat/conversations", "/chat/messages", "/chat/messages/desk"):
            assert (await one.asked("POST", path))[0] == 404


async def test_the_page_of_development_is_for_development_alone(tmp_path: Path) -> None:
    async with visiting(tmp_path) as anna:
        assert (await anna.asked("GET", "/chat"))[0] == 404
        assert await anna.begin(None, site="", flow="desk") == 401
    async with serving(tmp_path, dev=True, chat_page_secret=None) as server, visitor(server.url) as one:
        status, fields, markup = await one.asked("GET", "/chat?flow=%22%3E%3Cscript%3E")
        assert (status, "frame-ancestors 'none'" in fields["Content-Security-Policy"]) == (200, True)
        assert 'value="desk"' in markup
        assert await one.begin(None, site="", flow="desk") == 201
        await one.join()
        assert await one.read(1) == [QUESTION]
        assert (await one.asked("GET", "/chat", headers={"Host": "evil.example"}))[0] == 403
        foreign = {"Origin": "https://evil.example"}
        assert (await one.asked("POST", "/chat/conversations", json={}, headers=foreign))[0] == 403


async def test_who_has_no_good_token_is_refused_before_the_body_is_there(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        for address in ("tokens", "conversations", "renewals", "messages/desk"):
            async with connected(URL(server.url).port or 0) as (reader, writer), asyncio.timeout(PATIENCE):
                fields = "Content-Type: application/json", "Authorization: Bearer x", "Content-Length: 999"
                writer.write("\r\n".join([f"POST /chat/{address} HTTP/1.1", "Host: x", *fields, "", ""]).encode())
                assert (await reader.readexactly(12)).decode() == "HTTP/1.1 401", address


async def test_the_address_of_a_visitor_is_the_one_that_our_own_proxy_wrote(tmp_path: Path) -> None:
    async with visiting(tmp_path, chat_page_forwarded=True) as anna:
        for number in range(70):
            token = await anna.token(f"user-{number}")
            asked = {"site": SITE}
            fields = {"X-Forwarded-For": f"10.0.0.{number}, 192.0.2.9"}
            status, *_ = await anna.asked("POST", "/chat/conversations", token=token, json=asked, headers=fields)
        assert status == 429
        fields = {"X-Forwarded-For": "192.0.2.9, 192.0.2.10"}
        status, *_ = await anna.asked("POST", "/chat/conversations", token=token, json=asked, headers=fields)
        assert status == 201


async def test_a_visitor_with_a_network_of_ipv6_is_one_address(tmp_path: Path) -> None:
    async with visiting(tmp_path, chat_page_forwarded=True) as anna:
        for number in range(61):
            token = await anna.token(f"user-{number}")
            fields = {"X-Forwarded-For": f"2001:db8:0:1::{number:x}"}
            asked = {"site": SITE}
            status, *_ = await anna.asked("POST", "/chat/conversations", token=token, json=asked, headers=fields)
            assert status == (201 if number < 60 else 429)


def test_its_settings_go_together() -> None:
    with pytest.raises(SettingsError, match="page: IVR_CHAT_PAGE_SECRET and IVR_CHAT_PAGE_SITES"):
        check_settings(Settings(public_url="https://ivr.example"), dev=False)
    with pytest.raises(SettingsError, match="IVR_CHAT_PAGE_SITES needs IVR_CHAT_PAGE_SECRET"):
        check_settings(Settings(chat_page_sites=(SITE,)), dev=True)
    assert SECRET not in repr(Settings(chat_page_secret=SECRET))
    for wrong in ("*", "https://www.example.com/", "http://www.example.com", "https://a b", "https://x;script-src *"):
        with pytest.raises(ValueError, match="not the origin of a site"):
            Settings(chat_page_sites=(wrong,))


async def test_without_sites_a_server_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="IVR_CHAT_PAGE_SITES is needed"):
        async with serving(tmp_path, chat_page_sites=()):
            pass
