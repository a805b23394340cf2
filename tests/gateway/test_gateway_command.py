"""`ivr gateway` as a process: what it refuses, what it says, how it stops."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivr.cli import main
from ivr.useragent.call_leg import NotAnswered
from tests.gateway.calling_the_gateway import FILES, HELLO, says
from tests.gateway.gateway_process import gateway_process, refusal
from tests.gateway.telephone import telephone
from tests.phone.fake_bot import ANSWER, HANG_UP, RECORD, fake_bot, flow
from tests.useragent.certificates import Authority

BOT = "http://127.0.0.1:9/call"
PASSWORD = "correct horse battery"


async def test_it_says_where_it_listens_what_to_dial_and_who_may_call() -> None:
    async with gateway_process(BOT, "--map", "support=/call/support", "--map", "*=/call/{number}") as gateway:
        said = await gateway.said(4)
        port = gateway.addresses[0].rpartition(":")[2]
        assert [address.partition("://")[0] for address in gateway.addresses] == ["udp", "tcp"]
        assert said[1] == f"  sip:support@127.0.0.1:{port} leads to http://127.0.0.1:9/call/support"
        assert said[2] == f"  sip:ANY-NUMBER@127.0.0.1:{port} leads to http://127.0.0.1:9/call/{{number}}"
        assert said[3] == "May call: this machine and private networks. Sound: UDP ports 30000-39999."


async def test_it_warns_of_what_is_open_and_says_where_it_can_be_watched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        status = f"127.0.0.1:{free.getsockname()[1]}"
    options = ("--allow-from", "0.0.0.0/0", "--status", status, "--app-id", "my-bot")
    async with gateway_process(BOT, *options) as gateway:
        said = await gateway.said(6)
    assert said[2].startswith("May call: 0.0.0.0/0.")
    assert said[3].startswith("For the bot's settings (IVR_OPENID_METADATA): http://127.0.0.1:")
    assert said[4] == f"For monitoring: http://{status}/healthz and http://{status}/metrics"
    assert said[5].startswith("WARNING: Anybody can call")


async def test_a_password_is_in_the_environment_and_in_no_list_of_processes() -> None:
    shown = CliRunner().invoke(main, ["gateway", "--help"]).output
    assert "--password" in shown
    assert "--register-password-file" in shown
    assert "--register-password " not in shown
    assert "--orders-token-file" in shown
    assert "--orders-token " not in shown
    assert "--call-password " not in shown
    async with gateway_process(BOT, "--password", "desk", IVR_GATEWAY_PASSWORD=PASSWORD) as gateway:
        said = await gateway.said(3)
        assert said[2].startswith("May call: everybody who knows the password of desk.")
        arguments = Path(f"/proc/{gateway.process.pid}/cmdline").read_bytes()
    assert PASSWORD.encode() not in arguments


async def test_settings_that_cannot_be_used_are_told_before_anything_starts() -> None:
    assert "IVR_GATEWAY_RTP (flag): must be two ports" in await refusal("--rtp", "x")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_without_calls_a_signal_ends_it_at_once(number: signal.Signals) -> None:
    async with gateway_process(BOT) as gateway:
        gateway.signal(number)
        assert (await gateway.logged("draining"))["calls"] == 0
        await gateway.logged("stopped")
        assert await gateway.ended() == 0


async def test_at_sigterm_calls_end_by_themselves_and_new_ones_get_503() -> None:
    async with (
        fake_bot(flow(ANSWER, RECORD), flow(says("hello.wav"), HANG_UP), files=FILES) as bot,
        gateway_process(bot.call) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        gateway.signal(signal.SIGTERM)
        assert (await gateway.logged("draining"))["calls"] == 1
        late = await phone.dial(gateway.addresses[0])
        with pytest.raises(NotAnswered) as failed:
            await late.answered()
        assert failed.value.status == 503
        await caller.hears_silence(0.2)
        caller.press("#")
        await caller.hears(HELLO)
        await caller.ended()
        assert (await gateway.logged("call ended"))["end"] == "bot"
        assert await gateway.ended() == 0


async def test_after_the_time_for_draining_calls_are_hung_up() -> None:
    async with (
        fake_bot(flow(ANSWER, RECORD), b"") as bot,
        gateway_process(bot.call, "--drain-time", "0.2") as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        gateway.signal(signal.SIGTERM)
        await caller.ended()
        assert (await gateway.logged("call ended"))["end"] == "drained"
        assert await gateway.ended() == 0
    assert bot.results[0]["callState"] == "terminated"


async def test_a_second_signal_ends_it_at_once() -> None:
    async with (
        fake_bot(flow(ANSWER, RECORD)) as bot,
        gateway_process(bot.call) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        gateway.signal(signal.SIGTERM)
        await gateway.logged("draining")
        gateway.signal(signal.SIGTERM)
        await gateway.logged("ended at once")
        assert await gateway.ended() == 1


async def test_a_gateway_that_is_killed_leaves_nothing_that_a_new_one_misses() -> None:
    async with fake_bot(flow(ANSWER, RECORD), flow(ANSWER, HANG_UP)) as bot, telephone() as phone:
        async with gateway_process(bot.call) as killed:
            caller = await phone.dial(killed.addresses[0])
            await caller.answered()
            killed.signal(signal.SIGKILL)
            await killed.ended()
        async with gateway_process(bot.call) as gateway:
            again = await phone.dial(gateway.addresses[0])
            await again.answered()
            await again.ended()
        caller.leg.hang_up()
    assert [told.path for told in bot.told] == ["/call", "/call", "/callback"]


async def test_a_new_certificate_is_read_at_sighup_and_a_bad_one_changes_nothing(tmp_path: Path) -> None:
    files = Authority(tmp_path, "one").issue("127.0.0.1")
    assert files.certificate
    assert files.key
    options = ("--sip", "tls://127.0.0.1:0", "--tls-certificate", str(files.certificate), "--tls-key", str(files.key))
    async with gateway_process(BOT, *options) as gateway:
        assert gateway.addresses[2].startswith("tls://")
        gateway.signal(signal.SIGHUP)
        await gateway.logged("certificate loaded")
        files.certificate.write_text("none")
        gateway.signal(signal.SIGHUP)
        await gateway.logged("certificate not loaded")
        gateway.signal(signal.SIGTERM)
        assert await gateway.ended() == 0


async def test_it_takes_the_open_files_that_its_calls_need() -> None:
    async with gateway_process(BOT, "--calls", "300", files=(256, 4096)) as gateway:
        limits = Path(f"/proc/{gateway.process.pid}/limits").read_text()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max open files")]
    assert line.split()[3] == "1000"
