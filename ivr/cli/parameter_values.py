"""`--value NAME=VALUE`: values for the parameters of a flow whose calls are placed."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
import msgspec

from ivr.engine.flow import Flow
from ivr.engine.naming import is_of_user
from ivr.engine.values import Stored, pack
from ivr.engine.variables import Misfit, fit
from ivr.engine.web_orders import Misshapen, shaped
from ivr.nearest import did_you_mean

value_option = click.option(
    "--value", "values", multiple=True, metavar="NAME=VALUE", help="A value for a parameter of the flow."
)


def given_values(written: Sequence[str]) -> dict[str, Any]:
    """Read values, each JSON where it is some, else a text; raise BadParameter."""
    return dict(map(_given, written))


def of_user(flow: Flow, written: Sequence[str]) -> tuple[Mapping[str, Stored], Sequence[str]]:
    """Return what is kept of the caller by `user.NAME=VALUE`, null for what is not given; and the other values.

    Raises BadParameter.
    """
    found: dict[str, Stored] = dict.fromkeys(sorted(flow.remembered))
    others = [one for one in written if not is_of_user(one.partition("=")[0])]
    for name, value in (_given(one) for one in written if one not in others):
        if name not in found:
            advice = did_you_mean(name, found)
            raise click.BadParameter(f"the flow keeps no {name} of callers. {advice}".rstrip(), param_hint="--value")
        variable = flow.variables[name]
        try:
            found[name] = pack(fit(shaped(value, variable.type, name), variable))
        except (Misshapen, Misfit) as wrong:
            raise click.BadParameter(f"{name}: {wrong}", param_hint="--value") from wrong
    return found, others


def _given(written: str) -> tuple[str, Any]:
    name, equals, text = written.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{written} is not NAME=VALUE", param_hint="--value")
    try:
        return name, msgspec.json.decode(text)
    except msgspec.DecodeError:
        return name, text
