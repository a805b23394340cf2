"""What SQL reads out of columns that hold JSON. Of one that holds something else it reads nothing, and does not fail.

`json_extract` alone fails the whole question, for all other calls too.
"""


def of_state(member: str) -> str:
    """Return the SQL for a member of a call's state; NULL: it has none, or cannot be read."""
    return _member("state", member)


def of_line(member: str) -> str:
    """Return the SQL for a member of a line of a trace; NULL: it has none, or cannot be read."""
    return _member("body", member)


def as_bytes(stored: object) -> bytes:
    """Return what stands in a column of bytes; what is something else stands for nothing that can be read."""
    return stored if isinstance(stored, bytes) else b""


def _member(column: str, member: str) -> str:
    return f"iif(json_valid({column}), json_extract({column}, '$.{member}'), NULL)"
