"""sordino_run: the samples of sordino_process and the read-outs of the same frame."""

import struct
from dataclasses import fields

import numpy as np

from golden.signals import golden_signals
from kernels import same_bytes
from sordino import Decision
from sordino.chain.params import HOP
from sordino.chain.readouts import READOUTS
from sordino.chain.records import Settings
from sordino.run.engines import NativeEngine, WasmEngine, find_model, load_weights, open_engine

HOPS = 40


def test_samples_and_read_outs() -> None:
    sound = golden_signals()["rain"][: HOPS * HOP].reshape(-1, HOP)
    engine = WasmEngine(load_weights(find_model("standard")), Settings())
    plain, memory = NativeEngine(load_weights(find_model("standard")), Settings()), engine.memory
    count = sum(r.count for r in READOUTS)
    near_at, out_at, told_at = (memory.reserve(4 * n) for n in (HOP, HOP, count))
    io_at = memory.place(struct.pack("<3I", near_at, out_at, told_at))
    for hop in sound:
        memory.write(near_at, hop.tobytes())
        memory.call("sordino_run", engine.state, io_at)
        same_bytes(memory.floats(out_at, HOP), plain.process(hop), "samples")
        told, decision, at = memory.floats(told_at, count), plain.decision(), 0
        for r in READOUTS:
            assert (told[at : at + r.count] == getattr(decision, r.name)).all(), r.name
            at += r.count


def test_the_table_names_what_engines_tell() -> None:
    names = [r.name for r in READOUTS]
    assert sorted(f.name for f in fields(Decision)) == sorted(names)
    for engine in ("native", "wasm", "reference"):
        decision = open_engine(engine).decision()
        assert all(np.shape(getattr(decision, r.name)) == ((r.count,) if r.count > 1 else ()) for r in READOUTS), engine
