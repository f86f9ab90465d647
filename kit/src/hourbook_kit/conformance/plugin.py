"""`pytest --connector <file or module>`: runs the suite for the connectors it holds.

Without the option: for those that the ini option `connectors` names.
"""

import importlib
import importlib.util
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent
SUITES = {
    "source_twin": ("SOURCES", "test_source.py"),
    "target_twin": ("TARGETS", "test_target.py"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    sentence = (
        "a connector's file or module, with SOURCES or TARGETS: only the suite is run, for these"
    )
    parser.addoption("--connector", action="append", default=[], help=sentence)
    parser.addini(
        "connectors", "files or modules the suite is run for", type="linelist", default=[]
    )


def pytest_configure(config: pytest.Config) -> None:
    asked = config.getoption("--connector")
    if asked and config.args_source is not pytest.Config.ArgsSource.ARGS:
        known = [_loaded(config, place) for place in asked]
        config.args = [
            str(HERE / file)
            for name, file in SUITES.values()
            if any(hasattr(module, name) for module in known)
        ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for fixture, (name, _) in SUITES.items():
        if fixture in metafunc.fixturenames:
            found = dict(_found(metafunc.config, name))
            metafunc.parametrize(fixture, list(found.values()), ids=list(found), indirect=True)


@pytest.fixture
async def source_twin(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    async with request.param() as twin:
        yield twin


@pytest.fixture
async def target_twin(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    async with request.param() as twin:
        yield twin


def _found(config: pytest.Config, name: str) -> Iterator[tuple[str, Any]]:
    for place in config.getoption("--connector") or config.getini("connectors"):
        yield from getattr(_loaded(config, place), name, {}).items()


def _loaded(config: pytest.Config, place: str) -> ModuleType:
    """A file's module is found by its path, so that several may have one name."""
    if not place.endswith(".py"):
        return importlib.import_module(place)
    path = (config.rootpath / place).resolve()
    name = f"connector_{abs(hash(path))}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None or not path.exists():
            raise pytest.UsageError(f"--connector: there is no {place}")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
