"""Who calls again is known: over a whole server, past a restart, and until the caller is erased."""

from pathlib import Path

import pytest

from ivr.phone.callers.turn_based import Press
from tests.cli.stored_calls import ivr
from tests.phone.calling import Phone, Signer
from tests.server.harness import Way as RequestWay
from tests.server.world import World

GREETING = """\
flow: desk
initial: begin
on: {exhausted: bye, error: bye}
variables:
  user.department: {type: text, keep: 90d}
  user.visits: {default: 0, keep: 1y}
  user.pin: {type: text, sensitive: true, keep: 90d}
states:
  begin:
    decide:
      - {guard: user.pin == '081546293755', target: known}
      - choose
    set: {user.visits: "{{ user.visits + 1 }}"}
  known: {say: "Call {{ user.visits }}.", next: bye}
  choose:
    menu: {prompt: For sales press 1., choices: {sales: {dtmf: "1"}}, into: user.department}
    next: pin
  pin: {digits: {prompt: Your PIN?, maxDigits: 12, sensitive: true, into: user.pin}, next: bye}
  bye: {say: {guard: user.department == 'sales', text: This was sales.}, final: true}
"""


@pytest.fixture
def world(tmp_path: Path, signer: Signer, way: RequestWay) -> World:
    """Both ways are tried."""
    world = World(tmp_path, signer, way=way)
    (world.flows / "desk.yaml").write_text(GREETING)
    return world


async def heard(phone: Phone, *keys: str) -> list[str]:
    return list((await phone.call(*map(Press, keys))).heard)


async def test_a_caller_is_known_again_after_a_restart_until_erased(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.server() as phone:
        assert await heard(phone, "1", "081546293755") == ["For sales press 1.", "Your PIN?", "This was sales."]
        assert await heard(phone) == ["Call 2. This was sales."]
    async with world.server() as phone:
        assert await heard(phone) == ["Call 3. This was sales."]
    files = [file.read_bytes() for file in tmp_path.rglob("calls.db*")]
    assert not any(b"081546293755" in file.replace(b"== '081546293755'", b"") for file in files), "the PIN is sealed"
    monkeypatch.chdir(tmp_path)
    (caller,) = {one.call.facts.caller for one in await world.calls()}
    receipt = ivr("calls", "erase", "--caller", str(caller), "--yes", "--data", tmp_path / "data")
    assert receipt.exit_code == 0, receipt.output
    assert "what flows had kept of the caller: 3 values" in receipt.output
    async with world.server() as phone:
        assert (await heard(phone))[:1] == ["For sales press 1."]
