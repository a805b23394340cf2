"""The routes without a token: prompt files, health, and development mode's look at the Host."""

import hashlib
from pathlib import Path

import pytest

from ivr.server.listener import bind
from ivr.server.static_files import Asset
from tests.server.harness import JSON, TOKEN, Served, connected, request, serving

WAV = b"RIFF" + bytes(40)
HASH = hashlib.sha256(WAV).hexdigest()
ASSETS = {HASH: Asset(WAV, "audio/wav")}


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def test_a_known_file_is_served_with_its_type_and_for_ever(tmp_path: Path) -> None:
    async with serving(tmp_path, assets=ASSETS) as served:
        answer = await served.send(request("GET", f"/media/{HASH}", token=None))
        assert (answer.status, answer.body) == (200, WAV)
        assert answer.headers["content-type"] == "audio/wav"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_head_tells_the_size_and_sends_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path, assets=ASSETS) as served, connected(served.port) as (reader, writer):
        writer.write(request("HEAD", f"/media/{HASH}", headers={"Connection": "close"}))
        head = await reader.read()
    assert f"Content-Length: {len(WAV)}".encode() in head
    assert head.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "name",
    [
        "0" * 64,
        HASH.upper(),
        HASH + "0",
        HASH[:-1],
        f"{HASH}/",
        f"../media/{HASH}x",
        "../../../../etc/passwd",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%00" + HASH,
        "/etc/passwd",
        "0123456789abcdef0123456789abcdef.wma",  # a recording's kind of name
        "",
    ],
)
async def test_everything_else_is_the_same_404(tmp_path: Path, name: str) -> None:
    async with serving(tmp_path, assets=ASSETS) as served:
        (served.audio / "0123456789abcdef0123456789abcdef.wma").write_bytes(b"a caller")
        answer = await served.send(request("GET", f"/media/{name}", token=None))
        other = await served.send(request("GET", f"/media/{'f' * 64}", token=None))
        assert (answer.status, answer.code) == (404, "not-found")
        varying = {"date"}
        assert answer.body == other.body
        assert {key: value for key, value in answer.headers.items() if key not in varying} == {
            key: value for key, value in other.headers.items() if key not in varying
        }


async def test_the_process_is_alive_whatever_else_is_not(tmp_path: Path) -> None:
    async with serving(tmp_path, checks={"store": no}) as served:
        answer = await served.send(request("GET", "/healthz", token=None))
        assert (answer.status, answer.json) == (200, {"alive": True})


async def test_readiness_names_the_part_that_is_missing(tmp_path: Path) -> None:
    async with serving(tmp_path, checks={"store": yes, "keys": no}) as served:
        answer = await served.send(request("GET", "/readyz", token=None))
        assert (answer.status, answer.json) == (503, {"ready": False, "store": True, "keys": False})
    async with serving(tmp_path, checks={"store": yes}) as served:
        answer = await served.send(request("GET", "/readyz", token=None))
        assert (answer.status, answer.json) == (200, {"ready": True, "store": True})


async def test_posting_to_a_page_is_405_with_what_is_allowed(served: Served) -> None:
    answer = await served.send(request("POST", "/healthz", b"{}"))
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.8.8.8:1", "[::1]:8080"])
async def test_development_mode_answers_to_loopback_names(tmp_path: Path, host: str) -> None:
    async with serving(tmp_path, dev=True) as served:
        answer = await served.post(headers={**JSON, "Host": host})
        assert answer.status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "127.0.0.1@evil", "", "[::2]"],
)
@pytest.mark.parametrize("path", ["/call", "/healthz", f"/media/{HASH}"])
async def test_development_mode_answers_to_no_other_name(tmp_path: Path, host: str, path: str) -> None:
    async with serving(tmp_path, dev=True, assets=ASSETS) as served:
        method, body = ("POST", b'{"id": "c1"}') if path == "/call" else ("GET", b"")
        answer = await served.send(request(method, path, body, {**JSON, "Host": host, "Origin": f"http://{host}"}))
        assert (answer.status, answer.code) == (403, "host")
        assert "access-control-allow-origin" not in answer.headers
        assert not served.turns.taken


async def test_development_mode_without_a_host_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path, dev=True) as served:
        answer = await served.send(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert answer.status == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_development_mode_is_bound_to_loopback_alone(host: str) -> None:
    with pytest.raises(ValueError, match="other machines"):
        bind(host or "0.0.0.0", 0, loopback_only=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_loopback_addresses_can_be_bound_in_development_mode(host: str) -> None:
    with bind(host, 0, loopback_only=True) as sock:
        assert sock.getsockname()[1] > 0


async def test_no_answer_holds_the_token(served: Served) -> None:
    answers = [
        await served.post(),
        await served.post("/nowhere"),
        await served.post(body=b"{"),
        await served.send(request("GET", "/readyz")),
    ]
    assert all(TOKEN not in str(answer) for answer in answers)


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}],
)
async def test_in_development_another_sites_page_can_post_nothing(tmp_path: Path, headers: dict[str, str]) -> None:
    async with serving(tmp_path, dev=True) as served:
        answer = await served.send(request("POST", "/callback", b'{"id": "c1"}', {**JSON, **headers}))
        assert (answer.status, answer.code) == (403, "origin")
        assert served.turns.taken == []
