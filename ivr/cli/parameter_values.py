"""`--value NAME=VALUE`: values for the parameters of a flow whose calls are placed."""

from collections.abc import Sequence
from typing import Any

import click
import msgspec

value_option = click.option(
    "--value", "values", multiple=True, metavar="NAME=VALUE", help="A value for a parameter of the flow."
)


def given_values(written: Sequence[str]) -> dict[str, Any]:
    """Read values, each JSON where it is some, else a text; raise BadParameter."""
    return dict(map(_given, written))


def _given(written: str) -> tuple[str, Any]:
    name, equals, text = written.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{written} is not NAME=VALUE", param_hint="--value")
    try:
        return name, msgspec.json.decode(text)
    except msgspec.DecodeError:
        return name, text
