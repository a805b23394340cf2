"""Callers who must prove a password: by hand, with both hashes, and baresip-python.

sipp 3.6 and baresip 1.0 know MD5 alone, and give up at the first challenge, which is SHA-256's.
"""

import hashlib
import re
from importlib.util import find_spec

import pytest

from tests.sip_peers.by_hand import Dialog, bound
from tests.sip_peers.conftest import SECRET
from tests.sip_peers.lines import Gateway
from tests.sip_peers.python_process import Order, PythonCaller, by_python

HASHES = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}


def proof(challenge: str, uri: str, user: str = "tester", password: str = SECRET) -> str:
    """Return the Authorization of an INVITE (RFC 7616 3.4.1, RFC 8760)."""
    given = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))

    def hashed(*parts: str) -> str:
        return HASHES[given["algorithm"]](":".join(parts).encode()).hexdigest()

    response = hashed(
        hashed(user, given["realm"], password), given["nonce"], "00000001", "abc", "auth", hashed("INVITE", uri)
    )
    return (
        f'Authorization: Digest username="{user}", realm="{given["realm"]}", nonce="{given["nonce"]}", uri="{uri}", '
        f'response="{response}", algorithm={given["algorithm"]}, qop=auth, nc=00000001, cnonce="abc"\r\n'
    )


async def invited(gateway: Gateway, algorithm: str, user: str, password: str) -> tuple[int, int]:
    """Begin a call; return how the proof was answered, and how the same proof a second time."""
    async with bound() as socket:
        call = Dialog(gateway.port, socket)
        call.send(call.invite())
        assert await call.status("1 INVITE") == 401
        refused = next(data.decode() for data in socket.came if data.startswith(b"SIP/2.0 401"))
        challenges = re.findall(r"WWW-Authenticate: (.*)\r\n", refused)
        assert [re.findall(r"algorithm=([\w-]+)", one) for one in challenges] == [["SHA-256"], ["MD5"]]
        (challenge,) = [one for one in challenges if f"algorithm={algorithm}" in one]
        header = proof(challenge, f"sip:support@127.0.0.1:{gateway.port}", user, password)
        call.send(call.message("INVITE", 2, body=call.offer, headers=header))
        first = await call.status("2 INVITE")
        again = Dialog(gateway.port, socket)
        again.send(again.message("INVITE", 1, body=again.offer, headers=header))
        return first, await again.status("1 INVITE")


@pytest.mark.parametrize("algorithm", HASHES)
async def test_a_proof_counts_once(algorithm: str, guarded: Gateway) -> None:
    assert await invited(guarded, algorithm, "tester", SECRET) == (200, 401)


@pytest.mark.parametrize("algorithm", HASHES)
@pytest.mark.parametrize(("user", "password"), [("tester", "a guess of tests"), ("somebody", SECRET)])
async def test_another_password_or_another_user_is_refused(
    user: str, password: str, algorithm: str, guarded: Gateway
) -> None:
    assert await invited(guarded, algorithm, user, password) == (401, 401)


@pytest.mark.skipif(find_spec("baresip") is None, reason="baresip-python is not installed (pip install -e '.[dev]')")
async def test_baresip_proves_its_password(guarded: Gateway) -> None:
    knows = PythonCaller("tester", guarded.uri("support"), password=SECRET, goes="nowhere")
    guesses = PythonCaller("somebody", guarded.uri("support"), password="a guess of tests", goes="nowhere")
    # One after the other: of two that call at once, the library has once told only one of the end of its call.
    (let_in,) = await by_python(Order((knows,)))
    (kept_out,) = await by_python(Order((guesses,)))
    assert let_in.failed == ""
    assert "401" in kept_out.failed
