"""What is read out of a key set, and what is left out."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.auth.jwks import keys_address, public_keys, read_keys
from tests.fakes.identity import jwk, private_key

GOOD = jwk("good", private_key(0))


def kids(*keys: Any) -> set[str]:
    return set(public_keys(read_keys(msgspec.json.encode({"keys": [*keys, GOOD]})))) - {"good"}


def test_a_key_in_microsofts_spelling_is_read() -> None:
    x5c = {**jwk("a", private_key(1)), "x5t": "a", "x5c": ["MII"]}
    assert kids(x5c) == {"a"}


def test_a_byte_order_mark_before_the_json_means_nothing() -> None:
    mark = b"\xef\xbb\xbf"
    assert set(public_keys(read_keys(mark + msgspec.json.encode({"keys": [GOOD]})))) == {"good"}
    address = "https://keys.example/keys"
    assert keys_address(mark + msgspec.json.encode({"issuer": "x", "jwks_uri": address})) == address


@pytest.mark.parametrize(
    "changed",
    [
        {"kty": "EC"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"use": "enc"},
        {"kid": 1},
        {"kid": None},
        {"n": ""},
        {"n": "???"},
        {"n": "é"},
        {"n": "A"},
        {"n": GOOD["n"][:300]},
        {"n": "f" * 5000},
        {"e": "AA"},
        {"e": "Ag"},
        {"e": "f" * 100},
    ],
)
def test_a_key_of_another_kind_too_weak_or_too_costly_is_left_out(changed: dict[str, Any]) -> None:
    assert kids({**jwk("a", private_key(1)), **changed}) == set()


def test_the_first_of_two_keys_with_one_name_counts() -> None:
    first, second = jwk("a", private_key(1)), jwk("a", private_key(2))
    keys = public_keys(read_keys(msgspec.json.encode({"keys": [first, second]})))
    assert keys == {"a": private_key(1).public_key()}


@given(st.binary(max_size=100))
def test_any_bytes_are_a_value_error_or_an_address(body: bytes) -> None:
    for read in (keys_address, read_keys):
        with pytest.raises(ValueError):
            read(body)
