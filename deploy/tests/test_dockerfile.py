"""The Dockerfile keeps what it promises, without an engine to ask."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

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
    assert len(re.findall(r"^    \./install-locked contracts kit ", TEXT, re.MULTILINE)) == len(
        IMAGES
    )
    (uv,) = [line for line in TEXT.splitlines() if "pip install" in line]
    assert "--require-hashes" in uv


@pytest.mark.parametrize(
    ("doctored", "refusal"),
    [
        (lambda _: "", "must have a hash"),
        (lambda pydantic: re.sub(r"sha256:.{8}", "sha256:00000000", pydantic), "Hash mismatch"),
    ],
    ids=["not in the lock", "other than in the lock"],
)
def test_a_package_that_the_lock_does_not_know_is_refused(
    tmp_path: Path, doctored: Callable[[str], str], refusal: str
) -> None:
    for name in ("contracts", "requirements.lock", "deploy/containers/install-locked"):
        source, there = ROOT / name, tmp_path / Path(name).name
        shutil.copytree(source, there) if source.is_dir() else shutil.copy(source, there)
    lock = tmp_path / "requirements.lock"
    stanzas = re.split(r"^(?=\S)", lock.read_text(), flags=re.MULTILINE)
    lock.write_text(
        "".join(doctored(one) if one.startswith("pydantic==") else one for one in stanzas)
    )
    app, cache = tmp_path / "app", tmp_path / "cache"
    run(sys.executable, "-m", "venv", "--without-pip", app)
    done = subprocess.run(  # noqa: S603 -- our own script
        [tmp_path / "install-locked", "contracts"],
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "UV_PYTHON": str(app),
            "UV_CACHE_DIR": str(cache),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert refusal in done.stderr


def test_whoever_runs_it_is_nobody_in_particular() -> None:
    base = TEXT.split(" AS run\n")[1].split("\nFROM ")[0]
    assert re.search(r"^USER 10001:10001$", base, re.MULTILINE)
    assert "USER root" not in TEXT
