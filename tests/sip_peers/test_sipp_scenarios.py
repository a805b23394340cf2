"""sipp calls our gateway: each scenario is a rule of SIP that the gateway keeps, on UDP and on TCP."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from ivr.audio.g711 import MU_LAW
from tests.sip_peers.lines import Line, samples_of_wav
from tests.sip_peers.listening import ALIKE, Levels, likeness
from tests.sip_peers.programs import has_ipv6, needs
from tests.sip_peers.scenario import SCENARIOS
from tests.sip_peers.sipp import Transport, sipp

pytestmark = [needs("sipp", "sip-tester")]

PLAIN = (
    "another_codec",
    "answered",
    "held_and_resumed",
    "keys_by_info",
    "late_offer",
    "methods_refused",
    "no_codec",
    "no_such_call",
    "offer_in_both_directions",
    "options",
    "reinvite_without_offer",
    "reliable_ringing",
    "session_too_short",
    "several_parts",
    "stale_sequence",
    "unknown_body",
    "unknown_extension",
    "unknown_method",
    "updated",
)
"Scenarios that need nothing but a line."
OTHERS = {
    "by_voice",
    "by_voice_and_keys",
    "cancelled",
    "proxied",
    "routed",
    "unknown_number",
    "with_losses",
}
CALLS = 100
"At once."
both = pytest.mark.parametrize("transport", ["udp", "tcp"])


def test_every_scenario_is_played() -> None:
    assert {*PLAIN, *OTHERS} == {path.stem for path in SCENARIOS.glob("*.xml")}


@both
@pytest.mark.parametrize("name", PLAIN)
async def test_a_rule_is_kept(name: str, transport: Transport, line: Line, tmp_path: Path) -> None:
    await sipp(name, line.gateway.port, tmp_path, transport=transport)


@both
async def test_a_call_can_be_given_up_while_it_rings(transport: Transport, line: Line, tmp_path: Path) -> None:
    await sipp("cancelled", line.gateway.port, tmp_path, transport=transport, number="silent")


@both
async def test_a_number_that_no_flow_answers_is_not_found(transport: Transport, line: Line, tmp_path: Path) -> None:
    await sipp("unknown_number", line.gateway.port, tmp_path, transport=transport, number="nobody")


@pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6 on the loopback interface")
@both
async def test_calls_by_ipv6_are_answered(transport: Transport, line: Line, tmp_path: Path) -> None:
    await sipp("answered", line.gateway.port, tmp_path, transport=transport, host="::1")


@pytest.mark.real_time
async def test_calls_get_through_where_packets_are_lost(line: Line, tmp_path: Path) -> None:
    """One in ten, both ways; a message is tried for 32 s (RFC 3261 17.1.1.2), and none of them is that unlucky."""
    lossy = ("-lost", "10", "-max_invite_retrans", "20", "-max_non_invite_retrans", "20")
    await sipp("with_losses", line.gateway.port, tmp_path, *lossy, "-m", "30", "-l", "30", "-r", "30")


def recordings(line: Line, calls: Sequence[str]) -> list[bytes]:
    """Return the recordings of calls, as 8 kHz samples."""
    found = [samples_of_wav(line.server.recording(call)) for call in calls]
    assert {rate for _, rate in found} == {8000}
    return [samples for samples, _ in found]


async def spoken(line: Line, name: str, words: bytes, folder: Path, *options: str) -> None:
    """Let callers say the same three times, and find it whole in what was recorded of each."""
    (folder / "say.ulaw").write_bytes(words)
    before = {call.id for call in line.server.calls()}
    await sipp(name, line.gateway.port, folder, *options, number="message")
    calls = [call.id for call in line.server.calls() if call.id not in before]
    wanted = int(options[options.index("-m") + 1]) if "-m" in options else 1
    assert len(calls) == wanted
    said = Levels.of(MU_LAW.linear(words), 8000).speech()
    assert [one for one in recordings(line, calls) if likeness(Levels.of(one, 8000), said) < ALIKE] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="sipp sends keys by a raw socket, which takes root")
async def test_a_caller_speaks_and_presses_keys(line: Line, words: bytes, tmp_path: Path) -> None:
    await spoken(line, "by_voice_and_keys", words, tmp_path)


@pytest.mark.real_time
async def test_a_hundred_calls_at_once_are_answered_and_recorded(line: Line, words: bytes, tmp_path: Path) -> None:
    await spoken(line, "by_voice", words, tmp_path, "-m", str(CALLS), "-l", str(CALLS), "-r", str(CALLS))
