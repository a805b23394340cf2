"""All checks by code, in the order of the documentation: read by it, by `allow`, and by the tests."""

from collections.abc import Mapping

from ivr.flowfile.catalogue import dialogue, proofs, reading, shape, values
from ivr.flowfile.catalogue.rule import Rule, whole

__all__ = ["GROUPS", "RULES", "Rule", "whole"]

GROUPS: Mapping[str, tuple[Rule, ...]] = {
    "Reading": reading.RULES,
    "Shape": shape.RULES,
    "Dialogue": dialogue.RULES,
    "Values": values.RULES,
    "Proofs": proofs.RULES,
}
RULES: Mapping[str, Rule] = {rule.code: rule for rules in GROUPS.values() for rule in rules}
