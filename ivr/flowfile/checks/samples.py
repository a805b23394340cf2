"""Texts, numbers and truths that stand for all others, as far as a guard can distinguish them."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import combinations, pairwise

from ivr.engine.expressions import tree
from ivr.engine.expressions.types import Type
from ivr.engine.flow import Variable
from ivr.engine.values import Value
from ivr.engine.variables import Misfit, fit

MOST_PIECES = 9
"Texts in a guard that may be pieces of one text: all combinations of them are tried."
_FRESH = ("\ue000", "\ue001", "\ue002")
"Texts that do not occur in flows: they stand for all that no guard names."
_RANGES = {"confidence": (0, 1), "seconds": (0, None), "visits": (0, None)}
"What numbers can be that are no variables, by the last or the first word of their path."


class Samples:
    """Values for what is neither a day nor a time; `variables` say what theirs can be."""

    def __init__(self, variables: Mapping[str, Variable]) -> None:
        self.variables = variables

    def of(self, path: str, type_: Type, parts: Sequence[tree.Node], kept: Sequence[Value]) -> Sequence[Value]:
        """Return values for what varies, tried beside the `parts` of its guard and the constants `kept` in variables.

        `path` is empty for what has no name. Without values it is not known which would do.
        """
        written = [*kept, *(part.value for part in parts if isinstance(part, tree.Constant))]
        match type_.name:
            case "boolean":
                return [True, False]
            case "text":
                return self._texts(path, {value for value in written if isinstance(value, str)}, parts)
            case "integer" | "decimal":
                numbers = {Decimal(value) for value in written if isinstance(value, int | Decimal)}
                values = _whole(numbers) if type_.name == "integer" else _broken(numbers)
                return [value for value in values if self._can_be(path, value)]
            case "list":
                return ["something", ""]
            case "any" | "mixed" | "none":
                return []
            case _:
                return ["something", None]  # nothing but whether it is there can be asked

    def _texts(self, path: str, texts: set[str], parts: Sequence[tree.Node]) -> Sequence[Value]:
        variable = self.variables.get(path)
        if variable is not None and variable.values:
            return sorted({*texts, *variable.values})
        if any(isinstance(part, tree.Filtered) for part in parts):  # it may change their letters
            texts = {*texts, *(changed for text in texts for changed in (text.lower(), text.upper(), f" {text}"))}
        if not any(map(_looks_for_piece, parts)):
            return [*sorted({*texts, ""}), *_FRESH]
        if len(texts) > MOST_PIECES:
            return []
        return [_FRESH[0].join(some) for size in range(len(texts) + 1) for some in combinations(sorted(texts), size)]

    def _can_be(self, path: str, value: int | Decimal) -> bool:
        if path in self.variables:
            try:
                fit(value, self.variables[path])
            except Misfit:
                return False
        words = path.split(".")
        least, most = _RANGES.get(words[-1]) or _RANGES.get(words[0]) or (None, None)
        return (least is None or value >= least) and (most is None or value <= most)


def _whole(numbers: set[Decimal]) -> Iterator[int]:
    around = {int(number // 1) + by for number in numbers for by in range(-2, 4)}
    yield from sorted({0, 1, 2, 3, *around})


def _broken(numbers: set[Decimal]) -> Iterator[Decimal]:
    ordered = sorted({*numbers, Decimal(0), Decimal(1)})
    steps = [ordered[0] - 2, ordered[0] - 1, *ordered, ordered[-1] + 1, ordered[-1] + 2]
    yield from steps
    yield from (one + (two - one) * part / 3 for one, two in pairwise(steps) for part in (1, 2))


def _looks_for_piece(part: tree.Node) -> bool:
    return (
        isinstance(part, tree.Compared)
        and part.comparator in {"in", "not in"}
        and not isinstance(part.value, tree.Listed)
    )
