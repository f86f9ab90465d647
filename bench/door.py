"""nginx with the pages' own configuration, in front of services and pages that a test has.

The image differs in three lines, which are put in here: where it listens, where the pages lie, and nginx's own frame.
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "services/ui/nginx.conf"
UNPACKED = ROOT / ".local/nginx"
"""Debian's package, by `make nginx`, where none is installed."""

FRAME = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    default_type application/octet-stream;
    types {{ text/html html; text/css css; application/javascript js; image/svg+xml svg; font/woff2 woff2; }}
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/door.conf;
}}
"""


def nginx() -> str:
    found = shutil.which(
        "nginx", path=f"{UNPACKED / 'usr/sbin'}:/usr/local/sbin:/usr/sbin:/usr/bin"
    )
    if not found:
        raise RuntimeError("nginx is missing: `make nginx` brings it")
    return found


def configured(*, port: int, pages: Path, query_api: str, ingest_zammad: str) -> str:
    """What the image's entrypoint makes of the template; addresses are host:port."""
    text = TEMPLATE.read_text()
    for old, new in {
        "listen 8080;": f"listen 127.0.0.1:{port};",
        "root /usr/share/nginx/html;": f"root {pages};",
        "${HOURBOOK_RESOLVER}": "127.0.0.1",
        "${HOURBOOK_QUERY_API}": query_api,
        "${HOURBOOK_INGEST_ZAMMAD}": ingest_zammad,
    }.items():
        if text.count(old) != 1:
            raise AssertionError(old)
        text = text.replace(old, new)
    return text


@contextmanager
def door(folder: Path, *, pages: Path, query_api: str, ingest_zammad: str) -> Iterator[str]:
    """Its address, as a browser has it; `folder` is empty and becomes its own."""
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    conf = configured(port=port, pages=pages, query_api=query_api, ingest_zammad=ingest_zammad)
    (folder / "door.conf").write_text(conf)
    (folder / "nginx.conf").write_text(FRAME.format(folder=folder))
    process = subprocess.Popen([nginx(), "-p", folder, "-c", folder / "nginx.conf"])  # noqa: S603 -- our own words
    try:
        _until_open(port, process, folder / "error.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _until_open(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        if process.poll() is not None:
            raise RuntimeError(log.read_text() if log.exists() else "nginx did not start")
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > deadline:
            raise RuntimeError("nginx does not listen")
        time.sleep(0.05)
