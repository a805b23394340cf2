"""The dashboard and the alerts ask for metrics that exist, in queries that Prometheus' own tool accepts."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ivr.server.telemetry.families import SHARED, Family
from tests.telemetry.known import all_families

ROOT = Path(__file__).parents[2]
RULES = ROOT / "docs" / "prometheus-rules.yaml"
DASHBOARD = json.loads((ROOT / "docs" / "grafana-dashboard.json").read_text("utf-8"))
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is missing: apt-get install prometheus")
FOREIGN = {"up", "process_cpu_seconds_total", "process_resident_memory_bytes"}
"Prometheus' own, and its client's."


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def queries() -> Iterator[str]:
    for panel in panels():
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "5m").replace("$job", "ivr")


def expressions() -> list[str]:
    """Return what the alerts ask, without what they say."""
    return re.findall(r"expr: (?:>-\n)?((?:.|\n)*?)\n        (?:for|labels):", RULES.read_text("utf-8"))


def names(found: Sequence[Family]) -> list[str]:
    """Return the names of rows as a query has them: a histogram has three."""
    return [
        one.name + suffix
        for one in found
        for suffix in (("_bucket", "_sum", "_count") if one.kind == "histogram" else ("",))
    ]


def promtool(*arguments: str, folder: Path) -> str:
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_metric_that_is_asked_for_exists() -> None:
    asked = {
        name for text in [*queries(), *expressions()] for name in re.findall(r"\b(?:ivr|process)_\w+|\bup\b", text)
    }
    assert asked <= {*names(all_families()), *FOREIGN}


def test_every_metric_is_on_the_dashboard() -> None:
    shown = " ".join(queries())
    assert [one.name for one in all_families() if one.name not in shown and one.name != "ivr_store_up"] == []
    assert "ivr_store_up" in shown


def test_what_all_servers_share_is_never_summed_over_servers() -> None:
    for text in [*queries(), *expressions()]:
        for name in SHARED:
            assert not re.search(rf"sum(?: by \([^)]*\))? ?\({name}\b", text), text


def test_labels_that_are_asked_for_exist() -> None:
    labels = {label for one in all_families() for label in one.labels} | {"job", "instance", "le", "alertname"}
    for text in [*queries(), *expressions()]:
        asked = re.findall(r"(\w+)\s*!?=~?\s*\"", text)
        asked += [label for group in re.findall(r"by \(([^)]*)\)", text) for label in group.split(", ")]
        assert set(asked) <= labels, text


def test_the_dashboard_has_a_place_of_its_own_for_each_panel() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    places = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in places
                places.add((x, y))
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels())


@needs_promtool
def test_prometheus_accepts_every_query_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(queries())]
    (tmp_path / "rules.yaml").write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", "rules.yaml", folder=tmp_path)


@needs_promtool
def test_prometheus_accepts_the_alerts() -> None:
    assert f"{len(expressions())} rules found" in promtool("check", "rules", str(RULES), folder=ROOT)


@needs_promtool
def test_each_alert_comes_when_it_is_to_and_not_before(tmp_path: Path) -> None:
    shutil.copy(RULES, tmp_path)
    shutil.copy(Path(__file__).parent / "alerts_test.yaml", tmp_path)
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yaml", folder=tmp_path)


@needs_promtool
def test_an_alert_that_would_never_come_is_seen(tmp_path: Path) -> None:
    (tmp_path / RULES.name).write_text(RULES.read_text("utf-8").replace("> 300", "> 300000"))
    shutil.copy(Path(__file__).parent / "alerts_test.yaml", tmp_path)
    with pytest.raises(AssertionError, match="IvrJobsLate"):
        promtool("test", "rules", "alerts_test.yaml", folder=tmp_path)


def test_every_alert_is_tried() -> None:
    alerts = set(re.findall(r"- alert: (\w+)", RULES.read_text("utf-8")))
    tried = set(re.findall(r'alertname="(\w+)"', (Path(__file__).parent / "alerts_test.yaml").read_text("utf-8")))
    assert alerts == tried
