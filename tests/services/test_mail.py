"""Notifications by mail, against a real mail server on this machine: down, slow, refusing, greylisting, with TLS."""

import datetime
import ipaddress
import socket
import ssl
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ivr.engine.commands import Notify
from ivr.outbox import Notification
from ivr.services.mail_folder import MailFolder
from ivr.services.mail_message import mail_of
from ivr.services.mail_sender import Encryption, MailSender, MailServer
from ivr.services.sender import Attachment, NotSent
from tests.fakes.mail_server import PASSWORD, USER, MailHost, mail_host

NOTIFY = Notify("3.1", "mail", "desk@example.com", "A call", "First line.\nSecond: \u00fc.", flow="voicemail")
ONE = Notification("0" * 32, NOTIFY, "3.1", 1_795_168_800.0)
MP3 = Attachment("recording-1.mp3", b"ID3" + bytes(97), "audio/mpeg", "https://ivr.example/recordings/x")


class Recordings:
    """`Attachments`: one recording, another that was erased."""

    async def of(self, media: str, number: int) -> Attachment | None:
        return replace(MP3, name=f"recording-{number}.mp3") if media == "here" else None


def sender(
    host: MailHost, *, encryption: Encryption = "none", login: tuple[str, str] = ("", ""), **more: Any
) -> MailSender:
    server = MailServer("127.0.0.1", host.port, "ivr@contoso.example", encryption, *login)
    return MailSender(server, Recordings(), **{"most": 1000, **more})


def told(**changed: Any) -> Notification:
    return replace(ONE, notify=replace(NOTIFY, **changed))


async def test_a_mail_comes_as_it_was_written() -> None:
    async with mail_host() as host:
        await sender(host).send(told(attach=("here",)))
    [mail] = host.mails
    assert host.recipients == [["desk@example.com"]]
    assert (mail["From"], mail["To"], mail["Subject"]) == ("ivr@contoso.example", "desk@example.com", "A call")
    assert mail["Message-ID"] == f"<{'0' * 32}.3.1@contoso.example>"
    assert mail["Date"] == "Fri, 20 Nov 2026 10:00:00 -0000"
    assert mail["Auto-Submitted"] == "auto-generated"
    text, audio = mail.iter_parts()
    assert text.get_content().splitlines() == ["First line.", "Second: \u00fc."]
    assert (audio.get_filename(), audio.get_content_type()) == ("recording-1.mp3", "audio/mpeg")
    assert audio.get_content() == MP3.content


async def test_a_notification_has_the_same_id_however_often_it_is_sent() -> None:
    async with mail_host() as host:
        await sender(host).send(ONE)
        await sender(host).send(ONE)
    assert host.mails[0]["Message-ID"] == host.mails[1]["Message-ID"]


async def test_what_is_too_large_is_linked_and_what_was_erased_is_said() -> None:
    async with mail_host() as host:
        await sender(host, most=99).send(told(attach=("here", "gone")))
    [mail] = host.mails
    assert not mail.is_multipart()
    assert "Recording (for seven days): https://ivr.example/recordings/x" in mail.get_content()
    assert "A recording was erased." in mail.get_content()


async def test_a_mail_without_a_subject_has_the_flow_as_its_subject() -> None:
    async with mail_host() as host:
        await sender(host).send(told(subject="", text=""))
    assert host.mails[0]["Subject"] == "voicemail"


@pytest.mark.parametrize(
    "changed",
    [
        {"subject": "A call\r\nBcc: everybody@example.com"},
        {"text": "Hello.\r\n.\r\nMAIL FROM:<x@example.com>\r\n"},
        {"subject": "\x00\ud800\u2028Bcc: everybody@example.com"},
        {"subject": "=?utf-8?q?A=0D=0ABcc:_everybody@example.com=0D=0A=0D=0AIt_is_I?="},
        {"subject": "=?utf-8?b?Cg==?= =?us-ascii?q?=0ABcc:_everybody@example.com?="},
    ],
)
async def test_what_a_caller_said_becomes_no_header_and_no_command(changed: dict[str, str]) -> None:
    async with mail_host() as host:
        await sender(host).send(told(**changed))
    [mail] = host.mails
    assert mail["Bcc"] is None
    assert host.recipients == [["desk@example.com"]]
    assert mail.get_content_type() == "text/plain"


@pytest.mark.parametrize(
    "to",
    [
        *("", "desk", "a@b\nBcc: c@d.example", "a@example.com, b@example.com", "<a@example.com>", "a b@example.com"),
        *("=?utf-8?q?a=2Cb?=@example.com", "=?utf-8?q?a=40b.example=3E?=@example.com"),
    ],
)
async def test_what_is_no_address_is_dead_at_once_and_no_server_is_asked(to: str) -> None:
    async with mail_host() as host:
        with pytest.raises(NotSent) as refused:
            await sender(host).send(told(to=to))
    assert refused.value.for_good
    assert host.tries == 0


async def test_an_address_made_in_a_call_is_sent_to_only_where_the_operator_allows_it() -> None:
    async with mail_host() as host:
        with pytest.raises(NotSent, match="IVR_MAIL_TO") as refused:
            await sender(host).send(told(computed=True))
        assert refused.value.for_good
        with pytest.raises(NotSent, match="IVR_MAIL_TO"):
            await sender(host, allowed=["*@example.com"]).send(told(computed=True, to="x@example.com.evil.example"))
        await sender(host, allowed=["*@Example.com"]).send(told(computed=True))
    assert len(host.mails) == 1


async def test_a_server_that_is_down_or_says_nothing_is_tried_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        down = MailHost()
        down.port = taken.getsockname()[1]
        with pytest.raises(NotSent) as failed:
            await sender(down).send(ONE)
        assert not failed.value.for_good
        taken.listen()
        with pytest.raises(NotSent) as silent:
            await sender(down, patience=0.05).send(ONE)
    assert (silent.value.code, silent.value.for_good) == ("timeout", False)


async def test_a_slow_server_is_not_waited_for_for_ever() -> None:
    async with mail_host() as host:
        host.stalls = True
        with pytest.raises(NotSent) as slow:
            await sender(host, patience=0.1).send(ONE)
    assert (slow.value.code, slow.value.for_good) == ("timeout", False)


async def test_a_refusal_is_for_good_and_greylisting_is_not() -> None:
    async with mail_host() as host:
        host.rcpt = "550 5.1.1 No such mailbox"
        with pytest.raises(NotSent, match=r"refused the recipient \(550\): 5.1.1 No such mailbox") as refused:
            await sender(host).send(ONE)
        assert refused.value.for_good
        host.rcpt = "450 4.2.0 Greylisted, try again"
        with pytest.raises(NotSent) as later:
            await sender(host).send(ONE)
        assert not later.value.for_good
        host.rcpt, host.data = "250 OK", ["451 Busy", "552 Too large", "250 OK"]
        with pytest.raises(NotSent) as busy:
            await sender(host).send(ONE)
        with pytest.raises(NotSent) as too_large:
            await sender(host).send(ONE)
        await sender(host).send(ONE)
    assert (busy.value.for_good, too_large.value.for_good) == (False, True)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "mail.pem"
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file.write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()) + made.public_bytes(pem))
    return file


@pytest.mark.parametrize("encryption", ["starttls", "tls"])
async def test_mails_are_encrypted_and_a_stranger_s_certificate_is_not_believed(
    certificate: Path, encryption: Encryption
) -> None:
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(certificate)
    async with mail_host(tls=served, starts_with_tls=encryption == "tls") as host:
        with pytest.raises(NotSent) as stranger:
            await sender(host, encryption=encryption).send(ONE)
        assert not stranger.value.for_good
        trust = ssl.create_default_context(cafile=certificate)
        await sender(host, encryption=encryption, trust=trust).send(ONE)
    assert len(host.mails) == 1


async def test_a_server_without_starttls_gets_no_mail_in_the_clear() -> None:
    async with mail_host() as host:
        with pytest.raises(NotSent):
            await sender(host, encryption="starttls").send(ONE)
    assert host.mails == []


async def test_who_has_to_log_in_does_and_a_wrong_password_is_tried_again_since_it_can_be_mended() -> None:
    async with mail_host(login=True) as host:
        await sender(host, login=(USER, PASSWORD)).send(ONE)
        with pytest.raises(NotSent) as wrong:
            await sender(host, login=(USER, "wrong")).send(ONE)
        with pytest.raises(NotSent):
            await sender(host).send(ONE)
    assert (wrong.value.for_good, PASSWORD in str(wrong.value)) == (False, False)
    assert len(host.mails) == 1


async def test_in_development_a_mail_is_a_file(tmp_path: Path) -> None:
    await MailFolder(tmp_path / "mail", Recordings(), most=1000).send(told(computed=True))
    [file] = (tmp_path / "mail").iterdir()
    assert file.name == f"{ONE.id}.eml"
    assert b"Subject: A call\r\n" in file.read_bytes()


def test_a_long_subject_is_cut() -> None:
    mail = mail_of(ONE, replace(NOTIFY, subject="x" * 999 + "\n"), (), sender="ivr@contoso.example", most=0)
    assert len(mail["Subject"]) == 200


ODD = st.text(alphabet="=?_ aB:-\u00e9q08utf\n", max_size=60)
ENCODED = st.from_regex(r"(=\?utf-8\?[qb]\?(=0A|=0D|=3D|x|\?|_){0,9}\?= ?){1,3}", fullmatch=True)


@given(ODD | ENCODED)
def test_whatever_a_subject_is_made_of_it_stays_one_header(subject: str) -> None:
    usual = mail_of(ONE, NOTIFY, (), sender="ivr@contoso.example", most=0)
    mail = mail_of(ONE, replace(NOTIFY, subject=f"S {subject}"), (), sender="ivr@contoso.example", most=0)
    arrived = message_from_bytes(bytes(mail), policy=SMTP)
    assert arrived.keys() == usual.keys()
    assert arrived.get_content().splitlines() == usual.get_content().splitlines()
    assert " ".join(arrived["Subject"].split()) == " ".join(f"S {subject}".replace("=?", "= ?").split())
