"""Generate wasm/gen (constants, tables, read-outs, errors) and wasm/nn/gen (a C file per network shape).

The same inputs give the same bytes.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np

from sordino.chain import bands, comb, fft, params, pitch, stft
from sordino.chain.model import Model, NetworkShape
from sordino.chain.readouts import READOUTS

from . import weight_file
from .errors import ERRORS
from .network_source import BANNER, TEMPLATE, network_file, registry_file, state_bytes
from .weight_file import PADDED_BANDS, PADDED_FEATURES

CONFIGS = Path(__file__).parents[1] / "train" / "configs"
GENERATED = ("gen", "nn/gen")
"""Folders of wasm/ that hold nothing else."""


def _float(x: float | np.floating) -> str:
    text = np.format_float_scientific(np.float32(x), unique=True, trim="0")
    return f"{text}f"


def params_header() -> str:
    """Text of params.h: the integer and float constants of params.py, and sizes padded to four lanes."""
    values: dict[str, object] = {k: v for k, v in vars(params).items() if k.isupper() and isinstance(v, int | float)}
    values |= {"PADDED_BINS": bands.PADDED_BINS, "PADDED_BANDS": PADDED_BANDS, "PADDED_FEATURES": PADDED_FEATURES}
    values |= {"WEIGHT_VERSION": weight_file.FORMAT_VERSION, "WEIGHT_HEADER_BYTES": weight_file.HEADER_BYTES}
    lines = [f"#define {k} {_float(v) if isinstance(v, float) else v}" for k, v in values.items()]
    lines.append(f"#define WEIGHT_MAGIC 0x{weight_file.MAGIC:08X}u")
    return _header("params", "py/sordino/chain/params.py", lines)


def _header(name: str, source: str, lines: list[str]) -> str:
    """Text of a generated header with its banner and guard."""
    guard = f"SORDINO_{name.upper()}_H"
    banner = BANNER.format(source=source)
    return "\n".join([f"/* {banner} */", f"#ifndef {guard}", f"#define {guard}", "", *lines, "", "#endif", ""])


def readouts_header() -> str:
    """Text of readouts.h: the struct of all read-outs, a function for each, and their list for bindings."""
    lines = ["/* What was decided about the frame just given out. */", "typedef struct {"]
    functions, entries = [], []
    for r in READOUTS:
        about = f"/* {r.meaning}{', in ' + r.unit if r.unit else ''} */"
        size = f"[{r.count}]" if r.count > 1 else ""
        lines.append(f"    float {r.name}{size}; {about}")
        kind = "const float *" if r.count > 1 else "float "
        functions.append(f"{kind}sordino_{r.name}(const sordino_state *state);")
        entries.append(f"VECTOR({r.name}, {r.count})" if r.count > 1 else f"VALUE({r.name})")
    lines += ["} sordino_readouts;", "", "/* The same one by one; a list is valid as long as the state. */", *functions]
    lines += ["", "/* VALUE(name) for each number, VECTOR(name, count) for each list. */"]
    lines += ["#define SORDINO_READOUTS(VALUE, VECTOR) \\", "    " + " \\\n    ".join(entries)]
    return _header("readouts", "py/sordino/chain/readouts.py", lines)


def errors_header() -> str:
    """Text of errors.h: the codes of sordino_init and what to say of each."""
    lines = ["enum {", "    SORDINO_OK = 0,"]
    lines += [f"    SORDINO_{e.name} = {e.code}," for e in ERRORS]
    lines += ["};", "", "/* ERROR(name, text) for each failure of sordino_init. */"]
    entries = [f'ERROR(SORDINO_{e.name}, "{e.text}")' for e in ERRORS]
    lines += ["#define SORDINO_ERRORS(ERROR) \\", "    " + " \\\n    ".join(entries)]
    return _header("errors", "py/sordino/formats/errors.py", lines)


def _tables() -> dict[str, tuple[str, np.ndarray]]:
    first, count = bands.spans()
    lower, _, lower_weight, upper_weight = bands._interpolation()
    packed = [np.pad(row, (0, 4))[f : f + c] for row, f, c in zip(bands.weights(), first, count, strict=True)]
    moves = params.TRACK_MOVE_COST * np.arange(params.TRACK_REACH + 1)
    tables: dict[str, tuple[str, np.ndarray]] = {
        "window": ("float", stft.window()),
        "analysis_window": ("float", stft.analysis_window()),
        "real_twiddle_re": ("float", np.pad(fft.real_twiddles()[0], (0, 3))),
        "real_twiddle_im": ("float", np.pad(fft.real_twiddles()[1], (0, 3))),
        "band_first": ("uint16_t", first),
        "band_count": ("uint16_t", count),
        "band_weights": ("float", np.concatenate(packed)),
        "bin_lower_band": ("uint8_t", lower),
        "bin_lower_weight": ("float", lower_weight),
        "bin_upper_weight": ("float", upper_weight),
        "decimation_filter": ("float", pitch.decimation_filter()),
        "lag_cost": ("float", pitch.lag_cost()),
        "track_move_cost": ("float", moves),
        "comb_weights": ("float", comb.weights().ravel()),
    }
    for i, (re_part, im_part) in enumerate(fft.pass_twiddles()):
        tables[f"fft_twiddle_{i}_re"] = ("float", re_part.ravel())
        tables[f"fft_twiddle_{i}_im"] = ("float", im_part.ravel())
    return tables


def _rows(values: np.ndarray, kind: str) -> str:
    words = [_float(v) if kind == "float" else str(int(v)) for v in values]
    lines = [", ".join(words[i : i + 8]) for i in range(0, len(words), 8)]
    return ",\n    ".join(lines)


def tables_files() -> tuple[str, str]:
    """Texts of tables.h and tables.c."""
    banner = BANNER.format(source="the tables of py/sordino/chain")
    scalars = {"FFT_SIN_60": np.sqrt(0.75)}
    scalars |= {f"FFT_COS_{72 * k}": np.cos(2 * np.pi * k / 5) for k in (1, 2)}
    scalars |= {f"FFT_SIN_{72 * k}": np.sin(2 * np.pi * k / 5) for k in (1, 2)}
    head = [f"/* {banner} */", "#ifndef SORDINO_TABLES_H", "#define SORDINO_TABLES_H", "", "#include <stdint.h>", ""]
    head += [f"#define {name} {_float(v)}" for name, v in scalars.items()] + [""]
    body = [f"/* {banner} */", '#include "tables.h"', ""]
    for name, (kind, values) in _tables().items():
        head.append(f"extern const {kind} {name}[{len(values)}];")
        body.append(f"const {kind} {name}[{len(values)}] = {{\n    {_rows(values, kind)}}};")
    return "\n".join([*head, "", "#endif", ""]), "\n".join([*body, ""])


def tiers() -> dict[str, NetworkShape]:
    """The shapes that have a training configuration, by name."""
    sizes = {path.stem: tomllib.loads(path.read_text())["network"] for path in sorted(CONFIGS.glob("*.toml"))}
    return {name: NetworkShape(**{k: v for k, v in s.items() if k != "look_ahead"}) for name, s in sizes.items()}


def generate(models: list[Model], wasm: Path, known: dict[str, NetworkShape] | None = None) -> dict[str, str]:
    """All generated files for a set of models.

    models   models that the build shall run
    wasm     the folder with the template in nn/kernels
    known    further shapes that it shall know; one of a model's name gives way to the model. Default: the tiers
    returns  path in wasm/ -> text
    """
    template = (wasm / "nn" / "kernels" / TEMPLATE).read_text()
    shapes = {**(tiers() if known is None else known), **{m.name: m.shape for m in models}}
    columns = max(p.columns for s in shapes.values() for p in weight_file.layout(s)[0])
    largest = max(state_bytes(s) for s in shapes.values())
    sizes = f"#define SORDINO_NETWORK_STATE_BYTES {largest}\n#define SORDINO_NETWORK_COLUMNS {columns}\n"
    header, source = tables_files()
    constants = params_header().replace("\n#endif", f"{sizes}\n#endif")
    files = {"gen/params.h": constants, "gen/tables.h": header, "gen/tables.c": source}
    files |= {"gen/readouts.h": readouts_header(), "gen/errors.h": errors_header()}
    files["nn/gen/networks.c"] = registry_file(shapes)
    for name, shape in shapes.items():
        files[f"nn/gen/network_{name}.c"] = network_file(name, shape, template)
    return files


def write_generated(models: list[Model], wasm: Path, known: dict[str, NetworkShape] | None = None) -> list[str]:
    """Write both gen folders, remove what no model needs any more; returns the paths of files that changed.

    See generate.
    """
    files = generate(models, wasm, known)
    for folder in GENERATED:
        (wasm / folder).mkdir(exist_ok=True)
    changed = [n for n, text in files.items() if not (wasm / n).is_file() or (wasm / n).read_text() != text]
    for name in changed:
        (wasm / name).write_text(files[name])
    present = {p.relative_to(wasm).as_posix() for folder in GENERATED for p in (wasm / folder).iterdir()}
    for stray in sorted(present - set(files)):
        (wasm / stray).unlink()
        changed.append(stray)
    return changed
