"""The native module inside Pyodide, in Chromium: micropip installs the wheel, and every byte is the native build's."""

import contextlib
import runpy

import pytest

from browser import browsers
from support import BUILD, ROOT, unavailable

HERE = BUILD / "pyodide"


def fingerprint():
    """Of the sources and weights as they are now; see py/package/wheel.py."""
    return runpy.run_path(str(ROOT / "py" / "package" / "wheel.py"))["fingerprint"]()


@pytest.fixture
def wheels(server):
    """Addresses of the runtime, of micropip and what it needs, and of the wheel."""
    built = sorted((HERE / "dist").glob("sordino-*wasm32.whl"))
    installers = sorted(set((HERE / "dist").glob("*.whl")) - set(built))
    if not built or not installers:
        pytest.skip("NO PYODIDE WHEEL: `python3 build.py pyodide` makes it, or says what this machine lacks")
    if (HERE / "dist" / "made-from").read_text() != fingerprint():
        pytest.skip("STALE PYODIDE WHEEL: kernels or weights have changed since; run `python3 build.py pyodide`")
    server.folders["pyodide"] = HERE
    dist = f"{server.origin}/pyodide/dist"
    return f"{server.origin}/pyodide/npm", [f"{dist}/{p.name}" for p in installers], f"{dist}/{built[0].name}"


def test_pyodide_gives_the_native_bytes(playwright, server, wheels, golden, record_property):
    if reason := browsers.missing("chromium"):
        unavailable(reason)
    page_script = f"{server.origin}/pages/pyodide.js"
    with contextlib.closing(browsers.launch(playwright, "chromium")) as browser:
        tab = browsers.PlaywrightTab("chromium", browser.new_page())
        tab.open(f"{server.origin}/pages/index.html")
        versions = tab.call(page_script, "start", *wheels)
        reports = tab.call(page_script, "clean", [server.origin + signal.input for signal in golden])
    differing = [s.name for s, report in zip(golden, reports, strict=True) if report["sha256"] != s.sha256]
    samples, seconds = (sum(report[key] for report in reports) for key in ("samples", "seconds"))
    record_property(
        "bytes, Pyodide in chromium",
        f"{samples} samples, {len(differing)} signals differ; {samples / 48_000 / seconds:.0f} x real time "
        f"(Pyodide {versions['pyodide']}, {versions['kernel']})",
    )
    assert differing == []
    assert samples >= 30 * 48_000
