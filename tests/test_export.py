"""Export: generated files are fresh and reproducible; damaged weight files are refused with the cause."""

import numpy as np
import pytest

from sordino.chain.model import ModelError, NetworkShape, random_model
from sordino.chain.records import Settings
from sordino.formats.generate import GENERATED, generate
from sordino.formats.network_source import network_file
from sordino.formats.onnx import read_onnx
from sordino.formats.weight_file import layout, weight_bytes, write_weights
from sordino.run.engines import MODELS, NativeEngine, WasmEngine, load_weights
from support import ROOT

WASM = ROOT / "wasm"


def generated():
    return [path for folder in GENERATED for path in (WASM / folder).iterdir()]


def shipped():
    return [read_onnx(path) for path in sorted(MODELS.glob("*.onnx"))]


def test_generated_files_are_fresh():
    """Fails when a table, a template or a shape changed: run `.venv/bin/sordino export --generate wasm`."""
    wanted = generate(shipped(), WASM)
    found = {path.relative_to(WASM).as_posix(): path.read_text() for path in generated()}
    assert sorted(found) == sorted(wanted)
    stale = [name for name in wanted if found[name] != wanted[name]]
    assert not stale, f"stale: {stale}"


def test_generated_files_say_what_they_are():
    for path in generated():
        assert "Do not edit." in path.read_text().splitlines()[0], path


def test_weight_file_is_reproducible(tmp_path):
    model = shipped()[0]
    size = write_weights(model, tmp_path / "a.sordino")
    assert (tmp_path / "a.sordino").read_bytes() == weight_bytes(model)
    assert size == layout(model.shape)[2] == len(weight_bytes(model))
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("make", [NativeEngine, WasmEngine])
@pytest.mark.parametrize(
    ("damage", "cause"),
    [
        (lambda b: b[:40], "not a Sordino weight file"),
        (lambda b: b"RIFF" + b[4:], "not a Sordino weight file"),
        (lambda b: b[:4] + b"\x63" + b[5:], "another format version"),
        (lambda b: b[:-1], "truncated"),
        (lambda b: b + b"\0", "overlong"),
        (lambda b: b[:5000] + bytes([b[5000] ^ 1]) + b[5001:], "checksum"),
        (lambda b: b[:16] + bytes([b[16] ^ 1]) + b[17:], "does not know"),
        (lambda b: b[:20] + b"\x07" + b[21:], "does not know"),
    ],
)
def test_damaged_weight_files_are_refused(make, damage, cause):
    with pytest.raises(ModelError, match=cause):
        make(damage(load_weights(MODELS / "standard.onnx")), Settings())


def test_sizes_that_do_not_fit_the_kernels_are_refused():
    with pytest.raises(ModelError, match="layer across has size 6, wanted a multiple of 4"):
        weight_bytes(random_model(NetworkShape(8, 6, 8)))
    with pytest.raises(ValueError, match="no C identifier"):
        network_file("Bad-Name", NetworkShape(8, 8, 8), "")


def test_packed_weights_hold_every_weight_once():
    model = random_model(NetworkShape(8, 12, 16, memory=20))
    data = np.frombuffer(weight_bytes(model), np.uint8)
    matrices, vectors, _ = layout(model.shape)
    for place in matrices:
        scale = data[place.at : place.at + 4 * place.rows].view(np.float32)
        offset = data[place.at + 8 * place.rows : place.at + 12 * place.rows].view(np.int32)
        blocks = data[place.at + 12 * place.rows : place.at + place.bytes].view(np.int8)
        rows = blocks.reshape(place.rows // 16, place.columns // 4, 16, 4).transpose(0, 2, 1, 3).reshape(place.rows, -1)
        assert np.array_equal(offset, -64 * rows.sum(axis=1, dtype=np.int32)), place.name
        assert (np.abs(rows).max(axis=1)[scale > 0] == 127).all(), place.name
    for place in vectors:
        stored = data[place.at : place.at + 4 * place.count].view(np.float32)
        wanted = model.weights[model.shape.vectors()[place.name]].ravel()
        assert np.array_equal(stored[: wanted.size], wanted) and not stored[wanted.size :].any(), place.name
