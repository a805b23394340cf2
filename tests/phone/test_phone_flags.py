"""Flags of `ivr phone`: what makes no sense is refused with a sentence, before anything is sent."""

import asyncio
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivr.cli.phone import phone
from tests.phone.fake_bot import ANSWER, HANG_UP, MENU, fake_bot, flow, nobody

SCRIPT = "steps:\n  - expect: {ends: hangup}\n"
ABOUT_BOTS = (
    ["--bot", "http://127.0.0.1/"], ["--app-id", "a"], ["--allow", "a"], ["--at", "10:00"], ["--language", "de-DE"],
    ["--sound"], ["--browser"], ["--wire"], ["--retries", "1"], ["--key", "a"], ["--identity-port", "8079"],
)  # fmt: skip


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--calls", "3", "--browser"], "--browser and --calls cannot be used together"),
        (["--browser", "--script", "."], "--browser and --script cannot be used together"),
        (["--calls", "3", "--script", "."], "--script and --calls cannot be used together"),
        (["--sound", "--browser"], "--browser and --sound cannot be used together"),
        (["--port", "8090"], "--port has no effect without --browser"),
        (["--concurrency", "5"], "--concurrency has no effect without --calls"),
        (["--rate", "5"], "--rate has no effect without --calls"),
        (["--think", "2"], "--think has no effect without --calls"),
        (["--json", "--script", "."], "--json has no effect without --calls"),
        (["--wire", "--browser"], "--wire is for the terminal and has no effect with --browser"),
        *((["--sip", "sip:a@b", *other], f"{other[0]} has no effect with --sip") for other in ABOUT_BOTS),
        (["--sip-user", "anna"], "--sip-user has no effect without --sip"),
        (["--record", "a.wav"], "--record has no effect without --sip"),
        (["--sip", "sip:a@b", "--sip-user", "anna"], "--sip-user and --sip-password belong together"),
        (["--sip", "sip:a@b", "--sip-password", "secret"], "--sip-user and --sip-password belong together"),
        (["--sip", "sip:a@b", "--record", "a.wav", "--calls", "2"], "--record is for one call"),
        (["--sip", "sip:a@b", "--record", "a.wav", "--script", "."], "--record is for one call"),
        (["--wire", "--calls", "2"], "--wire is for the terminal and has no effect with --calls"),
    ],
)
def test_flags_of_which_one_would_be_ignored_are_refused(flags: list[str], sentence: str) -> None:
    done = CliRunner().invoke(phone, flags)
    assert done.exit_code == 2
    assert sentence in done.output


@pytest.mark.parametrize(
    "flags",
    [
        ["--retries", "-1"],
        ["--workflows", "0"],
        *(["--answer-time", value] for value in ("0", "-5", "nan", "inf", "-inf", "1e300")),
        *(["--call-length", value] for value in ("0", "-1", "nan", "inf")),
        *(["--calls", "1", "--rate", value] for value in ("0", "nan", "inf")),
        *(["--calls", "1", "--think", value] for value in ("0", "nan", "inf")),
        ["--port", "65536", "--browser"],
        ["--identity-port", "-1"],
        ["--at", "tomorrow"],
        ["--allow-transfer", "sales"],
        ["--allow-transfer", "*"],
        ["--calls", "0"],
        ["--calls", "1", "--concurrency", "0"],
    ],
)
def test_numbers_that_mean_nothing_are_refused(flags: list[str]) -> None:
    done = CliRunner().invoke(phone, flags)
    assert done.exit_code == 2
    assert "Invalid value for" in done.output


@pytest.mark.parametrize("face", [[], ["--script", "FILE"], ["--calls", "1"]])
@pytest.mark.parametrize("signed", [["--app-id", "my-bot"], ["--key", "KEY"], []])
def test_where_tokens_matter_the_metadata_s_address_is_told_at_the_start(
    face: list[str], signed: list[str], tmp_path: Path
) -> None:
    (tmp_path / "a.call.yaml").write_text(SCRIPT)
    files = {"FILE": str(tmp_path / "a.call.yaml"), "KEY": str(tmp_path / "phone.pem")}
    with nobody() as address:
        flags = ["--bot", f"{address}/call", "--retries", "0", *(files.get(flag, flag) for flag in (*face, *signed))]
        done = CliRunner().invoke(phone, flags)
    assert ("OpenID metadata: http://127.0.0.1:" in done.stderr) is bool(signed)


@pytest.mark.parametrize("face", [[], ["--script", "FILE"], ["--calls", "1"]])
async def test_who_calls_and_in_which_language_is_told_by_every_face(face: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.call.yaml").write_text(SCRIPT)
    async with fake_bot(flow(ANSWER, MENU), flow(HANG_UP)) as bot:
        flags = ["--bot", bot.call, "--from", "29:me", "--language", "de-DE", *face]
        arguments = [str(tmp_path / "a.call.yaml") if flag == "FILE" else flag for flag in flags]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ivr", "phone", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
        )
        await process.wait()
        (me, it) = bot.told[0].json["participants"]
    assert (me["identity"], me["languageId"], it["identity"]) == ("29:me", "de-DE", "28:development")
