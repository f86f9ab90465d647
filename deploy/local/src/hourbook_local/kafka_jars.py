"""Kafka's jars from Maven, once a user: copied, and their classes archived, outside any clone.

The class archive (AppCDS) halves the broker's start; it belongs to one Java and one class path.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hourbook_local import prerequisites
from hourbook_local.children import StackError, last_lines

KAFKA_VERSION = "4.4.0"
_POM = Path(__file__).with_name("kafka-pom.xml")


@dataclass(frozen=True)
class Jars:
    """What starts a broker: a Java, an explicit and sorted class path, and an archive of it."""

    java: str
    class_path: str
    archive: Path

    def command(self, main_class: str, *arguments: str, vm: tuple[str, ...] = ()) -> list[str]:
        return [self.java, *vm, "-cp", self.class_path, main_class, *arguments]


def cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "hourbook" / f"kafka-{KAFKA_VERSION}"


def installed(folder: Path | None = None) -> Jars:
    """The jars, fetched when they are not there yet; several processes may ask at once."""
    folder = folder or cache()
    java, version = _java()
    libraries = folder / "libs"
    if not libraries.exists():
        with _alone(folder):
            if not libraries.exists():
                _fetch(libraries)
    class_path = ":".join(sorted(str(jar) for jar in libraries.glob("*.jar")))
    return Jars(java, class_path, folder / f"classes-java-{version}.jsa")


@contextmanager
def alone_in(jars: Jars) -> Iterator[None]:
    """For making the archive: one process at a time."""
    with _alone(jars.archive.parent):
        yield


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(libraries: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise StackError(
            "Apache Maven (mvn) is missing, Kafka's jars come through it:"
            " run `python -m hourbook_local.prerequisites`"
        )
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=libraries.parent) as work:
        copied, log = Path(work) / "libs", Path(work) / "maven.log"
        with log.open("wb") as out:
            done = subprocess.run(  # noqa: S603 -- our own program, our own arguments
                [
                    *(maven, "-B", "-q", "-f", str(_POM), "dependency:copy-dependencies"),
                    *("-DincludeScope=runtime", f"-DoutputDirectory={copied}"),
                ],
                cwd=work,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode != 0:
            raise StackError(f"Maven could not fetch Kafka {KAFKA_VERSION}:\n{last_lines(log)}")
        copied.rename(libraries)  # whole or not at all


def _java() -> tuple[str, str]:
    """Path and full version: an archive made by another build of Java is not used."""
    java = prerequisites.java_path()
    version = prerequisites.java_version(java) if java else None
    if java is None or version is None or not prerequisites.is_new_enough(version):
        raise StackError(
            f"Java {prerequisites.JAVA_VERSION_MIN} or newer is needed to run Kafka,"
            f" found {version or 'none'}: run `python -m hourbook_local.prerequisites`"
        )
    return java, version
