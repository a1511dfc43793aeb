"""The API reference: current, without a warning of TypeDoc, and with every name that the package exports."""

import json
import re
import subprocess

from support import BUILD, ROOT

SOURCES = ROOT / "web" / "src"
LIST = re.compile(r"^export (?:type )?\{([^}]*)\}", re.MULTILINE)
DECLARATION = re.compile(r"^export (?:async )?(?:class|function|interface|type|const) (\w+)", re.MULTILINE)


def exported(source: str) -> set[str]:
    """Names that a module exports, by its text."""
    listed = {name.strip().removeprefix("type ") for names in LIST.findall(source) for name in names.split(",")}
    return (listed | set(DECLARATION.findall(source))) - {""}


def test_every_name_is_there() -> None:
    command = ["node", "web/reference/build.mjs", "--check"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    sections = re.split(r"^## (.*)$", (ROOT / "web" / "REFERENCE.md").read_text(), flags=re.MULTILINE)
    by_module = dict(zip(sections[1::2], sections[2::2], strict=True))
    pages = {page.name for page in (BUILD / "reference").rglob("*.html")}
    exports = json.loads((ROOT / "package.json").read_text())["exports"]
    modules = {f"sordino{path[1:]}": target["types"] for path, target in exports.items() if "types" in target}
    assert len(modules) == 6 and set(modules) == set(by_module)
    for module, types in modules.items():
        source = SOURCES / types.removeprefix("./web/dist/").replace(".d.ts", ".ts")
        names = exported(source.read_text())
        assert names and names == set(re.findall(r"^### (\w+)$", by_module[module], re.MULTILINE)), module
        assert {f"{module.replace('/', '_')}.{name}.html" for name in names} <= pages
