"""`python -m bench`: measure, print, and write build/bench.json."""

import asyncio
import tempfile
from pathlib import Path

from bench import journey, webhooks
from bench.figures import Figure, show, write


async def measure(folder: Path) -> list[Figure]:
    return [
        *await webhooks.measure(folder / "webhooks"),
        *await journey.measure(folder / "journey"),
    ]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="hourbook-bench-") as folder:
        Path(folder).chmod(0o755)
        figures = asyncio.run(measure(Path(folder)))
    show(figures)
    write(figures, Path("build") / "bench.json")


if __name__ == "__main__":
    main()
