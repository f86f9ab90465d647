"""An alarm asks for something that is measured, and says what to do."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY

from deploy.tests.known import ROOT
from deploy.tests.rendered import Object, named, of_kind, render

MONITORING = ROOT / "deploy/k8s/monitoring"
PACKAGES = ("hourbook_kit", "hourbook_ingest_zammad", "hourbook_reconciler", "hourbook_query_api")
FROM_PROMETHEUS = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}
RUNBOOKS = "https://hourbook.github.io/hourbook/runbooks/"


def rules() -> list[Object]:
    (found,) = yaml.safe_load_all((MONITORING / "rules.yaml").read_text())
    (group,) = found["spec"]["groups"]
    return list(group["rules"])


def dashboards() -> dict[str, Object]:
    return {
        file.name: json.loads(file.read_text()) for file in (MONITORING / "dashboards").iterdir()
    }


def expressions() -> Iterator[str]:
    for rule in rules():
        yield rule["expr"]
    for board in dashboards().values():
        for panel in board["panels"]:
            yield from (target["expr"] for target in panel["targets"])


def measured() -> set[str]:
    """Every series that our processes tell."""
    for package in PACKAGES:
        found = importlib.import_module(package)
        for module in pkgutil.iter_modules(found.__path__, f"{package}."):
            if module.name.endswith((".metrics", ".figures", ".health")):
                importlib.import_module(module.name)
    names = set[str]()
    for family in REGISTRY.collect():
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
        names |= {family.name + suffix for suffix in suffixes.get(family.type, ("",))}
    return names


def test_what_an_alarm_or_a_picture_asks_for_is_measured() -> None:
    known = measured() | FROM_PROMETHEUS
    for expression in expressions():
        promql_parser.parse(expression)
        words = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\b(by|on) \([^)]*\)', " ", expression)
        asked = set(re.findall(r"\b(?:hourbook_\w+|process_\w+|up)\b", words + expression))
        assert asked, expression
        assert asked <= known, f"{asked - known} in {expression}"


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alarm_says_in_a_sentence_what_is_and_where_to_read_on(rule: Object) -> None:
    assert re.fullmatch(r"Hourbook[A-Z]\w+", rule["alert"])
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert rule["annotations"]["summary"].endswith(".")
    link = rule["annotations"]["runbook_url"]
    assert link.startswith(RUNBOOKS)
    page = ROOT / "docs/runbooks" / f"{link.removeprefix(RUNBOOKS).strip('/')}.md"
    assert f"`{rule['alert']}`" in page.read_text()


def test_whom_prometheus_asks_is_there() -> None:
    objects = render("production", ".")
    names = {
        name
        for monitor in of_kind(objects, "ServiceMonitor")
        for name in [
            *monitor["spec"]["selector"].get("matchLabels", {}).values(),
            *(
                value
                for one in monitor["spec"]["selector"].get("matchExpressions", [])
                for value in one["values"]
            ),
        ]
    }
    assert names == {"ingest-zammad", "reconciler", "push-kimai", "query-api", "jobs"}
    for name in names:
        service = named(objects, "Service", name)
        assert service["metadata"]["labels"]["app.kubernetes.io/name"] == name
        assert [port["name"] for port in service["spec"]["ports"]] == ["http"]


@pytest.mark.parametrize(("name", "board"), dashboards().items())
def test_a_dashboard_has_a_name_of_its_own_and_no_overlapping_panels(
    name: str, board: Object
) -> None:
    assert board["uid"].startswith("hourbook")
    assert name in named(render("production", "."), "ConfigMap", "hourbook-dashboards")["data"]
    places = set[tuple[int, int]]()
    for panel in board["panels"]:
        at = panel["gridPos"]
        mine = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not mine & places
        places |= mine
