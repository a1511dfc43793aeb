"""Imports of the TypeScript code: no circles, and each thread's code imports only what may run there."""

import shutil
import subprocess
from pathlib import Path

from support import ROOT

PLANTED = {
    "web/src/protocol/circle.ts": ("./errors.js", "no-circle"),
    "web/src/worklet/meter.ts": ("../contract/events.js", "folder-worklet"),
    "web/src/worker/converter.ts": ("../assets/load.js", "folder-worker"),
    "web/src/assets/load.ts": ("../contract/events.js", "folder-assets"),
    "web/src/adapters/livekit.ts": ("../api/track.js", "adapters"),
}
"""By file: an import that must not stand there, and the rule that forbids it."""


def cruise(folder: Path) -> subprocess.CompletedProcess[str]:
    program = ROOT / "node_modules" / ".bin" / "depcruise"
    arguments = ["--config", ROOT / "web" / "layers.mjs", "web/src", "web/demo"]
    return subprocess.run([program, *arguments], cwd=folder, check=False, capture_output=True, text=True)


def test_layers() -> None:
    done = cruise(ROOT)
    assert done.returncode == 0, done.stdout


def test_forbidden_imports_are_found(tmp_path: Path) -> None:
    """The same tree with imports planted in it breaks the rules, and no others."""
    for part in ("src", "demo"):
        shutil.copytree(ROOT / "web" / part, tmp_path / "web" / part)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    errors = tmp_path / "web" / "src" / "protocol" / "errors.ts"
    errors.write_text(f'import "./circle.js";\n{errors.read_text()}')
    for name, (target, _) in PLANTED.items():
        file = tmp_path / name
        file.write_text(f'import "{target}";\n{file.read_text() if file.exists() else ""}')
    done = cruise(tmp_path)
    assert done.returncode > 0, done.stdout
    for name, (_, rule) in PLANTED.items():
        assert f"error {rule}: {name}" in done.stdout, done.stdout
    found = {line.split()[1].rstrip(":") for line in done.stdout.splitlines() if line.strip().startswith("error ")}
    assert found == {rule for _, rule in PLANTED.values()}, done.stdout
