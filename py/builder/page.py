"""The page on the loopback interface, with the types that browsers insist on."""

import threading
import webbrowser
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from builder.paths import BUILD
from builder.steps import Failure

PORTS_TRIED = 20

TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".sordino": "application/octet-stream",
    ".wasm": "application/wasm",
}
"""By suffix, where Python's own list says another."""


class PageHandler(SimpleHTTPRequestHandler):
    """Files of build/demo."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | TYPES

    def log_message(self, *_: object) -> None:
        """A page is many requests; the terminal shows its address instead."""


def server_from(port: int) -> ThreadingHTTPServer:
    """A server at this port or, where it is taken, at the next one that is free. raises Failure"""
    handler = partial(PageHandler, directory=str(BUILD / "demo"))
    for candidate in range(port, port + PORTS_TRIED):
        try:
            return ThreadingHTTPServer(("127.0.0.1", candidate), handler)
        except OSError as error:
            print(f"port {candidate}: {error.strerror}; trying {candidate + 1}")
    raise Failure(f"no free port from {port} to {port + PORTS_TRIED - 1}; choose another with --port")


def demo(port: int, open_browser: bool) -> None:
    """Serve build/demo until interrupted; print the address and, where wanted, open a browser there."""
    server = server_from(port)
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    print(f"Sordino is at {address} (Ctrl-C ends it)", flush=True)
    if open_browser:
        threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
