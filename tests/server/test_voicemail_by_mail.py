"""The voicemail of the language's own pages, as it stands: on the phone, by mail, in the console's words, replayed."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivr.audio.formats import sniff
from ivr.cli import main
from ivr.media.sound import SilentRenderer, Sound, tone
from ivr.phone.callers.turn_based import Leave, PlaySamples, Press
from tests.fakes.mail_server import MailHost, mail_host
from tests.phone.calling import Signer
from tests.server.test_recordings_played_back import WORDS, played
from tests.server.test_speech_end_to_end import Tape
from tests.server.world import World
from tests.waiting import PATIENCE, logged

FLOW = Path(__file__).parents[1] / "flowfile" / "good" / "voicemail.yaml"


@pytest.fixture
def world(tmp_path: Path, signer: Signer) -> World:
    world = World(tmp_path, signer)
    (world.flows / "desk.yaml").unlink()
    shutil.copy(FLOW, world.flows / "voicemail.yaml")
    world.script({"text": "call me back", "confidence": 0.9})
    return world


SPEAKS = PlaySamples(tone(300.0, 1.0))


def sound() -> Sound:
    return Sound(SilentRenderer(), Tape(WORDS.read_bytes()))


def by_mail(host: MailHost) -> dict[str, object]:
    return {"smtp_server": "127.0.0.1", "smtp_port": host.port, "smtp_from": "ivr@contoso.example"}


async def arrived(host: MailHost) -> None:
    async with asyncio.timeout(PATIENCE):
        await host.arrived.wait()


def ivr(world: World, *words: str) -> str:
    done = CliRunner().invoke(main, [*words, "--data", str(world.folder / "data")])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.output


async def test_a_message_is_heard_again_and_comes_by_mail_with_its_words_and_sound(world: World) -> None:
    async with mail_host() as host, world.server(**by_mail(host)) as phone:
        call = await phone.call(SPEAKS, Press("3"), Press("1"), sound=sound())
        await arrived(host)
        [address] = played(phone)
    assert "/recordings/" in address
    assert call.heard[-1] == "Thank you. Your message has been sent. Goodbye."
    [mail] = host.mails
    assert (mail["To"], mail["Subject"]) == ("alex@contoso.example", f"Voicemail from {caller(world)}")
    text, audio = mail.iter_parts()
    assert text.get_content().strip() == "call me back"
    assert sniff(audio.get_content()) == "mp3"
    record, _ = await world.look(call.id)
    assert record.call.outcome == "voicemail"
    shown = ivr(world, "calls", "show", record.id)
    assert '[mail to alex@contoso.example, with 1 recording: "Voicemail from' in " ".join(shown.split())
    assert '(the recording: "call me back")' in " ".join(shown.split())
    flows = str(world.flows)
    replayed = CliRunner().invoke(main, ["replay", "--live", "--flows", flows, "--data", str(world.folder / "data")])
    assert replayed.exit_code == 0, replayed.output


def caller(world: World) -> str:
    [call] = [one for one in ivr(world, "calls", "--json").splitlines() if '"caller"' in one][:1] or [""]
    return call.partition('"caller": "')[2].partition('"')[0] or "a withheld number"


async def test_who_just_hangs_up_after_speaking_is_told_of_too(world: World) -> None:
    async with mail_host() as host, world.server(**by_mail(host)) as phone:
        await phone.call((SPEAKS, Leave()), sound=sound())
        await arrived(host)
    assert len(host.mails) == 1


async def test_while_the_mail_server_is_down_nobody_waits_and_an_operator_sends_it_later(world: World) -> None:
    async with mail_host() as host:
        host.rcpt = "550 No such mailbox"
        async with world.server(**by_mail(host)) as phone:
            with logged("notification given up") as given_up:
                call = await phone.call(SPEAKS, Press("1"), sound=sound())
                assert call.heard[-1] == "Thank you. Your message has been sent. Goodbye."
                await given_up.once()
            listed = await asyncio.to_thread(ivr, world, "notifications", "--dead")
            assert "refused the recipient (550): No such mailbox" in listed
            host.rcpt = "250 OK"
            again = await asyncio.to_thread(ivr, world, "notifications", "retry", "--dead")
            assert "1 to be sent again" in again
            await arrived(host)
    assert len(host.mails) == 1


async def test_what_was_given_up_is_shown_with_its_reason_and_can_be_dropped(world: World) -> None:
    async with mail_host() as host:
        host.rcpt = "550 No such mailbox"
        async with world.server(**by_mail(host)) as phone:
            with logged("notification given up") as given_up:
                await phone.call(SPEAKS, Press("1"), sound=sound())
                await given_up.once()
            [one] = json.loads(await asyncio.to_thread(ivr, world, "notifications", "--dead", "--json"))
            shown = await asyncio.to_thread(ivr, world, "notifications", "show", one["id"][:8])
            dropped = await asyncio.to_thread(ivr, world, "notifications", "drop", one["id"])
            left = await asyncio.to_thread(ivr, world, "notifications", "show", one["id"])
    rows = dict(line.split(maxsplit=1) for line in shown.splitlines() if " " in line)
    assert (rows["notification"], rows["state"]) == (one["id"], "dead, 1 tries")
    assert "refused the recipient (550): No such mailbox" in rows["reason"]
    assert (rows["mail"], rows["recordings"]) == ("alex@contoso.example", "1")
    assert shown.endswith("\n\ncall me back\n")
    assert dropped == "It will not be sent.\n"
    assert "There is no notification" in left
    assert host.mails == []
