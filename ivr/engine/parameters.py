"""What a call that we place begins with: values for the flow's parameters, as JSON, and facts that `set` may change."""

from collections.abc import Mapping
from typing import Any, Final

from ivr.engine.events import CallPlaced
from ivr.engine.flow import Flow
from ivr.engine.language_choice import among
from ivr.engine.naming import is_of_user
from ivr.engine.scope import SETTABLE
from ivr.engine.values import MaskedValue, Value
from ivr.engine.variables import Misfit, fit
from ivr.engine.web_orders import Misshapen, shaped

_WRITTEN: Final = {
    "date": ", which is written 2026-12-24",
    "time": ", which is written 09:40",
    "datetime": ", which is written with its offset: 2026-12-24T09:40+01:00",
}
"How values of these types are written."


def taken(flow: Flow, event: CallPlaced) -> Mapping[str, Value]:
    """Return all that a call of ours begins with, by its name; raise Misfit. In a replay, private values are masked."""
    masked = {name: MaskedValue() for name in event.masked if not is_of_user(name)}
    return {**given(flow, event.values), **masked}


def given(flow: Flow, values: Mapping[str, Any]) -> Mapping[str, Value]:
    """Return values as the types of the flow's parameters; raise Misfit, which names the parameter and no value."""
    return {name: _given(flow, name, value) for name, value in values.items()}


def _given(flow: Flow, name: str, value: Any) -> Value:
    if name in flow.parameters:
        try:
            return fit(shaped(value, flow.variables[name].type, f'"{name}"'), flow.variables[name])
        except Misshapen as misshapen:
            raise Misfit(f"{misshapen}{_WRITTEN.get(flow.variables[name].type.name, '')}") from misshapen
        except Misfit as misfit:
            raise Misfit(f'"{name}" is {misfit}') from misfit
    if name not in SETTABLE:
        raise Misfit(f'the flow has no parameter "{name}"')
    if not isinstance(value, str) or not value:
        raise Misfit(f'"{name}" is not of type text')
    if name != "language" or not flow.languages:
        return value
    language = among(value, flow.languages)
    if language is None:
        raise Misfit(f'"{name}" is none of the flow\'s languages')
    return language
