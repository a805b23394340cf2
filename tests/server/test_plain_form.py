"""The platform's own form, taken apart at once: what comes of it is what the general reader makes of the same bytes."""

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ivr.engine.commands import RecordingFormat
from ivr.errors import WebhookError
from ivr.media_storage import SMALL
from ivr.server.body import BodyLimits
from ivr.server.forms import PlainForm, plain_boundary, plain_form
from ivr.server.multipart import boundary_of, read_form
from ivr.store.media_files import MediaFiles
from tests.audio.test_length import FILES
from tests.server.harness import FORM, form, part
from tests.server.test_multipart_form import AUDIO, BOUNDARIES, BROKEN, END, JSON, WRITTEN, audio_of

LIMITS = BodyLimits(json=1000)
PLAIN = {"as the platform does", "quoted names", "no space after the colon", "no line end after the last boundary"}
"Ways to write the form that need no general reader."


async def general(body: bytes, boundary: bytes, limits: BodyLimits) -> PlainForm | str:
    """Read a form in the general way, which is taken where it comes in pieces; a refusal comes as its code."""

    async def chunks() -> AsyncIterator[bytes]:
        yield body[:1]
        yield body[1:]

    with TemporaryDirectory() as folder:
        recordings = MediaFiles(Path(folder))
        try:
            filled = await read_form(chunks(), boundary, FORM, recordings=recordings, limits=limits)
            upload = filled.upload
            return PlainForm(filled.json, audio_of(filled, Path(folder)), upload.content_type, upload.seconds)
        except WebhookError as error:
            return error.code
        finally:
            await recordings.close()


@pytest.mark.parametrize("kind", FILES)
async def test_the_platforms_form_comes_out_whole(kind: RecordingFormat) -> None:
    audio = FILES[kind][:SMALL]
    body = part("conversationResult", b"{}", "application/json") + part("recordedAudio", audio, f"audio/{kind}") + END
    found = plain_form(body, b"B", FORM, limits=LIMITS)
    assert found == await general(body, b"B", LIMITS)
    assert found is not None
    assert (found.json, found.audio, found.content_type) == (b"{}", audio, f"audio/{kind}")
    assert found.seconds is not None


@pytest.mark.parametrize("how", WRITTEN)
async def test_a_form_that_is_written_otherwise_is_left_to_the_general_reader(how: str) -> None:
    found = plain_form(WRITTEN[how], b"B", FORM, limits=LIMITS)
    assert (found is not None) == (how in PLAIN)
    assert found in {None, await general(WRITTEN[how], b"B", LIMITS)}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_form_is_left_to_the_general_reader(how: str) -> None:
    assert plain_form(BROKEN[how][0], b"B", FORM, limits=LIMITS) is None


@pytest.mark.parametrize(
    ("limits", "audio", "plain"),
    [
        (BodyLimits(), SMALL, True),
        (BodyLimits(), SMALL + 1, False),
        (BodyLimits(recording=100), 100, True),
        (BodyLimits(recording=100), 101, False),
        (BodyLimits(json=12), 100, True),
        (BodyLimits(json=11), 100, False),
    ],
)
def test_no_limit_is_passed_over(limits: BodyLimits, audio: int, plain: bool) -> None:
    assert (plain_form(form(bytes(audio)), b"B", FORM, limits=limits) is not None) == plain


_EDGE = st.sampled_from(
    [
        *(
            b"\r\n--B",
            b"\r\n--B--",
            b"--B",
            b"\r\n--B\r\n",
            b"\r\n\r\n",
            b"\r\n",
            b"\r",
            b"--",
            b"B",
            b" ",
            b"\t",
            b";",
        ),
        *(
            b"Content-Type: audio/wav",
            b"Content-Disposition: form-data; name=recordedAudio",
            b"X: 1",
            b'; filename="a"',
        ),
    ]
)
_CONTENT = st.lists(_EDGE | st.binary(max_size=9), max_size=6).map(b"".join)
_TYPE = st.sampled_from(
    [
        "application/json; charset=utf-8",
        "audio/x-ms-wma",
        "audio/wav",
        "Audio/WAV",
        "audio/wav;x=1",
        "text/plain",
        "audio/",
        "",
    ]
)
_NAME = st.sampled_from(["conversationResult", "recordedAudio", '"recordedAudio"', "RecordedAudio", "other", ""])


@st.composite
def _parts(draw: st.DrawFn) -> bytes:
    """Write a part in its one order of headers or the other, with what a form can hold and what it cannot."""
    kind = f"Content-Type: {draw(_TYPE)}".encode()
    name = f"Content-Disposition: form-data; name={draw(_NAME)}".encode()
    headers = draw(st.sampled_from([[kind, name], [name, kind], [name], [kind, name, b"X-Other: 1"], [kind]]))
    return b"--B\r\n" + b"\r\n".join(headers) + b"\r\n\r\n" + draw(_CONTENT) + b"\r\n"


@st.composite
def _forms(draw: st.DrawFn) -> bytes:
    """Write a form of any parts, mostly the two that it should have, and damage it in a few places."""
    own = st.tuples(st.just(JSON), _CONTENT.map(lambda audio: part("recordedAudio", audio, "audio/wav")))
    parts = draw(own | st.tuples(_parts(), _parts()) | st.lists(_parts() | st.just(JSON), max_size=4).map(tuple))
    body = b"".join(parts) + draw(st.sampled_from([END, END, b"--B--", b"--B-- \r\n", END + b"more", b"--B", b""]))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(body)))
        body = body[:at] + draw(_EDGE | st.just(b"")) + body[at + draw(st.integers(0, 4)) :]
    return body


@settings(max_examples=300, deadline=None)
@given(body=_forms())
@example(JSON.replace(b'{"id": "c1"}\r\n', b"") + AUDIO + END)
@example(JSON + AUDIO.replace(b"bytes\r\n", b"") + END)
@example(JSON + AUDIO.replace(b"bytes", b"") + END)
async def test_what_is_taken_apart_at_once_is_what_the_general_reader_gives(body: bytes) -> None:
    found = plain_form(body, b"B", FORM, limits=LIMITS)
    assert found is None or found == await general(body, b"B", LIMITS)


@given(audio=_CONTENT)
async def test_the_platforms_form_is_taken_apart_at_once_whatever_the_audio(audio: bytes) -> None:
    if b"\r\n--B" not in b"\r\n" + audio + b"\r\n--B"[:-1]:
        found = plain_form(form(audio), b"B", FORM, limits=LIMITS)
        assert found is not None
        assert found.audio == audio


PLAIN_TYPES = (
    'multipart/form-data; boundary="B"',
    "multipart/form-data;boundary=B",
    'multipart/form-data; boundary="B", application/json; charset=utf-8',
    f"multipart/form-data; boundary={'x' * 70}",
)


@pytest.mark.parametrize("content_type", PLAIN_TYPES)
def test_the_boundary_of_a_plain_header_is_found_at_once(content_type: str) -> None:
    assert plain_boundary(content_type.encode()) == boundary_of(content_type)


@given(
    content_type=st.sampled_from([*BOUNDARIES, *PLAIN_TYPES])
    | st.lists(
        st.sampled_from(
            [
                "multipart/form-data",
                "; boundary=",
                ";boundary=",
                "B",
                '"',
                ", application/json",
                ";",
                " ",
                "=",
                "x" * 70,
            ]
        ),
        max_size=7,
    ).map("".join)
    | st.text(st.characters(codec="ascii"), max_size=30).map("multipart/form-data; boundary={}".format)
)
def test_a_boundary_that_is_found_at_once_is_the_boundary(content_type: str) -> None:
    found = plain_boundary(content_type.encode())
    assert found is None or found == boundary_of(content_type)
