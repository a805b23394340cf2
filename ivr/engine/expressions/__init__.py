"""The expression language of flows (LANGUAGE C11): Jinja2's grammar, cut down to what can be proved and bounded.

`parse` reads a source to the nodes of `tree`; `compile` makes functions of them, once, when a flow is loaded; `check`
proves what it can before any call. `operations`, `filters` and `forms` say what an expression does, `convert` what
fits a typed variable.
"""
