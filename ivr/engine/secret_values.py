"""Secrets of the operator's settings, by name: a flow names them, and no text that is made here shows one (C11)."""

from collections.abc import Iterator, Mapping
from typing import Final

SECRETS: Final = "secrets"
"The fact that guards alone can read, and that an order names (LANGUAGE C11)."


class Secrets(Mapping[str, str]):
    """Secrets that are never written out by accident: not in a log, not in an error, not in a test that fails."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(values or {})

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Secrets({', '.join(sorted(self._values))})"
