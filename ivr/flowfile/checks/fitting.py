"""What fits a variable, in words for its author."""

from ivr.engine.flow import Variable

EXAMPLES = {
    "integer": "12",
    "decimal": "12.5",
    "boolean": "true or false",
    "date": "2026-11-24",
    "time": "09:40",
    "datetime": "2026-11-24T09:40+01:00",
}
"How a value is written, by the name of its type."


def what_fits(variable: Variable) -> str:
    """Say what can be stored in a variable."""
    if variable.values:
        return f"Possible: {', '.join(variable.values)}."
    example = EXAMPLES.get(variable.type.name)
    shape = f", such as {example}" if example else ""
    limits = [f"at least {variable.minimum}"] if variable.minimum is not None else []
    limits += [f"at most {variable.maximum}"] if variable.maximum is not None else []
    return f"It is of type {variable.type}{shape}{''.join(f', {limit}' for limit in limits)}."
