"""Peers: their packages are installed into a folder of their own, from the registries, at fixed versions."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import subprocess
import sys
from pathlib import Path

from .systems import Package


def installed(package: Package, folder: Path) -> bool:
    """Whether exactly this version lies in the folder."""
    if package.registry == "npm":
        manifest = folder / "npm" / "node_modules" / package.name / "package.json"
        return manifest.is_file() and json.loads(manifest.read_text())["version"] == package.version
    found = importlib.metadata.distributions(path=[str(folder / "python")])
    return any(d.name.lower().replace("_", "-") == package.name and d.version == package.version for d in found)


def install(package: Package, folder: Path) -> str:
    """Install a package without its dependencies and, but for one from source, without running its scripts.

    folder   gets npm/node_modules and python
    returns  nothing, or why it could not be had
    """
    if installed(package, folder):
        return ""
    if package.registry == "npm":
        if not shutil.which("npm"):
            return "npm is not installed"
        root = folder / "npm"
        root.mkdir(parents=True, exist_ok=True)
        if not (root / "package.json").is_file():
            (root / "package.json").write_text('{"private": true}')
        words = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(root)]
        words += ["--save-exact", f"{package.name}@{package.version}"]
    else:
        words = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--no-deps"]
        words += [] if package.from_source else ["--only-binary", ":all:"]
        words += ["--upgrade", "--target", str(folder / "python")]
        words += [f"{package.name}=={package.version}"]
    done = subprocess.run(words, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode == 0 and installed(package, folder):
        return ""
    said = [line for line in done.stderr.splitlines() if "ERROR" in line or "npm error" in line] or ["no reason given"]
    return f"{package.name} {package.version} cannot be installed: {said[-1].strip()}"
