"""The three browsers as one small interface: open an address, call a function of a JavaScript module, close.

Chromium and Firefox are driven by Playwright, WebKitGTK by its WebDriver under Xvfb. All are the system's own builds.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from selenium.common.exceptions import WebDriverException

CHROMIUM = "/usr/bin/chromium"
FIREFOX = "/usr/bin/firefox-esr"
WEBKIT_DRIVER = "/usr/bin/WebKitWebDriver"
CALL_TIMEOUT_S = 120
WEBKIT_CRASHES = 3
"""So often a call is made again in a new browser."""

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
]
FIREFOX_PREFERENCES = {
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.navigator.permission.disabled": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.peerconnection.ice.loopback": True,
}

# Import a module and call one of its functions; a promise that never settles becomes an error, not a hung suite.
CALL_SCRIPT = """
async ([address, name, parameters, seconds]) => {
  const limit = new Promise((_, reject) =>
    setTimeout(() => reject(new Error(`${name} took longer than ${seconds} s`)), 1000 * seconds));
  const run = async () => (await import(address))[name](...parameters);
  return (await Promise.race([run(), limit])) ?? null;
}
"""


class Tab(Protocol):
    """One page of one browser."""

    name: str

    def open(self, address: str) -> None: ...

    def call(self, module: str, function: str, *parameters: Any) -> Any:
        """Await `function(*parameters)` of the JavaScript module at an address; everything passed is JSON."""


class PlaywrightTab:
    def __init__(self, name: str, page: Any) -> None:
        self.name, self.page = name, page

    def open(self, address: str) -> None:
        self.page.goto(address)

    def call(self, module: str, function: str, *parameters: Any) -> Any:
        return self.page.evaluate(CALL_SCRIPT, [module, function, parameters, CALL_TIMEOUT_S])


class WebKitTab:
    """WebKit's driver sometimes loses an asynchronous script's answer, so the page keeps it until it is fetched.

    The audio thread of WebKitGTK 2.50 crashes now and then, also on pages with nothing but a ConstantSourceNode and a
    recorder. A browser that died is started anew and the call made again; what a page answers is never asked twice.
    """

    name = "webkit"

    def __init__(self, start: Callable[[], Any]) -> None:
        self._start = start
        self.driver = start()
        self._address = "about:blank"

    def open(self, address: str) -> None:
        """Go there and click on the page: without a user's gesture WebKit starts no sound."""
        self._address = address
        self.driver.get(address)
        self.driver.find_element("tag name", "body").click()

    def call(self, module: str, function: str, *parameters: Any) -> Any:
        for _ in range(WEBKIT_CRASHES):
            try:
                return self._call(module, function, *parameters)
            except WebDriverException:  # what the page itself throws is a RuntimeError
                with contextlib.suppress(WebDriverException):
                    self.driver.quit()
                self.driver = self._start()
                self.open(self._address)
        return self._call(module, function, *parameters)

    def _call(self, module: str, function: str, *parameters: Any) -> Any:
        script = f"""
            window.answer = null;
            ({CALL_SCRIPT})(arguments[0]).then(
              (value) => {{ window.answer = JSON.stringify({{ value }}); }},
              (error) => {{ window.answer = JSON.stringify({{ error: `${{error}}\n${{error.stack}}` }}); }});
        """
        self.driver.execute_script(script, [module, function, parameters, CALL_TIMEOUT_S])
        while not self.driver.execute_script("return window.answer !== null"):
            time.sleep(0.05)
        answer = json.loads(self.driver.execute_script("return window.answer"))
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]


class Node:
    """Node.js in the place of a tab: each call is a process of its own, for modules that need no page."""

    name = "node"

    def __init__(self, origin: str, pages: Path) -> None:
        self.origin, self.pages = origin, pages

    def call(self, module: str, function: str, *parameters: Any) -> Any:
        file = self.pages / module.removeprefix(f"{self.origin}/pages/")
        script = f"""
            const answer = await ({CALL_SCRIPT})(JSON.parse(process.argv[1]));
            process.stdout.write(JSON.stringify(answer), () => process.exit(0));
        """
        request = json.dumps([file.as_uri(), function, parameters, CALL_TIMEOUT_S])
        # build.py puts Node beside this Python where the machine has none.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        command = [shutil.which("node", path=path), "--input-type=module", "--eval", script, request]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"node ended with status {done.returncode}:\n{done.stderr}")
        return json.loads(done.stdout)


def missing(name: str) -> str | None:
    """What has to be installed before a browser or the audio sink can be used, or None."""
    needs = {
        "chromium": {CHROMIUM: "chromium"},
        "firefox": {FIREFOX: "firefox-esr"},
        "webkit": {WEBKIT_DRIVER: "webkit2gtk-driver", "/usr/bin/Xvfb": "xvfb"},
        "audio sink": {"/usr/bin/pulseaudio": "pulseaudio"},
    }[name]
    absent = [package for path, package in needs.items() if not Path(path).exists()]
    return f"{name} is not installed: apt-get install {' '.join(absent)}" if absent else None


def launch(
    playwright: Any,
    name: str,
    flags: Sequence[str] = (),
    environment: dict[str, str] | None = None,
    preferences: dict[str, Any] | None = None,
) -> Any:
    """Start Chromium or Firefox without a window, with more flags and environment, and more preferences of Firefox.

    returns  Playwright's Browser
    """
    variables = {**os.environ, **(environment or {})}
    if name == "chromium":
        return playwright.chromium.launch(executable_path=CHROMIUM, args=[*CHROMIUM_FLAGS, *flags], env=variables)
    options = {"firefox_user_prefs": {**FIREFOX_PREFERENCES, **(preferences or {})}, "env": variables}
    return playwright.firefox.launch(channel="moz-firefox", executable_path=FIREFOX, args=list(flags), **options)


@contextlib.contextmanager
def audio_sink(rate: int = 48_000) -> Iterator[dict[str, str]]:
    """A PulseAudio server whose only device swallows sound in real time; gives the environment that leads to it.

    What it swallows comes from its microphone.

    Firefox runs no real-time AudioContext without an audio device.
    """
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "pulse"
        modules = [f"module-null-sink rate={rate}", f"module-native-protocol-unix auth-anonymous=1 socket={socket}"]
        loads = [f"--load={module}" for module in modules]
        options = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--log-target=stderr"]
        environment = {**os.environ, "HOME": folder, "XDG_RUNTIME_DIR": folder, "PULSE_RUNTIME_PATH": folder}
        server = subprocess.Popen(
            ["pulseaudio", *options, *loads], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            while not socket.exists():
                if server.poll() is not None:
                    raise RuntimeError(f"pulseaudio ended with status {server.returncode} before it opened {socket}")
                time.sleep(0.02)
            yield {"PULSE_SERVER": f"unix:{socket}"}
        finally:
            server.terminate()
            server.wait()


@contextlib.contextmanager
def virtual_display() -> Iterator[str]:
    """An X server without a screen; gives its display name."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as answer:
            number = answer.readline().strip()
        if not number:
            raise RuntimeError(f"Xvfb ended with status {server.wait()} before it opened a display")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


@contextlib.contextmanager
def webkit_tab(environment: dict[str, str] | None = None) -> Iterator[WebKitTab]:
    """A WebKitGTK MiniBrowser under automation, in its own virtual display, with additions to its environment.

    It has no locale, as on a bare machine: then it names a language that Intl refuses.
    """
    from selenium import webdriver
    from selenium.webdriver.webkitgtk.service import Service

    with virtual_display() as display:
        variables = {
            **os.environ,
            **(environment or {}),
            "DISPLAY": display,
            "LC_ALL": "C",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "WEBKIT_DISABLE_COMPOSITING_MODE": "1",
            "WEBKIT_DISABLE_DMABUF_RENDERER": "1",
        }
        variables.pop("WAYLAND_DISPLAY", None)
        options = webdriver.WebKitGTKOptions()
        options.binary_location = find_minibrowser()
        options.add_argument("--automation")

        def start() -> Any:
            return webdriver.WebKitGTK(options=options, service=Service(executable_path=WEBKIT_DRIVER, env=variables))

        tab = WebKitTab(start)
        try:
            yield tab
        finally:
            tab.driver.quit()


def find_minibrowser() -> str:
    """The MiniBrowser that belongs to the driver; Debian keeps it beside the library."""
    found = sorted(Path("/usr/lib").glob("*/webkit2gtk-4*/MiniBrowser")) or [shutil.which("MiniBrowser")]
    if not found[-1]:
        raise FileNotFoundError("MiniBrowser not found: apt-get install webkit2gtk-driver")
    return str(found[-1])
