"""What ships: the packed tarball in an empty project, built by four bundlers, run in three browsers, strictly."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.browsers import PlaywrightTab, Tab
from browser.server import Server
from support import BUILD, ROOT
from web.conftest import npm

pytestmark = pytest.mark.timeout(900)
"""The first one that asks for the project also waits for the registry."""
BUNDLERS = ("vite", "webpack", "rollup", "esbuild")
EXAMPLES = ROOT / "web" / "examples"
README_PAGE = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>'
OPENS_MICROPHONE = re.compile(r"getUserMedia|openMicrophone|createLocalAudioTrack")


@pytest.fixture(scope="session")
def project(consumers: Path) -> Path:
    """A project that has installed the bundlers, the platforms' packages and our tarball."""
    tarball = npm(ROOT, "pack", "--silent", "--pack-destination", str(consumers)).split()[-1]
    shutil.rmtree(consumers / "node_modules" / "sordino", ignore_errors=True)
    npm(consumers, "install", "--no-save", "--no-audit", "--no-fund", "--offline", "--no-package-lock", tarball)
    assert not (consumers / "node_modules" / "sordino").is_symlink()
    return consumers


def run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"


@pytest.fixture(scope="session", params=BUNDLERS)
def built(request: pytest.FixtureRequest, project: Path) -> str:
    """Where the server offers what one bundler has made of the probe."""
    run(project, "node", "bundle.mjs", request.param)
    return f"/built/consumers/out/{request.param}/index.html"


def test_the_adapters_have_the_platforms_types(project: Path) -> None:
    run(project, "npx", "tsc", "-p", "tsconfig.json")


@pytest.mark.parametrize(
    ("compiler", "resolution", "module"),
    [
        ("typescript5", "node10", "es2022"),
        ("typescript5", "node16", "node16"),
        ("typescript5", "bundler", "es2022"),
        ("typescript", "nodenext", "nodenext"),
        ("typescript", "bundler", "es2022"),
    ],
)
def test_types_are_found(project: Path, compiler: str, resolution: str, module: str) -> None:
    common = {"noEmit": True, "strict": True, "target": "es2022", "lib": ["es2022", "dom", "dom.iterable"], "types": []}
    options = {**common, "moduleResolution": resolution, "module": module}
    (project / "tsconfig.resolve.json").write_text(json.dumps({"compilerOptions": options, "files": ["resolve.ts"]}))
    run(project, "node", f"node_modules/{compiler}/bin/tsc", "-p", "tsconfig.resolve.json")


def test_the_package_is_harmless_on_a_server(project: Path) -> None:
    names = ["sordino", *(f"sordino/{name}" for name in ("livekit", "jitsi", "twilio", "100ms", "webrtc"))]
    imports = ";".join(f"await import('{name}')" for name in names)
    run(project, "node", "--input-type=module", "--eval", f"{imports}; process.exit(0)")


def test_nothing_but_the_package_is_packed(project: Path) -> None:
    package = project / "node_modules" / "sordino"
    files = {str(file.relative_to(package)) for file in package.rglob("*.*")}
    top = {"LICENSE", "MODEL_CARD.md", "README.md", "package.json", "web"}
    assert {path.name for path in package.iterdir()} == top
    assert {"web/dist/sordino.js", "web/dist/models/standard.sordino", "web/dist/adapters/livekit.d.ts"} <= files


def test_the_readme_leads_nowhere_else(project: Path) -> None:
    """Its relative links lie in the package; the tarball has the name that readme and examples install."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / "README.md").read_text())
    assert links and all((project / "node_modules" / "sordino" / link).is_file() for link in links)
    version = json.loads((ROOT / "package.json").read_text())["version"]
    tarball = ROOT / "dist" / f"sordino-{version}.tgz"
    assert f"{tarball.relative_to(ROOT)}\n" in (ROOT / "README.md").read_text()
    for manifest in EXAMPLES.glob("*/package.json"):
        _, path = json.loads(manifest.read_text())["dependencies"]["sordino"].split(":")
        assert (manifest.parent / path).resolve() == tarball


def test_sizes_and_latencies_are_printed(record_property) -> None:
    done = subprocess.run(["node", "web/table.mjs"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert "1888 = 39.3 ms" in done.stdout and "1440 = 30.0 ms" in done.stdout
    record_property("sizes and latencies", f"\n{done.stdout}")


def test_every_bundler_in_every_browser(built: str, tab: Tab, server: Server, record_property) -> None:
    tab.open(f"{server.origin}{built}")
    answer = tab.call(f"{server.origin}/pages/probe.js", "callProbe")
    record_property(f"{built.split('/')[-2]} in {tab.name}", answer)
    assert (answer["latency"], answer["adapters"]) == (1888, 5)
    assert answer["left"] < 1 and answer["engine"] == ("simd128" if tab.name == "webkit" else "relaxed")


@pytest.mark.parametrize("path", ["worklet", "frames"])
def test_both_paths_after_bundling(built: str, live: Tab, server: Server, path: str) -> None:
    live.open(f"{server.origin}{built}")
    answer = live.call(f"{server.origin}/pages/probe.js", "callProbe", path)
    assert answer == {"suppressing": True, "frames": path == "frames", "errors": []}


@pytest.fixture(params=["vite", "vite7"])
def dev_server(request: pytest.FixtureRequest, project: Path) -> Iterator[str]:
    """Vite's dev server, which bundles nothing, of this version and of the last one that pre-bundles otherwise."""
    command = ["node", "serve.mjs", request.param, str(project / "dev" / request.param)]
    server = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait()


def test_the_dev_server(dev_server: str, page: Any) -> None:
    page.goto(dev_server)
    page.wait_for_function("globalThis.probe !== undefined")
    assert page.evaluate("() => probe()")["latency"] == 1888
    for path in ("worklet", "frames"):
        answer = page.evaluate("(path) => probeTrack(path)", path)
        assert answer == {"suppressing": True, "frames": path == "frames", "errors": []}


@pytest.mark.parametrize("name", ["firefox", "webkit"])
def test_tracks_in_other_browsers(project: Path, open_tab: Any, server: Server, name: str, record_property) -> None:
    """Vite's page, in real time: neither has the frame path, so both paths are the worklet."""
    run(project, "node", "bundle.mjs", "vite")
    other = open_tab(name)
    other.open(f"{server.origin}/built/consumers/out/vite/index.html")
    for path in ("worklet", "frames"):
        answer = other.call(f"{server.origin}/pages/probe.js", "callProbe", path)
        record_property(f"{path} path in {name}", answer)
        assert answer == {"suppressing": True, "frames": False, "errors": []}


@pytest.fixture
def page(live: PlaywrightTab) -> Iterator[Any]:
    """A fresh page with a microphone; in the end it has reported no error."""
    errors: list[str] = []
    fresh = live.page.context.browser.new_page()
    fresh.on("pageerror", lambda error: errors.append(str(error)))
    fresh.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    yield fresh
    fresh.close()
    assert not errors


def example(project: Path, name: str) -> str:
    """Build an example; returns the path of its page."""
    if name == "plain":
        folder = BUILD / "tests" / "plain"
        shutil.copytree(EXAMPLES / name, folder, dirs_exist_ok=True)
        shutil.copytree(project / "node_modules" / "sordino" / "web" / "dist", folder / "sordino", dirs_exist_ok=True)
        return "/built/plain/index.html"
    folder = project / "examples" / name
    shutil.copytree(EXAMPLES / name, folder, dirs_exist_ok=True)
    if name == "webpack":
        run(folder, "npx", "webpack")
        shutil.copy(folder / "index.html", folder / "dist")
    else:
        run(folder, "npx", "vite", "build", "--base", "./")
    return f"/built/consumers/examples/{name}/dist/index.html"


@pytest.mark.parametrize("name", ["plain", "vite-livekit", "webpack"])
def test_examples_run(project: Path, page: Any, server: Server, name: str) -> None:
    page.goto(f"{server.origin}{example(project, name)}")
    page.locator("button").click()
    page.get_by_role("status").filter(has_text="Suppressing noise").wait_for()


def test_livekit_itself(project: Path, page: Any, server: Server) -> None:
    """LiveKit's own LocalAudioTrack: set, restarted with another microphone, muted, moved to a context, taken away."""
    page.goto(f"{server.origin}{example(project, 'vite-livekit')}")
    page.locator("button").click()
    page.get_by_role("status").filter(has_text="Suppressing noise").wait_for()
    answer = page.evaluate("""async () => {
        const before = processor.processedTrack;
        const sent = track.mediaStreamTrack === before || track.sender === undefined;
        await track.restartTrack({ deviceId: "default" });
        const kept = processor.processedTrack === before && processor.suppressed.suppressing;
        await track.mute();
        await track.unmute();
        const alive = processor.suppressed.suppressing && before.readyState === "live";
        const { context } = processor.suppressed;
        const ofTheRoom = new AudioContext();
        await track.setAudioContext(ofTheRoom);
        await context.close();
        await processor.suppressed.started;
        const moved = processor.suppressed.context === ofTheRoom && processor.suppressed.suppressing;
        const after = processor.processedTrack;
        await track.stopProcessor();
        const gone = processor.processedTrack === undefined;
        return { sent, kept, alive, moved, ended: [before.readyState, after.readyState], gone };
    }""")
    wanted = {"sent": True, "kept": True, "alive": True, "moved": True, "ended": ["ended", "ended"], "gone": True}
    assert answer == wanted


def readme_examples() -> list[str]:
    """Code blocks of the README that open their microphone themselves, so that they run as they stand."""
    blocks = re.findall(r"```(?:js|ts)\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    return [block for block in blocks if 'from "sordino' in block and OPENS_MICROPHONE.search(block)]


@pytest.mark.parametrize("index", range(len(readme_examples())))
def test_readme_examples_run(project: Path, page: Any, server: Server, index: int) -> None:
    folder = project / "readme" / str(index)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.js").write_text(readme_examples()[index] + "\nglobalThis.finished = true;\n")
    (folder / "index.html").write_text(README_PAGE)
    run(folder, "npx", "vite", "build", "--base", "./")
    page.goto(f"{server.origin}/built/consumers/readme/{index}/dist/index.html")
    page.wait_for_function("globalThis.finished === true")
