"""What a call that we place begins with: values for the flow's parameters, as JSON, and facts that `set` may change."""

from collections.abc import Mapping
from typing import Any

from ivr.engine.flow import Flow
from ivr.engine.language_choice import among
from ivr.engine.scope import SETTABLE
from ivr.engine.values import Value
from ivr.engine.variables import Misfit, fit
from ivr.engine.web_orders import Misshapen, shaped


def given(flow: Flow, values: Mapping[str, Any]) -> Mapping[str, Value]:
    """Return values as the types of the flow's parameters; raise Misfit, which names the parameter and no value."""
    return {name: _given(flow, name, value) for name, value in values.items()}


def _given(flow: Flow, name: str, value: Any) -> Value:
    if name in flow.parameters:
        try:
            return fit(shaped(value, flow.variables[name].type, f'"{name}"'), flow.variables[name])
        except Misshapen as misshapen:
            raise Misfit(str(misshapen)) from misshapen
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
