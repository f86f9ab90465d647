"""What the project says of itself is so."""

import re
import subprocess
from pathlib import Path

import pytest

from bench.settings import SETTINGS, variables

ROOT = Path(__file__).parent.parent


def test_every_setting_stands_in_the_readme_and_nothing_else_does() -> None:
    readme = (ROOT / "README.md").read_text()
    told = set(re.findall(r"`(HOURBOOK_[A-Z_]+)`", readme))
    there = set[str]().union(*map(variables, SETTINGS))
    assert told == there


def test_every_claim_of_the_readme_names_a_test_or_a_document_that_there_is() -> None:
    claims = (ROOT / "README.md").read_text().split("## What it claims")[1].split("\n## ")[0]
    rows = [row for row in claims.splitlines() if row.startswith("| ")][1:]
    assert rows
    for row in rows:
        held = re.findall(r"`([\w-]+/[\w/.-]+)`|\]\(([\w/.-]+)\)", row.split("|")[2])
        assert held, row
        for path in (ROOT / (test or document) for test, document in held):
            assert path.is_file() or list(path.rglob("test_*.py")), path


@pytest.mark.parametrize(
    "target",
    ["setup", "demo", "test", "check", "bench", "chaos", "manifests", "containers", "clean"],
)
def test_make_help_says_in_a_line_what_each_target_does(target: str) -> None:
    said = subprocess.run(
        ["make", "--no-print-directory", "help"],  # noqa: S607 -- whichever make there is
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert re.search(rf"^{target} +\S", said, re.MULTILINE)


def test_ci_calls_what_the_readme_calls() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert {"make check", "make manifests", "make demo ONCE=1", "make test"} <= set(
        script.splitlines()
    )
    assert script.splitlines()[-1] == "make test"  # pytest's closing line comes last
