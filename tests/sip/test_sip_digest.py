"""Digest authentication: the vectors of the RFCs, replay, and what a stranger may send."""

import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ivr.sip import digest
from ivr.sip.digest import NONCE_SECONDS, NonceCounts, challenges, credentials, is_stale, verify
from ivr.sip.message import Headers, Response

SECRET = b"a secret of the process"
PASSWORDS = {"alice": "sesame", 'b"ob': "\\"}


def challenge(*values: str, status: int = 401) -> Response:
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    return Response(status, "Unauthorized", Headers.of(*((name, value) for value in values)))


def proof(*values: str, user: str = "alice", password: str = "sesame", count: int = 1, cnonce: str = "c1") -> str:
    found = credentials(
        challenge(*values), user=user, password=password, method="INVITE", uri="sip:h", cnonce=cnonce, count=count
    )
    assert found is not None
    return found[1]


def verdict(authorization: str, *, now: float = 100.0, counts: NonceCounts | None = None, **changed: Any) -> str:
    arguments: dict[str, Any] = {"method": "INVITE", "realm": "ivr", "password_of": PASSWORDS.get, "secret": SECRET}
    return verify(authorization, now=now, counts=NonceCounts() if counts is None else counts, **arguments | changed)


def asked(now: float = 100.0, **options: Any) -> tuple[str, ...]:
    return challenges("ivr", secret=SECRET, now=now, **options)


RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_vectors_of_rfc_7616(algorithm: str, response: str) -> None:
    """RFC 7616 3.9.1."""
    found = credentials(
        challenge(RFC_7616.format(algorithm)), user="Mufasa", password="Circle of Life", method="GET",
        uri="/dir/index.html", cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )  # fmt: skip
    assert found is not None
    assert found[0] == "Authorization"
    assert found[1] == (
        'Digest username="Mufasa", realm="http-auth@example.org", '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", '
        f'response="{response}", algorithm={algorithm}, qop=auth, nc=00000001, '
        'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )


def test_the_vector_of_rfc_2617() -> None:
    """RFC 2617 3.5; and the same without `qop`, which RFC 2069 did not have."""
    values = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    arguments: dict[str, Any] = {
        "user": "Mufasa",
        "password": "Circle Of Life",
        "method": "GET",
        "uri": "/dir/index.html",
    }
    found = credentials(challenge(values + ', qop="auth"', status=407), cnonce="0a4f113b", **arguments)
    assert found is not None
    assert found[0] == "Proxy-Authorization"
    assert 'response="6629fae49393a05397450978507c4ef1"' in found[1]
    assert "algorithm" not in found[1]
    old = credentials(challenge(values), cnonce="0a4f113b", **arguments)
    assert old is not None
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in old[1]
    assert "nc=" not in old[1]
    assert "cnonce" not in old[1]


def test_the_stronger_algorithm_is_taken() -> None:
    """RFC 8760 2.4: the client takes the topmost that it knows, and ours are sent with the stronger on top."""
    both = asked()
    assert [value.partition("algorithm=")[2].partition(",")[0] for value in both] == ["SHA-256", "MD5"]
    assert "algorithm=SHA-256" in proof(*reversed(both))
    assert "algorithm=MD5" in proof(both[1])
    assert "algorithm=MD5" in proof('Digest realm="ivr", nonce="1", algorithm=SHA-512-256, qop="auth"', both[1])


@pytest.mark.parametrize(
    "values",
    [(), ("Basic realm=x",), ('Digest realm="x"',), ('Digest realm="x", nonce="1", qop="auth-int"',),
     ('Digest realm="x", nonce="1", algorithm=SHA-512',), ('Digest realm="x", nonce="1",, x',), ("Digest ",),
     ('Digest realm="x", nonce="1", nonce="2"',)],
)  # fmt: skip
def test_a_challenge_that_cannot_be_answered(values: tuple[str, ...]) -> None:
    arguments: dict[str, Any] = {"user": "u", "password": "p", "method": "INVITE", "uri": "sip:h", "cnonce": "c"}
    assert credentials(challenge(*values), **arguments) is None


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("user", PASSWORDS)
def test_who_knows_the_password_is_let_in(index: int, user: str) -> None:
    assert verdict(proof(asked()[index], user=user, password=PASSWORDS[user])) == "ok"


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "BYE"},
        {"realm": "other"},
        {"algorithms": ("MD5",)},
        {"password_of": lambda _: None},
        {"password_of": {"alice": "Sesame"}.get},
    ],
)
def test_what_does_not_fit_is_refused(changed: dict[str, Any]) -> None:
    good = proof(*asked())
    assert verdict(good) == "ok"
    assert verdict(good, **changed) == "refused"


@pytest.mark.parametrize(
    ("count", "cnonce"), [("1", "c"), ("0000000g", "c"), ("000000001", "c"), ("00000001", "c" * 513), ("", "c")]
)
def test_a_right_password_does_not_excuse_a_count_or_a_nonce_that_cannot_be(count: str, cnonce: str) -> None:
    good = digest._fields_of(proof(*asked()))
    assert good is not None
    made = replace(good, count=count, cnonce=cnonce)
    answer = digest._response(made, "INVITE", "sesame")
    text = (
        f'Digest username="alice", realm="ivr", nonce="{made.nonce}", uri="sip:h", response="{answer}", qop=auth, '
        f'algorithm=SHA-256, nc={count or chr(34) * 2}, cnonce="{cnonce}"'
    )
    assert verdict(text) == "refused"


def test_who_names_no_algorithm_means_md5() -> None:
    """RFC 7616 3.4: the default."""
    assert verdict(proof(asked()[1].replace("algorithm=MD5, ", ""))) == "ok"


def test_no_password_is_not_an_empty_password() -> None:
    assert verdict(proof(*asked(), user="nobody", password="")) == "refused"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('username="alice"', 'username="alicia"'),
        ('uri="sip:h"', 'uri="sip:x"'),
        ("nc=00000001", "nc=1"),
        ("nc=00000001", "nc=00000002"),
        ("qop=auth", "qop=auth-int"),
        (", qop=auth", ""),
        ('cnonce="c1"', 'cnonce="c2"'),
        ("algorithm=SHA-256", "algorithm=MD5"),
        ("algorithm=SHA-256, ", ""),
        ("Digest ", "Basic "),
        ('realm="ivr"', 'realm="ivr", realm="ivr"'),
        ('cnonce="c1"', f'cnonce="{"c" * 513}"'),
        ('response="', 'response="0'),
        ('response="', 'response="ä'),
    ],
)
def test_an_authorization_that_was_changed_is_refused(old: str, new: str) -> None:
    assert old in proof(*asked())
    assert verdict(proof(*asked()).replace(old, new, 1)) == "refused"


def test_as_much_is_worked_out_for_a_user_who_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long an answer takes says neither who exists nor how much of a digest was right."""
    hashed: list[bytes] = []
    compared: list[bytes] = []
    md5, compare = hashlib.md5, hmac.compare_digest
    monkeypatch.setattr(hashlib, "md5", lambda data, **rest: hashed.append(data) or md5(data, **rest))
    monkeypatch.setattr(hmac, "compare_digest", lambda one, other: compared.append(one) or compare(one, other))
    counts = []
    for user in ("nobody", "alice"):
        answer = proof(asked()[1], user=user, password="wrong")
        hashed.clear()
        compared.clear()
        assert verdict(answer) == "refused"
        counts.append((len(hashed), len(compared)))
    assert counts == [(3, 1), (3, 1)]


def test_an_old_nonce_is_stale_only_with_the_right_password() -> None:
    """RFC 7616 3.3."""
    value = asked()[0]
    assert verdict(proof(value), now=100 + NONCE_SECONDS) == "ok"
    assert verdict(proof(value), now=101 + NONCE_SECONDS) == "stale"
    assert verdict(proof(value, password="wrong"), now=101 + NONCE_SECONDS) == "refused"
    assert verdict(proof(value), secret=b"another process") == "stale"
    assert verdict(proof(value), now=50) == "stale"
    made_up = 'Digest realm="ivr", nonce="{}", algorithm=SHA-256, qop="auth"'
    for nonce in ("", "zz", "0", "5f5e100-" + "0" * 32, "f" * 17, "5f5e100-ä"):
        assert verdict(proof(made_up.format(nonce))) == "stale"


def test_a_nonce_is_good_for_its_own_algorithm_alone() -> None:
    """The nonce of SHA-256 in an answer with MD5: someone changed the challenge on its way."""
    value = asked()[0].replace("SHA-256", "MD5")
    assert verdict(proof(value)) == "stale"


def test_a_challenge_says_when_only_the_nonce_was_old() -> None:
    assert is_stale(challenge(*asked(stale=True)))
    assert is_stale(challenge(*asked(stale=True), status=407))
    assert not is_stale(challenge(*asked()))
    assert not is_stale(challenge("Basic realm=x"))


def test_a_proof_counts_once() -> None:
    """RFC 7616 3.4.5: the nonce count must rise."""
    counts = NonceCounts()
    first, second, third = (proof(*asked(), count=count) for count in (1, 2, 3))
    assert [verdict(each, counts=counts) for each in (first, first, third, second, third)] == [
        "ok", "refused", "ok", "refused", "refused",
    ]  # fmt: skip
    other = proof(*asked(), cnonce="c2")
    assert [verdict(each, counts=counts) for each in (other, other)] == ["ok", "refused"]


def test_counts_are_kept_as_long_as_they_can_be_used_and_never_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "MOST_COUNTS", 3)
    counts = NonceCounts()
    for number in range(4):
        assert verdict(proof(*asked(), cnonce=f"c{number}"), counts=counts) == ("ok" if number < 3 else "stale")
    assert verdict(proof(*asked(), password="wrong", cnonce="x"), counts=counts) == "refused"
    assert len(counts) == 3
    assert verdict(proof(*asked(140)), now=140, counts=counts) == "ok"
    assert len(counts) == 1


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80) | st.lists(
    st.sampled_from(['username="alice"', "realm=ivr", 'nonce="1"', "nc=00000001", "qop=auth", 'cnonce="', "=", ",",
                     'response="x"', "uri=sip:h", "algorithm=MD5", "algorithm=x"])
).map(lambda parts: "Digest " + ",".join(parts)))  # fmt: skip
def test_any_authorization_is_refused(text: str) -> None:
    assert verdict(text) == "refused"
    credentials(challenge(text), user="u", password="p", method="INVITE", uri="sip:h", cnonce="c")
    is_stale(challenge(text))
