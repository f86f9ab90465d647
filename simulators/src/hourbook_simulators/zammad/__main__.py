"""Serves the twin: `python -m hourbook_simulators.zammad --port 8310 --state FILE [--seed demo]`."""

import argparse
from pathlib import Path

from hourbook_simulators.serving import server
from hourbook_simulators.zammad.app import build
from hourbook_simulators.zammad.memory import Memory
from hourbook_simulators.zammad.seeds import plant


def main() -> None:
    parser = argparse.ArgumentParser(description="A twin of Zammad with a memory")
    parser.add_argument("--host", default="127.0.0.1", help="all of a container's: 0.0.0.0")
    parser.add_argument("--port", type=int, default=8310)
    parser.add_argument("--state", type=Path, help="where its memory is kept between runs")
    parser.add_argument("--seed", choices=("demo", "bench", "empty"), default="demo")
    asked = parser.parse_args()
    state: Path | None = asked.state
    if state is not None and state.exists():
        memory = Memory.from_picture(state.read_bytes())
    else:
        memory = Memory(plant(asked.seed))
    server(build(memory, state=state), asked.port, asked.host).run()


if __name__ == "__main__":
    main()
