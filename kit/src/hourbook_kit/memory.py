"""How often a service looks for garbage that only a search finds."""

import gc


def search_rarely() -> None:
    """To be called once, when all is imported: what is there by then stays, and is not looked through again.

    Books, messages and rows hold no cycles and are freed without a search; the few cycles of clients and
    exceptions wait in some megabytes. Otherwise a search took 80 ms of somebody's request, and in a reconciler with
    a backlog 100 to 250 ms of every third or fourth batch.
    """
    gc.freeze()
    gc.set_threshold(50_000, 10, 100)
