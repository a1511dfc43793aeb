"""A loopback web server for the browser tests: folders of the repository and bytes held in memory, nothing else."""

import sys
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

CONTENT_TYPES = {
    ".css": "text/css",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
}


class Server:
    """Serves `folders` (first path segment -> folder) and `data` (path -> bytes) on a free port of 127.0.0.1.

    Browsers keep what they get only where `cache_control` lets them.
    Loopback counts as a secure context, which AudioWorklet, getUserMedia and crypto.subtle need.
    """

    def __init__(self, folders: dict[str, Path]) -> None:
        self.folders = folders
        self.data: dict[str, bytes] = {}
        self.cache_control = "no-store"
        self.headers: dict[str, str] = {}
        self._http = _Http(("127.0.0.1", 0), partial(_Handler, self))
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def find(self, path: str) -> bytes | None:
        """The bytes at an absolute URL path, or None; nothing outside the folders is reachable."""
        if path in self.data:
            return self.data[path]
        root, _, rest = path.lstrip("/").partition("/")
        folder = self.folders.get(root)
        if folder is None:
            return None
        file = (folder / (rest or "index.html")).resolve()
        if file.is_dir():
            file = file / "index.html"
        inside = file.is_relative_to(folder.resolve())
        return file.read_bytes() if inside and file.is_file() else None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()


class _Http(ThreadingHTTPServer):
    def handle_error(self, *about: object) -> None:
        """A page that is closed while it loads is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*about)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, server: Server, *arguments: object) -> None:
        self.files = server
        super().__init__(*arguments)

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        body = self.files.find(path)
        self.send_response(404 if body is None else 200)
        suffix = Path(path).suffix if not path.endswith("/") else ".html"
        self.send_header("Content-Type", CONTENT_TYPES.get(suffix, "application/octet-stream"))
        self.send_header("Content-Length", str(len(body or b"")))
        self.send_header("Cache-Control", self.files.cache_control)
        for name, value in self.files.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        """Keep the test output quiet."""
