"""The recording's form: the platform's and every other way to write it, and every way to break it."""

import itertools
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.errors import WebhookError
from ivr.media_storage import SMALL
from ivr.server.body import BodyLimits
from ivr.server.multipart import ReadForm, boundary_of, read_form
from ivr.store.media_files import MediaFiles
from tests.server.harness import FORM, Served, form, part

END = b"--B--\r\n"
JSON = part("conversationResult", b'{"id": "c1"}', "application/json; charset=utf-8")
AUDIO = part("recordedAudio", b"bytes", "audio/wav")
LARGER = b"bytes" * SMALL
"A recording that is a file."


async def chunks(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def read(folder: Path, pieces: Sequence[bytes], limits: BodyLimits, *, boundary: bytes = b"B") -> ReadForm:
    recordings = MediaFiles(folder)
    try:
        return await read_form(chunks(*pieces), boundary, FORM, recordings=recordings, limits=limits)
    finally:
        await recordings.close()


async def refused(folder: Path, *pieces: bytes, limits: BodyLimits = BodyLimits()) -> tuple[int, str]:  # noqa: B008
    with pytest.raises(WebhookError) as caught:
        await read(folder, pieces, limits)
    assert not list(folder.iterdir()), "a file was left behind"
    return caught.value.status, caught.value.code


def audio_of(filled: ReadForm, folder: Path) -> bytes:
    """Return the recording of a form, from where it was put."""
    audio = filled.upload.audio
    return (folder / filled.upload.media).read_bytes() if audio is None else audio


WRITTEN = {
    "as the platform does": JSON + AUDIO + END,
    "audio first": AUDIO + JSON + END,
    "quoted names": (JSON + AUDIO + END).replace(b"name=recordedAudio", b'name="recordedAudio"'),
    "with a file name": (JSON + AUDIO + END).replace(b"name=recordedAudio", b'name="recordedAudio"; filename="a.wav"'),
    "no space after the colon": JSON.replace(b"n: f", b"n:f") + AUDIO.replace(b"e: a", b"e:a") + END,
    "no type on the JSON (Ref)": part("conversationResult", b'{"id": "c1"}') + AUDIO + END,
    "names in another case": JSON.replace(b"conversationResult", b"CONVERSATIONRESULT") + AUDIO + END,
    "headers in another case": JSON + AUDIO.replace(b"Content-Disposition", b"content-disposition") + END,
    "other headers": JSON + AUDIO.replace(b"Content-Type", b"Content-Length: 5\r\nX-Other: 1\r\nContent-Type") + END,
    "a further part": JSON + part("extra", b"ignored" * 1000) + AUDIO + END,
    "binary transfer encoding": JSON
    + AUDIO.replace(b"Content-Type", b"Content-Transfer-Encoding: Binary\r\nContent-Type")
    + END,
    "a line before the first boundary": b"\r\n" + JSON + AUDIO + END,
    "text before the first boundary": b"This is a multi-part message.\r\n--Bx\r\n--\r\n\r\n" + JSON + AUDIO + END,
    "blanks behind the boundaries": (JSON + AUDIO).replace(b"--B\r\n", b"--B \t \r\n") + b"--B-- \t\r\n",
    "folded headers": JSON.replace(b"; name=", b";\r\n\tname=")
    + AUDIO.replace(b"; name=", b";\r\n   name=").replace(b"audio/wav", b"\r\n audio/wav")
    + END,
    "a blank before the colon": JSON.replace(b"Type:", b"Type :") + AUDIO + END,
    "a further part without a content": JSON + b"--B\r\nContent-Disposition: form-data; name=x\r\n\r\n" + AUDIO + END,
    "text after the last boundary": JSON + AUDIO + END + b"epilogue --B\r\n" * 10,
    "no line end after the last boundary": JSON + AUDIO + b"--B--",
}


def with_audio(audio: bytes, body: bytes) -> bytes:
    """Return a form with this recording."""
    return body.replace(b"bytes", audio)


@pytest.mark.parametrize("audio", [b"bytes", LARGER], ids=["small", "larger"])
@pytest.mark.parametrize("how", WRITTEN)
async def test_the_form_may_be_written_in_many_ways(tmp_path: Path, how: str, audio: bytes) -> None:
    filled = await read(tmp_path, [with_audio(audio, WRITTEN[how])], BodyLimits())
    assert filled.json == b'{"id": "c1"}'
    assert audio_of(filled, tmp_path) == audio
    assert (filled.upload.content_type, filled.upload.size) == ("audio/wav", len(audio))
    assert [path.name for path in tmp_path.iterdir()] == [filled.upload.media] * (len(audio) > SMALL)


@pytest.mark.parametrize("how", WRITTEN)
async def test_the_form_may_come_in_any_two_pieces(tmp_path: Path, how: str) -> None:
    body = WRITTEN[how][:1000] + WRITTEN[how][-300:] if len(WRITTEN[how]) > 1300 else WRITTEN[how]
    recordings = MediaFiles(tmp_path)
    for cut in range(len(body)):
        filled = await read_form(chunks(body[:cut], body[cut:]), b"B", FORM, recordings=recordings, limits=BodyLimits())
        assert filled.json == b'{"id": "c1"}'
        assert audio_of(filled, tmp_path) == b"bytes"
    await recordings.close()


BROKEN = {
    "nothing": (b"", 400),
    "only the end": (END, 400),
    "cut in the audio": ((JSON + AUDIO + END)[:-12], 400),
    "cut before the end": (JSON + AUDIO, 400),
    "cut in the last boundary": (JSON + AUDIO + b"--B-", 400),
    "no audio": (JSON + END, 400),
    "no JSON": (AUDIO + END, 400),
    "audio twice": (JSON + AUDIO + AUDIO + END, 400),
    "JSON twice": (JSON + JSON + AUDIO + END, 400),
    "five parts": (JSON + AUDIO + part("a", b"") * 3 + END, 400),
    "100,000 parts": (JSON + AUDIO + part("a", b"") * 100_000 + END, 400),
    "a part without a name": (JSON + AUDIO.replace(b"; name=recordedAudio", b"") + END, 400),
    "no disposition": (JSON + b"--B\r\nContent-Type: audio/wav\r\n\r\nbytes\r\n" + END, 400),
    "attachment": (JSON + AUDIO.replace(b"form-data", b"attachment") + END, 400),
    "two dispositions": (
        JSON + AUDIO.replace(b"Content-Type: audio/wav", b"Content-Disposition: form-data") + END,
        400,
    ),
    "a header of 1 MB": (JSON + AUDIO.replace(b"audio/wav", b"audio/" + b"w" * 2**20) + END, 400),
    "nine headers": (JSON + AUDIO.replace(b"Content-Type", b"X-A: 1\r\n" * 8 + b"Content-Type") + END, 400),
    "a space in a header's name": (JSON + AUDIO.replace(b"Content-Type:", b"Content Type:") + END, 400),
    "another boundary": ((JSON + AUDIO + END).replace(b"--B", b"--C"), 400),
    "text in the line of the first boundary": (b"hello" + JSON + END, 400),
    "a boundary that goes on": ((JSON + AUDIO + END).replace(b"--B\r\n", b"--Bx\r\n"), 400),
    "blanks without end behind a boundary": (b"--B" + b" " * 100_000 + (JSON + AUDIO + END)[3:], 400),
    "a part without headers": (b"--B\r\n\r\nx\r\n" + JSON + AUDIO + END, 400),
    "a header that begins with a fold": (JSON + AUDIO.replace(b"--B\r\n", b"--B\r\n folded\r\n") + END, 400),
    "a header without a colon": (JSON + AUDIO.replace(b"Content-Type", b"nothing\r\nContent-Type") + END, 400),
    "base64": (JSON + AUDIO.replace(b"Content-Type", b"Content-Transfer-Encoding: base64\r\nContent-Type") + END, 415),
    "a picture": (JSON + AUDIO.replace(b"audio/wav", b"image/svg+xml") + END, 415),
}


@pytest.mark.parametrize("how", BROKEN)
async def test_a_broken_form_is_refused_and_leaves_no_file(tmp_path: Path, how: str) -> None:
    body, status = BROKEN[how]
    assert (await refused(tmp_path, body))[0] == status
    assert (await refused(tmp_path, with_audio(LARGER, body)))[0] == status
    assert (await refused(tmp_path, *(body[at : at + 1000] for at in range(0, len(body), 1000))))[0] == status


@pytest.mark.parametrize("what", ["conversationResult", "recordedAudio"])
async def test_a_part_over_its_limit_is_413(tmp_path: Path, what: str) -> None:
    limits = BodyLimits(json=100, recording=500_000)
    body = form(b"x" * 500_001) if what == "recordedAudio" else form(b"x", message=b" " * 101)
    assert await refused(tmp_path, *(body[at : at + 65536] for at in range(0, len(body), 65536)), limits=limits) == (
        413,
        "too-large",
    )


@pytest.mark.parametrize(
    ("kind", "extension"),
    [
        ("audio/x-ms-wma", "wma"),
        ("audio/wav", "wav"),
        ("Audio/X-Wav; codec=1", "wav"),
        ("audio/mpeg", "mp3"),
        ("audio/ogg", "bin"),
        ("application/octet-stream", "bin"),
        ("", "bin"),
    ],
)
async def test_the_extension_is_the_types_and_the_name_is_ours(tmp_path: Path, kind: str, extension: str) -> None:
    audio = part('recordedAudio; filename="../../x.php"', b"bytes", kind)
    filled = await read(tmp_path, [JSON + audio + END], BodyLimits())
    stem, _, found = filled.upload.media.partition(".")
    assert found == extension
    assert len(stem) == 32
    assert set(stem) <= set("0123456789abcdef")


BOUNDARIES = {
    "multipart/form-data; boundary=B": b"B",
    'multipart/form-data; boundary="B"': b"B",
    'multipart/form-data; charset=utf-8; BOUNDARY = "a b:c"': b"a b:c",
    'multipart/form-data; boundary="5c8d-11", application/json; charset=utf-8': b"5c8d-11",  # Ref's sample
    "multipart/form-data; boundary=5c8d-11, application/json; charset=utf-8": b"5c8d-11",
    "multipart/form-data;boundary=----WebKit+1=2;x=y": b"----WebKit+1=2",
    f"multipart/form-data; boundary={'x' * 70}": b"x" * 70,
}


@pytest.mark.parametrize("content_type", BOUNDARIES)
def test_the_boundary_is_found_however_it_is_written(content_type: str) -> None:
    assert boundary_of(content_type) == BOUNDARIES[content_type]


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        'multipart/form-data; boundary=" "',
        'multipart/form-data; boundary="B',
        f"multipart/form-data; boundary={'x' * 71}",
        f"multipart/form-data; boundary={'x' * 10_000}",
        "multipart/form-data; boundary=B; boundary=C",
        "multipart/form-data; boundary=B\u00e4",
        "multipart/form-data; xboundary=B",
        "multipart/form-data, boundary=B",
    ],
)
def test_a_boundary_that_cannot_be_used_is_400(content_type: str) -> None:
    with pytest.raises(WebhookError) as caught:
        boundary_of(content_type)
    assert (caught.value.status, caught.value.code) == (400, "malformed-form")


# Audio that looks like boundaries, so that the parser has to look behind and give bytes back.
TRICKY = b"\r\n--\r\n--B\r--B-\r\n-\r\n\r\r\n--C--\r\n--" + bytes(range(256)) + b"\r\n--BB\r\n"


async def test_a_split_at_every_byte_changes_nothing(tmp_path: Path) -> None:
    body = form(TRICKY, boundary="B0")
    recordings = MediaFiles(tmp_path)
    for cut in range(len(body) + 1):
        pieces = chunks(body[:cut], body[cut:])
        filled = await read_form(pieces, b"B0", FORM, recordings=recordings, limits=BodyLimits())
        assert audio_of(filled, tmp_path) == TRICKY
        assert filled.json == b'{"id": "c1"}'
    await recordings.close()


_PIECE = st.sampled_from([b"\r\n--B0", b"\r", b"\n", b"-", b"B0", b"--", b"\r\n", b"x", b" "]) | st.binary(max_size=9)
_AUDIO = st.lists(_PIECE).map(b"".join)


@settings(max_examples=100, deadline=None)
@given(audio=_AUDIO, cuts=st.lists(st.integers(0, 900), max_size=40), first=st.booleans())
async def test_any_audio_in_any_pieces_comes_out_as_it_went_in(audio: bytes, cuts: list[int], first: bool) -> None:
    while b"\r\n--B0" in b"\r\n" + audio + b"\r\n--B0"[:-1]:  # RFC 2046: the delimiter must not appear inside
        audio = audio.replace(b"B0", b"B1")
    parts = [
        part("conversationResult", b'{"id": "c1"}', boundary="B0"),
        part("recordedAudio", audio, "audio/wav", boundary="B0"),
    ]
    body = b"".join(reversed(parts) if first else parts) + b"--B0--\r\n"
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [body[start:end] for start, end in itertools.pairwise(edges)]
    with TemporaryDirectory() as folder:
        filled = await read(Path(folder), pieces, BodyLimits(), boundary=b"B0")
        assert audio_of(filled, Path(folder)) == audio
        assert filled.upload.size == len(audio)


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=300), cut=st.integers(0, 300), keep=st.integers(0, 400))
async def test_garbage_is_refused_and_leaves_no_file(body: bytes, cut: int, keep: int) -> None:
    whole = form(b"audio")[:keep] + body
    with TemporaryDirectory() as folder:
        try:
            await read(Path(folder), [whole[:cut], whole[cut:]], BodyLimits())
        except WebhookError as error:
            status = error.status
        else:
            status = 200
        assert status in {200, 400, 413, 415}
        assert not list(Path(folder).iterdir())


async def test_over_the_wire_a_broken_form_is_400_and_moves_no_call(served: Served) -> None:
    for body, status in BROKEN.values():
        if len(body) < 2**20:
            answer = await served.upload(body or b"\r\n")
            assert answer.status == status
            assert answer.code
    assert not served.files
    assert not served.turns.taken
    answer = await served.upload(b"x", "multipart/form-data; boundary=")
    assert (answer.status, answer.code) == (400, "malformed-form")
