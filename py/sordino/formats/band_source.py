"""The generated C of a network whose weights are shared by bands: wasm/nn/gen/network_NAME.c."""

from __future__ import annotations

from string import Template

from sordino.chain.model import BAND_FEATURES, PATCH_BANDS, SQUEEZED, WIDENED, BandShape

from . import weight_file

BLOCK_MATRICES = ("across_input", "up_state", "down_state", "from_bands", "time_input", "time_state", "from_time")
BLOCK_VECTORS = ("band_squash_scale", "band_squash_shift", "time_squash_scale", "time_squash_shift")
"""The members of block_places in wasm/nn/kernels/band_network.c.in, in their order."""

REMEMBER = """
/* Add what the dense memory over time says of the whole spectrum. */
static void remember(state *s, const uint8_t *weights)
{
    uint8_t squeezed[PADDED_BANDS * SQUEEZED], seen[MEMORY], widened[PADDED_BANDS * WIDENED];
    _Alignas(16) float given[MEMORY_INPUT_ROWS], from_state[MEMORY_STATE_ROWS], into[MEMORY_INTO_ROWS];
    _Alignas(16) float out[MEMORY_OUT_ROWS];
    EACH_FOUR {
        uint8_t q[SORDINO_TOGETHER * CHANNELS];
        _Alignas(16) float y[SORDINO_TOGETHER * MEMORY_SQUEEZE_ROWS];
        squash(q, s->channels + band * CHANNELS, VECTOR(MEMORY_SQUASH_SCALE_AT), VECTOR(MEMORY_SQUASH_SHIFT_AT));
        dense(y, weights + MEMORY_SQUEEZE_AT, q, CHANNELS, MEMORY_SQUEEZE_ROWS, MEMORY_SQUEEZE_COLUMNS);
        EACH sordino_quantise_fast_tanh(squeezed + (band + k) * SQUEEZED, y + k * MEMORY_SQUEEZE_ROWS, SQUEEZED);
    }
    sordino_dense(into, weights + MEMORY_INTO_AT, squeezed, MEMORY_INTO_ROWS, MEMORY_INTO_COLUMNS);
    sordino_quantise_fast_tanh(seen, into, MEMORY);
    sordino_dense(given, weights + MEMORY_INPUT_AT, seen, MEMORY_INPUT_ROWS, MEMORY_INPUT_COLUMNS);
    sordino_dense(from_state, weights + MEMORY_STATE_AT, s->bytes.memory, MEMORY_STATE_ROWS, MEMORY_STATE_COLUMNS);
    sordino_fast_gru(s->memory, s->bytes.memory, given, from_state, MEMORY);
    sordino_dense(out, weights + MEMORY_OUT_AT, s->bytes.memory, MEMORY_OUT_ROWS, MEMORY_OUT_COLUMNS);
    __builtin_memset(widened, ACTIVATION_ZERO, sizeof widened);
    sordino_quantise_fast_tanh(widened, out, BANDS * WIDENED);
    EACH_FOUR {
        _Alignas(16) float y[SORDINO_TOGETHER * MEMORY_WIDEN_ROWS];
        dense(y, weights + MEMORY_WIDEN_AT, widened + band * WIDENED, WIDENED, MEMORY_WIDEN_ROWS, MEMORY_WIDEN_COLUMNS);
        add(s->channels + band * CHANNELS, y, MEMORY_WIDEN_ROWS);
    }
}
"""
AFTER = "        if (part == 2) remember(s, weights);"


def band_network_file(name: str, shape: BandShape, template: str, banner: str) -> str:
    """Text of network_<name>.c.

    name      a C identifier
    shape     sizes of the layers
    template  text of wasm/nn/kernels/band_network.c.in
    banner    first line
    raises    ModelError if a size does not fit the kernels
    """
    places, total = weight_file.layout(shape)
    vectors = weight_file.vector_places(shape)
    at = {place.name: place.at for place in places} | {vector.name: vector.at for vector in vectors}
    blocks = [[at[f"block{b}_{n}"] for n in BLOCK_MATRICES + BLOCK_VECTORS] for b in range(shape.blocks)]
    return Template(template).substitute(
        banner=banner,
        name=name,
        summary=f"{shape.weight_count():,} weights",
        channels=shape.channels,
        across=shape.across,
        over_time=shape.over_time,
        blocks=shape.blocks,
        memory=shape.memory,
        taps=shape.taps,
        band_features=BAND_FEATURES,
        patch_bands=PATCH_BANDS,
        squeezed=SQUEEZED,
        widened=WIDENED,
        matrices="\n".join(_constants(place) for place in places if _is_named(place.name)),
        vectors="\n".join(f"enum {{ {v.name.upper()}_AT = {v.at} }};" for v in vectors if _is_named(v.name)),
        block_places=", ".join(f"{{{', '.join(map(str, values))}}}" for values in blocks),
        remember=REMEMBER if shape.memory else "",
        after=AFTER if shape.memory else "",
        id=f"0x{weight_file.network_id(shape):08X}u",
        weight_bytes=total,
    )


def _is_named(name: str) -> bool:
    """The layers of later blocks have the first one's sizes, and places in a table."""
    return not name.startswith("block") or (name.startswith("block0") and name[7:] in BLOCK_MATRICES)


def _constants(place: weight_file.MatrixPlace) -> str:
    upper = place.name.upper()
    sizes = f"{upper}_ROWS = {place.rows}, {upper}_COLUMNS = {place.columns}"
    return f"enum {{ {sizes}{'' if place.name.startswith('block') else f', {upper}_AT = {place.at}'} }};"


def state_bytes(shape: BandShape) -> int:
    """Upper bound of a stream's state in C, a multiple of 16."""
    bands = weight_file.PADDED_BANDS
    frame = (bands + PATCH_BANDS - 1) * BAND_FEATURES
    bytes_ = shape.taps * frame + shape.blocks * bands * shape.over_time + shape.memory + 1
    floats = bands * shape.channels + shape.blocks * bands * shape.over_time + shape.memory + 1
    return -(-(bytes_ + 4 * floats + 16) // 16) * 16
