"""`python -m hourbook_local.prerequisites`: Java and Maven are there, or are installed, or named.

Standard library only: it may run before anything is installed.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

JAVA_VERSION_MIN = 17
PACKAGES = {"java": "openjdk-17-jre-headless", "mvn": "maven"}
"""Debian's, by the program they bring."""


def java_path() -> str | None:
    home = os.environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").exists():
        return str(Path(home) / "bin" / "java")
    return shutil.which("java")


def java_version(java: str) -> str | None:
    """In full, as it says it itself: e.g. 17.0.15."""
    said = subprocess.run(  # noqa: S603 -- the Java that would run Kafka
        [java, "-version"], capture_output=True, text=True, check=False
    )
    found = re.search(r'version "([^"]+)"', said.stderr)
    return found[1] if found else None


def is_new_enough(version: str | None) -> bool:
    """Java 8 called itself 1.8."""
    major = re.match(r"\d+", version or "")
    return major is not None and int(major[0]) >= JAVA_VERSION_MIN


def missing() -> dict[str, str]:
    """What is not there, by program, in words."""
    lacking = {}
    java = java_path()
    version = java_version(java) if java else None
    if not is_new_enough(version):
        found = f" (found: {version})" if java else ""
        lacking["java"] = f"Java {JAVA_VERSION_MIN} or newer{found}"
    if shutil.which("mvn") is None:
        lacking["mvn"] = "Apache Maven (mvn)"
    return lacking


def main() -> int:
    lacking = missing()
    if not lacking:
        return 0
    if os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get"):
        _install([PACKAGES[program] for program in lacking])
        lacking = missing()
    if lacking:
        wanted = " and ".join(lacking.values())
        packages = " ".join(PACKAGES[program] for program in lacking)
        print(  # noqa: T201 -- the one line this program is for
            f"missing: {wanted}; Kafka needs it. On Debian: sudo apt-get install {packages}",
            file=sys.stderr,
        )
    return 1 if lacking else 0


def _install(packages: list[str]) -> None:
    wanted = " ".join(packages)
    print(f"installing {wanted} with apt-get", flush=True)  # noqa: T201 -- root should know
    quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]
    for arguments in (["update"], ["install", "--no-install-recommends", *packages]):
        done = subprocess.run(  # noqa: S603 -- our own arguments
            [*apt, *arguments], env=quietly, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            print(done.stdout[-500:], done.stderr[-500:], file=sys.stderr)  # noqa: T201 -- why not


if __name__ == "__main__":
    raise SystemExit(main())
