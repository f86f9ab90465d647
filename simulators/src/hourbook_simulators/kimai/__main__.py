"""Runs the twin: `python -m hourbook_simulators.kimai --port 8311 --state FILE --seed demo`."""

import argparse
from pathlib import Path

from hourbook_simulators.kimai.app import build
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.seeds import seeded
from hourbook_simulators.serving import server
from hourbook_simulators.state import Keeper


def remembered(path: Path | None, seed: str) -> Memory:
    """A state that is there wins over a seed."""
    if path is not None and path.exists():
        return Memory.from_picture(path.read_bytes())
    return seeded(seed)


def main() -> None:
    parser = argparse.ArgumentParser(prog="hourbook_simulators.kimai", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="all of a container's: 0.0.0.0")
    parser.add_argument("--port", type=int, default=8311)
    parser.add_argument("--state", type=Path, help="kept there over restarts; without it nowhere")
    parser.add_argument("--seed", default="demo", choices=("demo", "bench", "empty"))
    asked = parser.parse_args()
    memory = remembered(asked.state, asked.seed)
    app = build(memory, Keeper(asked.state, memory.picture))
    server(app, asked.port, asked.host).run()


if __name__ == "__main__":
    main()
