"""What is known of the names at one place of a flow, and the mistakes that were found there."""

from collections.abc import Iterable, Mapping

from ivr.engine.expressions import tree
from ivr.engine.expressions.failure import Code, ExpressionError
from ivr.engine.expressions.narrow import narrowed
from ivr.engine.expressions.types import ANY, Type, present
from ivr.nearest import did_you_mean, only_near


class Proof:
    """The types of names at one place, and the mistakes found so far."""

    def __init__(self, env: Mapping[str, Type], errors: list[ExpressionError] | None = None) -> None:
        self.env = env
        self.errors: list[ExpressionError] = [] if errors is None else errors

    def where(self, test: tree.Node, *, holds: bool) -> "Proof":
        """Return the same proof at a place that is reached only if `test` holds, or fails."""
        return Proof(narrowed(self.env, test, holds=holds), self.errors)

    def wrong(self, code: Code, message: str, node: tree.Node, suggestion: str = "", start: int | None = None) -> Type:
        """Note a mistake; the type to go on with is `any`, so that one mistake is not told twice."""
        start = node.start if start is None else start
        self.errors.append(ExpressionError(code, message, start, node.end - start, suggestion))
        return ANY

    def unknown(self, message: str, node: tree.Node, name: str, known: Iterable[str]) -> Type:
        """Note a name that is not known, at the end of a node, with the one that is near."""
        start, names = max(node.start, node.end - len(name)), tuple(known)
        meant, hint = only_near(name, names), did_you_mean(name, names)
        self.errors.append(ExpressionError("undefined", message, start, node.end - start, hint, meant=meant))
        return ANY

    def needed(self, node: tree.Node, type_: Type) -> Type:
        """Note a mistake where a value may be `none` and must not; give the type of the value."""
        if not type_.optional or type_.name == "any":
            return type_
        path = tree.path(node)
        what, hint = (f'"{path}"', f'Guard it, or write "{path} or …".') if path else ("This", "")
        self.wrong("may-be-null", f"{what} may have no value here.", node, hint)
        return ANY if type_.name == "none" else present(type_)
