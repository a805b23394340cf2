"""Guards as formulas: `and`, `or`, `not` over *atoms*, each of which holds or does not (LANGUAGE C11).

What an atom is about is known to `domains`; here it is only true, false, or not known (None).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from ivr.engine.expressions import tree


class Formula(Struct, frozen=True):
    """A guard, or a part of one."""

    sort: Literal["and", "or", "not", "atom"]
    node: tree.Node
    "Where it stands."
    parts: "tuple[Formula, ...]" = ()


def formula(node: tree.Node) -> Formula:
    """Make a formula of a condition."""
    match node:
        case tree.Both(left=left, right=right):
            return Formula("and", node, (formula(left), formula(right)))
        case tree.Either(left=left, right=right):
            return Formula("or", node, (formula(left), formula(right)))
        case tree.Negation(of=of):
            return Formula("not", node, (formula(of),))
        case tree.Conditional(then=then, test=test, otherwise=otherwise):
            yes, no = formula(test), Formula("not", test, (formula(test),))
            branches = (Formula("and", then, (yes, formula(then))), Formula("and", otherwise, (no, formula(otherwise))))
            return Formula("or", node, branches)
        case tree.Comparison(first=first, rest=rest) if len(rest) > 1:
            sides = (first, *(compared.value for compared in rest))
            links = (_link(left, compared) for left, compared in zip(sides, rest, strict=False))
            return Formula("and", node, tuple(Formula("atom", link) for link in links))
        case _:
            return Formula("atom", node)


def _link(left: tree.Node, compared: tree.Compared) -> tree.Node:
    return tree.Comparison(left.start, compared.end, left, (compared,))


def atoms(whole: Formula) -> Iterator[tree.Node]:
    """Go through the atoms of a formula; one that is written twice comes twice."""
    if whole.sort == "atom":
        yield whole.node
    for part in whole.parts:
        yield from atoms(part)


class TruthValues(Struct):
    """Whether a part of a guard was ever true, and ever false, in all that was tried."""

    true: bool = False
    false: bool = False


def judge(whole: Formula, values: Mapping[object, bool | None], verdicts: dict[int, TruthValues]) -> bool | None:
    """Return the value of a formula where its atoms have these, and note it for all its parts."""
    value: bool | None
    if whole.sort == "atom":
        value = values[tree.meaning(whole.node)]
    else:
        value = _joined(whole.sort, [judge(part, values, verdicts) for part in whole.parts])
    verdict = verdicts.setdefault(id(whole), TruthValues())
    verdict.true |= value is not False
    verdict.false |= value is not True
    return value


def _joined(sort: Literal["and", "or", "not"], parts: Sequence[bool | None]) -> bool | None:
    if sort == "not":
        return None if parts[0] is None else not parts[0]
    decisive = sort == "or"
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive
