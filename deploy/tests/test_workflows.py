"""The project's own workflows: pinned, with no more rights than needed, and calling what the README calls."""

import re
from pathlib import Path

import pytest
import yaml

from deploy.tests.known import ROOT, SERVICES, run, tool

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
each = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def test_the_linters_find_nothing() -> None:
    run(tool("zizmor"), "--offline", "--quiet", ".github")
    check = tool("check-jsonschema"), "--builtin-schema"
    run(*check, "vendor.github-workflows", *WORKFLOWS)
    run(*check, "vendor.dependabot", ".github/dependabot.yml")


@each
def test_an_action_is_pinned_by_its_commit_and_says_its_version(path: Path) -> None:
    for line in re.findall(r"uses: (.*)", path.read_text()):
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v[\d.]+", line), line


def test_every_image_of_the_dockerfile_is_released() -> None:
    release = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
    released = release["jobs"]["images"]["strategy"]["matrix"]["image"]
    targets = re.findall(
        r"^FROM (?:run|\$\{NGINX\}) AS (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    assert sorted(released) == sorted(targets)
    assert set(SERVICES) < set(released)


def test_what_runs_there_are_make_targets_that_there_are() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in WORKFLOWS:
        for target in re.findall(r"\bmake ([a-z-]+)", path.read_text()):
            assert target in targets
