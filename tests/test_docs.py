"""What docs/ tells people to type and to open is there."""

import json
import re
from pathlib import Path

import pytest
import yaml
from pydantic_settings import BaseSettings
from typer.main import get_command

from bench.settings import SETTINGS, variables
from hourbook_cli.__main__ import app
from hourbook_cli.settings import DemoSettings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
COMMANDS: list[type[BaseSettings]] = [*SETTINGS, DemoSettings]
PAGES = sorted(page for page in DOCS.rglob("*.md") if "adr" not in page.parts)
OTHERS = [
    ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")
]
each = pytest.mark.parametrize(
    "page", [*PAGES, *OTHERS], ids=lambda page: str(page.relative_to(ROOT))
)


def anchors(page: Path) -> set[str]:
    """Of its headings, as the site makes them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one).strip().lower().replace(" ", "-") for one in found}


@each
def test_a_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def test_every_page_stands_in_the_sites_contents() -> None:
    contents = (ROOT / "zensical.toml").read_text()
    listed = set(re.findall(r'"([\w/-]+\.md)"', contents))
    assert all((DOCS / page).exists() for page in listed)
    there = {str(page.relative_to(DOCS)) for page in PAGES}
    assert there - listed <= {"conformance.md"}  # written by make conformance, for developers


@each
def test_a_command_that_is_named_is_there(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)) <= targets
    commands = set(get_command(app).list_commands(None))  # type: ignore[attr-defined]  # a group
    named = set(re.findall(r"(?:`|bin/|^)hourbook ([a-z][a-z-]*)", text, re.MULTILINE))
    assert named <= commands
    for script in re.findall(r"deploy/(?:compose|k8s|local|tests|containers)[\w/-]*", text):
        assert (ROOT / script).exists(), script


@each
def test_compose_knows_the_services_that_are_named(page: Path) -> None:
    services = set(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])
    options = r"(?:--?[\w-]+(?:=\S+)? )*"
    verbs = r"(?:run|exec|restart|stop|start|logs)"
    for line in page.read_text().splitlines():
        for name in re.findall(rf"docker compose {options}{verbs} {options}([a-z][\w-]*)", line):
            if name not in {"tail", "demo"}:
                assert name in services, line


@each
def test_a_variable_that_is_named_is_read(page: Path) -> None:
    known = set[str]().union(*map(variables, COMMANDS))
    compose = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    conftest = set(re.findall(r"HOURBOOK_\w+", (ROOT / "conftest.py").read_text()))
    asked = set(re.findall(r"\bHOURBOOK_[A-Z_]+[A-Z]\b", page.read_text()))
    assert asked <= known | compose | conftest | {"HOURBOOK_LOCAL"}


@each
def test_a_route_that_is_named_is_there(page: Path) -> None:
    document = json.loads((ROOT / "services/query-api/openapi.json").read_text())
    routes = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path))
        for path, operations in document["paths"].items()
        for method in operations
    }
    for method, path in re.findall(
        r"\b(GET|POST|PUT|DELETE) (/api/[\w/{}<>.-]+)", page.read_text()
    ):
        if "/webhook/" in path:
            continue  # ingest-zammad's, which has no document
        asked = re.sub(
            r"\{\w+\}|<\w+>|/(?:desk|hours)(?=/|$)",
            lambda m: "/{}" if m[0][0] == "/" else "{}",
            path,
        )
        assert (method, asked.rstrip(".")) in routes, f"{method} {path}"
