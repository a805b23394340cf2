"""Tokens of the chat on a page: what was changed, made up, or is for something else is no token."""

import base64
import json

import pytest
from msgspec.structs import replace

from ivr.auth.page_tokens import LONGEST, Grant, PageTokens, Purpose
from ivr.errors import WebhookError

NOW = 1_800_000_000.0
TOKENS = PageTokens(b"k" * 32)
TALK = Grant("talk", "user-1", "desk", "https://www.example.com", NOW + 60, "conversation-1", NOW)


def status(token: str, purpose: Purpose = "talk", now: float = NOW) -> int:
    try:
        TOKENS.read(token, purpose, now=now)
    except WebhookError as error:
        return error.status
    return 200


def test_a_token_grants_what_it_was_made_for_until_its_end() -> None:
    token = TOKENS.issue(TALK)
    assert TOKENS.read(token, "talk", now=NOW) == TALK
    assert status(token, now=NOW + 59.9) == 200
    assert status(token, now=NOW + 60) == 401
    assert status(token, "begin") == 401
    assert token.isascii()
    assert "=" not in token


def test_the_same_key_reads_it_after_a_restart_and_no_other_key_does() -> None:
    token = TOKENS.issue(TALK)
    assert PageTokens(b"k" * 32).read(token, "talk", now=NOW) == TALK
    with pytest.raises(WebhookError):
        PageTokens(b"x" * 32).read(token, "talk", now=NOW)


def forged(**claims: object) -> str:
    made = {"purpose": "talk", "user": "u", "flow": "", "site": "", "ends": NOW + 60, **claims}
    return base64.urlsafe_b64encode(json.dumps(made).encode()).rstrip(b"=").decode()


GOOD = TOKENS.issue(TALK)
CLAIMS, _, PROOF = GOOD.partition(".")
OTHER = TOKENS.issue(replace(TALK, conversation="conversation-2"))


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "x.y",
        "Bearer " + GOOD,
        CLAIMS,
        f"{CLAIMS}.",
        f".{PROOF}",
        f"{CLAIMS}.{PROOF[:-4]}",
        f"{CLAIMS}.{PROOF}.{PROOF}",
        f"{CLAIMS}=.{PROOF}",
        f"{GOOD}\n",
        f"{OTHER.partition('.')[0]}.{PROOF}",
        f"{forged()}.{PROOF}",
        f"{forged(ends=1e18)}.",
        f"{forged()}.{forged()}",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1In0.",
        "\ud800.\udcff",
        "é.é",
        "A" * (LONGEST + 1),
        GOOD.swapcase(),
    ],
)
def test_what_is_none_of_ours_is_refused(token: str) -> None:
    assert status(token) == 401


def test_a_proof_is_of_all_letters_of_the_claims() -> None:
    for place in range(len(CLAIMS)):
        changed = CLAIMS[:place] + ("A" if CLAIMS[place] != "A" else "B") + CLAIMS[place + 1 :]
        assert status(f"{changed}.{PROOF}") == 401
