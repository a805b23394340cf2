"""The sockets that carry SIP: three transports, two families, and what becomes of those who misbehave."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ivr.sip.media_plan import HostPort
from ivr.sip.outputs import Hop, Link, Transport
from ivr.useragent.configuration import ListenAddress, PortRange, StreamLimits, TlsFiles, UserAgentConfig
from ivr.useragent.stream_connection import StreamConnection
from ivr.useragent.transports import Transports, Unreachable
from tests.useragent.certificates import Authority
from tests.waiting import PATIENCE, Clock

MESSAGE = (
    b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c;branch=z9hG4bK1\r\nFrom: <sip:c@d>;tag=1\r\nTo: <sip:a@b>\r\n"
    b"Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 4\r\n\r\nbody"
)
NOWHERE = PortRange(0, 0)
NO_FILES = TlsFiles()
LIMITS = StreamLimits()


class Watched(Transports):
    """Tells when a connection was made or lost."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.changed = asyncio.Event()

    def opened(self, connection: StreamConnection, remote: HostPort) -> Link:
        link = super().opened(connection, remote)
        self.changed.set()
        return link

    def closed(self, connection: StreamConnection) -> None:
        super().closed(connection)
        self.changed.set()


class Peer:
    """Sockets, and what came by them."""

    def __init__(self, config: UserAgentConfig) -> None:
        self.got: asyncio.Queue[tuple[bytes, Link]] = asyncio.Queue()
        self.failed: asyncio.Queue[Link | Hop] = asyncio.Queue()
        self.sockets = Watched(config, lambda *got: self.got.put_nowait(got), self.failed.put_nowait)

    def port(self, transport: Transport, host: str = "127.0.0.1") -> int:
        return next(each.port for each in self.sockets.addresses if (each.transport, each.host) == (transport, host))

    async def takes(self) -> tuple[bytes, Link]:
        async with asyncio.timeout(PATIENCE):
            return await self.got.get()

    async def fails(self) -> Link | Hop:
        async with asyncio.timeout(PATIENCE):
            return await self.failed.get()

    async def has_connections(self, wanted: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.sockets.counts.connections != wanted:
                self.sockets.changed.clear()
                await self.sockets.changed.wait()


@asynccontextmanager
async def peer(
    *listen: ListenAddress,
    tls: TlsFiles = NO_FILES,
    limits: StreamLimits = LIMITS,
    advertised: str | None = None,
) -> AsyncIterator[Peer]:
    made = Peer(UserAgentConfig(listen, NOWHERE, advertised=advertised, tls=tls, limits=limits))
    made.sockets.listen()
    try:
        yield made
    finally:
        await made.sockets.close()


def at(transport: Transport, host: str = "127.0.0.1") -> ListenAddress:
    return ListenAddress(transport, host, 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_a_message_comes_as_it_was_sent_and_the_answer_goes_the_same_way(
    transport: Transport, host: str, ours: TlsFiles
) -> None:
    async with peer(at(transport, host), tls=ours) as one, peer(at(transport, host), tls=ours) as two:
        one.sockets.send(Hop(transport, host, two.port(transport, host)), MESSAGE)
        got, link = await two.takes()
        assert got == MESSAGE
        assert (link.transport, link.local) == (transport, (host, two.port(transport, host)))
        assert link.remote[0] == host
        assert (link.connection > 0) == (transport != "udp")
        two.sockets.send(link, b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n")
        got, back = await one.takes()
        assert got.startswith(b"SIP/2.0 200")
        assert back.remote == (host, two.port(transport, host))
        assert back.local == (host, one.port(transport, host))  # the one that listens: others reach us there
        assert one.sockets.sound_host(back) == two.sockets.sound_host(link) == host


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_at_all_addresses_a_flow_has_the_one_that_was_called(transport: Transport) -> None:
    async with peer(at(transport, "0.0.0.0")) as one, peer(at("udp", "127.0.0.1"), at("tcp", "127.0.0.1")) as two:
        port = one.port(transport, "0.0.0.0")
        two.sockets.send(Hop(transport, "127.0.0.7", port), MESSAGE)
        _, link = await one.takes()
        assert link.local == ("127.0.0.7", port)
        assert one.sockets.sound_host(link) == "127.0.0.7"
        one.sockets.send(link, MESSAGE)
        _, back = await two.takes()
        assert back.remote == ("127.0.0.7", port)  # and the answer comes from there, where the question went
        assert (await one.sockets.reach(Hop("udp", "127.0.0.1", 9)) if transport == "udp" else link).local[1] == port


async def test_at_all_addresses_of_ipv6_as_well() -> None:
    async with peer(at("udp", "::")) as one, peer(at("udp", "::1")) as two:
        two.sockets.send(Hop("udp", "::1", one.port("udp", "::")), MESSAGE)
        _, link = await one.takes()
        assert link.local[0] == "::1"
        one.sockets.send(link, MESSAGE)
        assert (await two.takes())[1].remote == ("::1", one.port("udp", "::"))


async def test_the_advertised_address_stands_in_flows_and_nothing_is_bound_to_it() -> None:
    async with (
        peer(at("udp"), at("tcp"), advertised="192.0.2.1") as one,
        peer(at("udp"), at("tcp")) as two,
    ):
        for transport in ("udp", "tcp"):
            two.sockets.send(Hop(transport, "127.0.0.1", one.port(transport)), MESSAGE)
            _, link = await one.takes()
            assert link.local == ("192.0.2.1", one.port(transport))
            assert one.sockets.sound_host(link) == "127.0.0.1"
            one.sockets.send(link, MESSAGE)
            assert (await two.takes())[1].remote == ("127.0.0.1", one.port(transport))


async def test_a_name_is_resolved() -> None:
    async with peer(at("udp"), at("tcp")) as one, peer(at("udp"), at("tcp")) as two:
        for transport in ("udp", "tcp"):
            one.sockets.send(Hop(transport, "localhost", two.port(transport)), MESSAGE)
            assert (await two.takes())[0] == MESSAGE


async def test_a_connection_is_used_again_and_by_both_sides() -> None:
    async with peer(at("tcp")) as one, peer(at("tcp")) as two:
        hop = Hop("tcp", "127.0.0.1", two.port("tcp"))
        first, again = await asyncio.gather(one.sockets.reach(hop), one.sockets.reach(hop))
        assert first == again == await one.sockets.reach(hop)
        one.sockets.send(hop, MESSAGE)
        _, link = await two.takes()
        two.sockets.send(Hop("tcp", *link.remote), MESSAGE)  # their end of the same connection
        assert (await one.takes())[1] == first
        assert one.sockets.counts.connections == two.sockets.counts.connections == 1


async def test_without_a_listener_a_flow_names_the_port_of_its_own_connection() -> None:
    async with peer() as one, peer(at("tcp")) as two:
        link = await one.sockets.reach(Hop("tcp", "127.0.0.1", two.port("tcp")))
        one.sockets.send(link, MESSAGE)
        assert (await two.takes())[1].remote == link.local


async def test_what_cannot_be_sent_is_told_later(ours: TlsFiles) -> None:
    async with peer(at("udp"), tls=ours) as one, peer(at("tcp")) as two:
        gone = Hop("tcp", "127.0.0.1", 9)
        one.sockets.send(gone, MESSAGE)
        assert one.failed.empty()
        assert await one.fails() == gone
        other_family = Hop("udp", "::1", 9)
        one.sockets.send(other_family, MESSAGE)
        assert await one.fails() == other_family
        unknown = Hop("udp", "nowhere.invalid", 9)
        one.sockets.send(unknown, MESSAGE)
        assert await one.fails() == unknown
        broadcast = Hop("udp", "255.255.255.255", 9)
        one.sockets.send(broadcast, MESSAGE)
        assert await one.fails() == broadcast
        link = await one.sockets.reach(Hop("tcp", "127.0.0.1", two.port("tcp")))
        await two.sockets.close()
        await one.has_connections(0)
        one.sockets.send(link, MESSAGE)
        assert await one.fails() == link


# --- TLS -------------------------------------------------------------------------------------------------------------


async def test_a_certificate_of_a_stranger_is_not_believed(ours: TlsFiles, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger").issue("127.0.0.1")
    async with peer(tls=ours) as one, peer(at("tls"), tls=stranger) as two:
        with pytest.raises(Unreachable, match="cannot be trusted"):
            await one.sockets.reach(Hop("tls", "127.0.0.1", two.port("tls")))
        assert two.sockets.counts.connections == 0


async def test_a_certificate_of_another_name_is_not_believed(authority: Authority) -> None:
    other = authority.issue("other.example")
    async with peer(tls=other) as one, peer(at("tls"), tls=other) as two:
        with pytest.raises(Unreachable, match="cannot be trusted"):
            await one.sockets.reach(Hop("tls", "127.0.0.1", two.port("tls")))


async def test_old_versions_of_tls_are_refused(ours: TlsFiles) -> None:
    async with peer(at("tls"), tls=ours) as one:
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        with pytest.warns(DeprecationWarning, match="TLS"):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")

        def shake_hands() -> None:
            with socket.create_connection(("127.0.0.1", one.port("tls"))) as sock:
                old.wrap_socket(sock).close()

        with pytest.raises(ssl.SSLError, match=r"(?i)protocol"):
            await asyncio.to_thread(shake_hands)


def test_who_listens_with_tls_needs_a_certificate() -> None:
    async def listen() -> None:
        async with peer(at("udp"), at("tls")):
            pass

    with pytest.raises(OSError, match="certificate"):
        asyncio.run(listen())


async def test_an_address_that_is_taken_leaves_nothing_open() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = ListenAddress("tcp", "127.0.0.1", taken.getsockname()[1])
        failing = Peer(UserAgentConfig((at("udp"), at("tcp"), wanted), NOWHERE))
        with pytest.raises(OSError, match="in use"):
            failing.sockets.listen()


# --- misbehaviour ----------------------------------------------------------------------------------------------------


async def closed(reader: asyncio.StreamReader) -> bytes:
    """Return what still came before the other side closed."""
    async with asyncio.timeout(PATIENCE):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize(
    "nonsense",
    [
        b"x" * 70_000,
        b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 1000000\r\n\r\n",
        b"OPTIONS sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: ten\r\n\r\n",
    ],
)
async def test_a_stream_that_cannot_be_followed_is_closed(nonsense: bytes) -> None:
    async with peer(at("tcp")) as one:
        reader, writer = await asyncio.open_connection("127.0.0.1", one.port("tcp"))
        writer.write(nonsense)
        assert await closed(reader) == b""
        writer.close()
        await one.has_connections(0)


async def test_keep_alives_are_answered() -> None:
    async with peer(at("tcp")) as one:
        reader, writer = await asyncio.open_connection("127.0.0.1", one.port("tcp"))
        writer.write(b"\r\n\r\n")
        assert await reader.readexactly(2) == b"\r\n"
        writer.close()


async def test_messages_come_whole_however_they_are_cut() -> None:
    async with peer(at("tcp")) as one:
        _, writer = await asyncio.open_connection("127.0.0.1", one.port("tcp"))
        writer.write(MESSAGE + MESSAGE[:50])
        assert (await one.takes())[0] == MESSAGE
        for byte in MESSAGE[50:]:
            writer.write(bytes([byte]))
            await writer.drain()
        assert (await one.takes())[0] == MESSAGE
        writer.close()


@pytest.mark.parametrize("sent", [b"", MESSAGE[:-1], MESSAGE + b"OPT", b"\r\n\r\n"])
async def test_who_keeps_us_waiting_is_cut_off(sent: bytes) -> None:
    with Clock.of_this_loop() as clock:
        async with peer(at("tcp")) as one:
            reader, writer = await asyncio.open_connection("127.0.0.1", one.port("tcp"))
            writer.write(sent)
            if MESSAGE in sent:
                await one.takes()
            elif sent.startswith(b"\r\n"):
                await reader.readexactly(2)
            await one.has_connections(1)
            clock.turn(one.sockets.limits.message + 1)
            one.sockets.sweep(())
            await closed(reader)
            writer.close()


async def test_an_idle_connection_is_closed_unless_a_call_was_made_by_it() -> None:
    with Clock.of_this_loop() as clock:
        async with peer(at("tcp")) as one:
            reader, writer = await asyncio.open_connection("127.0.0.1", one.port("tcp"))
            writer.write(MESSAGE)
            _, link = await one.takes()
            clock.turn(one.sockets.limits.idle + 1)
            one.sockets.sweep({link.connection})
            assert one.sockets.counts.connections == 1
            one.sockets.sweep(())
            assert await closed(reader) == b""
            writer.close()


async def test_one_address_has_so_many_connections() -> None:
    async with peer(at("tcp"), limits=StreamLimits(per_address=2)) as one:
        opened = [await asyncio.open_connection("127.0.0.1", one.port("tcp")) for _ in range(2)]
        reader, writer = await asyncio.open_connection("127.0.0.1", one.port("tcp"))
        assert await closed(reader) == b""
        assert one.sockets.counts.refused == 1
        elsewhere = await asyncio.open_connection("127.0.0.1", one.port("tcp"), local_addr=("127.0.0.2", 0))
        await one.has_connections(3)
        for _, each in (*opened, elsewhere, (reader, writer)):
            each.close()
        await one.has_connections(0)
        _, again = await asyncio.open_connection("127.0.0.1", one.port("tcp"))
        await one.has_connections(1)
        again.close()


async def test_a_silent_connection_makes_room_for_a_new_one_and_one_in_use_does_not() -> None:
    async with peer(at("tcp"), limits=StreamLimits(most=2)) as one:
        _, speaking = await asyncio.open_connection("127.0.0.1", one.port("tcp"))
        speaking.write(MESSAGE)
        await one.takes()
        silent, unheard = await asyncio.open_connection("127.0.0.1", one.port("tcp"))
        await one.has_connections(2)
        _, newcomer = await asyncio.open_connection("127.0.0.1", one.port("tcp"))
        newcomer.write(MESSAGE)
        await one.takes()
        assert await closed(silent) == b""
        late, refused = await asyncio.open_connection("127.0.0.1", one.port("tcp"))
        assert await closed(late) == b""
        speaking.write(MESSAGE)
        await one.takes()
        for writer in (speaking, unheard, newcomer, refused):
            writer.close()


async def test_a_handshake_that_never_comes_has_its_place_for_a_time_only(ours: TlsFiles) -> None:
    with Clock.of_this_loop() as clock:
        async with peer(at("tls"), tls=ours, limits=StreamLimits(most=1)) as one, peer(tls=ours) as two:
            reader, writer = await asyncio.open_connection("127.0.0.1", one.port("tls"))
            crowded, other = await asyncio.open_connection("127.0.0.1", one.port("tls"))
            assert await closed(crowded) == b""  # the place is taken before a byte has come
            clock.turn(one.sockets.limits.message + 1)
            await closed(reader)
            for each in (writer, other):
                each.close()
            assert (await two.sockets.reach(Hop("tls", "127.0.0.1", one.port("tls")))).connection


async def test_who_takes_nothing_is_cut_off() -> None:
    async with peer(at("tcp"), limits=StreamLimits(unsent=10_000)) as one:
        with socket.create_connection(("127.0.0.1", one.port("tcp"))) as deaf:
            deaf.sendall(MESSAGE)
            _, link = await one.takes()
            for _ in range(1000):
                one.sockets.send(link, bytes(100_000))
            await one.has_connections(0)


async def test_a_flood_of_datagrams_leaves_time_for_others() -> None:
    async with peer(at("udp")) as one:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
            for _ in range(200):
                flood.sendto(b"x", ("127.0.0.1", one.port("udp")))
        await one.takes()
        assert one.got.qsize() < 100
        for _ in range(199):
            await one.takes()


async def test_a_new_certificate_is_used_by_new_connections(authority: Authority, tmp_path: Path) -> None:
    first, second = authority.issue("127.0.0.1", "first"), authority.issue("127.0.0.1", "second")
    used = TlsFiles(tmp_path / "certificate", tmp_path / "key", authority.file)

    def put(files: TlsFiles) -> None:
        for source, target in ((files.certificate, used.certificate), (files.key, used.key)):
            assert source is not None
            assert target is not None
            target.write_bytes(source.read_bytes())

    def names(writer: asyncio.StreamWriter) -> set[str]:
        certificate = writer.get_extra_info("peercert")
        writer.close()
        return {name for _, name in certificate["subjectAltName"]}

    trust = ssl.create_default_context(cafile=authority.file)
    put(first)
    async with peer(at("tls"), tls=used) as one:
        _, writer = await asyncio.open_connection("127.0.0.1", one.port("tls"), ssl=trust)
        assert "first" in names(writer)
        put(second)
        one.sockets.reload_tls()
        _, writer = await asyncio.open_connection("127.0.0.1", one.port("tls"), ssl=trust)
        assert "second" in names(writer)
