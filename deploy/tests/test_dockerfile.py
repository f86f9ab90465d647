"""The Dockerfile keeps what it promises, without an engine to ask."""

import re

import pytest

from deploy.tests.known import ROOT, SERVICES, run, tool

TEXT = (ROOT / "Dockerfile").read_text()
IMAGES = [*SERVICES, "hourbook", "twins"]


def test_the_linters_find_nothing() -> None:
    run(tool("hadolint"), "Dockerfile")
    scripts = run("git", "grep", "-lE", "^#!/(bin/sh|usr/bin/env bash)", "--", "deploy", ".ci")
    run(tool("shellcheck"), *scripts.split())


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_holds_what_was_built_and_nothing_that_builds(image: str) -> None:
    stage = re.search(
        rf"^FROM (\S+) AS {image}$(.*?)(?=^# nginx|^FROM|\Z)", TEXT, re.MULTILINE | re.DOTALL
    )
    assert stage
    assert stage[1] == "run"
    assert f"COPY --from=build-{image} /app /app" in stage[2]
    assert "RUN" not in stage[2]
    assert f'image.title="hourbook{"" if image == "hourbook" else f"-{image}"}"' in stage[2]
    assert re.search(r'^ENTRYPOINT \["', stage[2], re.MULTILINE)


def test_the_pages_are_built_from_their_lock_and_served_by_nginx_alone() -> None:
    build, serve = TEXT.split("AS build-ui\n")[1].split("AS ui\n")
    assert "npm ci --ignore-scripts" in build
    assert "COPY --from=build-ui" in serve
    assert "RUN" not in serve
    assert "USER" not in serve  # nginx-unprivileged is 101 by itself


def test_what_is_installed_is_held_to_the_locks_hashes() -> None:
    installs = [line for line in TEXT.splitlines() if "pip install" in line]
    assert len(installs) == len(IMAGES) + 1
    for line in installs:
        assert "--require-hashes" in line or "--constraints requirements.lock" in line


def test_whoever_runs_it_is_nobody_in_particular() -> None:
    base = TEXT.split(" AS run\n")[1].split("\nFROM ")[0]
    assert re.search(r"^USER 10001:10001$", base, re.MULTILINE)
    assert "USER root" not in TEXT
