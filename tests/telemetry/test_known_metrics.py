"""The metrics, and the page that explains them, name the same."""

import re
from pathlib import Path

from ivr.server.telemetry.families import SHARED
from tests.telemetry.known import all_families

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "monitoring.md").read_text("utf-8")


def test_every_metric_is_explained_with_its_labels_and_no_other() -> None:
    rows = re.findall(r"^\| (`ivr_[^|]*) \|([^|]*)\| (.*) \|$", PAGE, re.MULTILINE)
    explained = {
        name: tuple(re.findall(r"`(\w+)`", labels))
        for names, labels, _ in rows
        for name in re.findall(r"`(\w+)`", names)
    }
    assert explained == {one.name: one.labels for one in all_families()}


def test_what_all_servers_share_is_marked() -> None:
    marked = re.findall(r"^\| (`ivr_[^|]*) \|[^|]*\| \*store\*", PAGE, re.MULTILINE)
    assert {name for names in marked for name in re.findall(r"`(\w+)`", names)} == set(SHARED)


def test_names_are_as_prometheus_wants_them() -> None:
    for one in all_families():
        assert re.fullmatch(r"ivr_[a-z_]+", one.name)
        assert (one.kind == "counter") == one.name.endswith("_total")
        assert one.meaning.endswith(".")
