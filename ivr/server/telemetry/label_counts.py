"""Counts by labels, of which there are never more than so many."""

MOST = 1000
"Combinations of labels of one metric: a monitoring system keeps a row for each, for ever."
OTHER = "other"
"What stands for further ones."


class LabelCounts(dict[tuple[str, ...], int]):
    """How often something was counted, by its labels.

    Labels are names of ours and of flow files. Those change as flows are edited, so even they have a limit.
    """

    def count(self, *labels: str, by: int = 1) -> None:
        """Count something once, or so many times."""
        if labels not in self and len(self) >= MOST:
            labels = (OTHER,) * len(labels)
        self[labels] = self.get(labels, 0) + by
