"""`python -m hourbook_kit.probe URL`: exit 0 when it answers 2xx; for health checks in images without a shell.

Imports only what it needs: it runs every few seconds.
"""

import sys
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

PATIENCE_SECONDS = 4


def answers_well(url: str) -> bool:
    """Whether a plain HTTP GET is answered 2xx in time."""
    address = urlsplit(url)
    connection = HTTPConnection(
        address.hostname or "", address.port or 80, timeout=PATIENCE_SECONDS
    )
    try:
        connection.request("GET", address.path or "/")
        return 200 <= connection.getresponse().status < 300  # noqa: PLR2004 -- 2xx
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if answers_well(sys.argv[1]) else 1)
