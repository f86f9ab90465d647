"""`python -m bench`: measure, print, and write build/bench.json."""

import asyncio
import tempfile
from pathlib import Path

from bench import journey, lists, live, pages, replay, sync, webhooks
from bench.figures import Figure, show, write


async def measure(folder: Path) -> list[Figure]:
    return [
        *await webhooks.measure(folder / "webhooks"),
        *await live.measure(folder / "live"),
        *await replay.measure(folder / "replay"),
        *await sync.measure(folder / "sync"),
        *await journey.measure(folder / "journey"),
        *await pages.measure(folder / "pages"),
        *await lists.measure(folder / "lists"),
    ]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="hourbook-bench-") as folder:
        Path(folder).chmod(0o755)
        figures = asyncio.run(measure(Path(folder)))
    show(figures)
    write(figures, Path("build") / "bench.json")


if __name__ == "__main__":
    main()
