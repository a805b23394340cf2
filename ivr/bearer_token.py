"""The token of a door that one client knows, such as that of `POST /calls` (RFC 6750, 2.1)."""

import hmac
from collections.abc import Sequence


def is_borne(fields: Sequence[str], token: bytes) -> bool:
    """Return whether the `Authorization` fields of a request are one, with this token; in a time that tells nothing.

    A field is a stranger's text: bytes that are no UTF-8 stand in it as surrogates. Of two fields none counts, since
    who reads the first and who reads the last would see different senders.
    """
    scheme, _, given = (fields[0] if len(fields) == 1 else "").partition(" ")
    right = hmac.compare_digest(given.strip().encode("utf-8", "surrogatepass"), token)
    return right and scheme.lower() == "bearer"
