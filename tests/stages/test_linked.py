"""Linked channels: bits of the reference, one channel is the stream itself, the stereo image stays."""

import numpy as np
import pytest

from golden.signals import clip_files, read_clip
from kernels import every_build, same_bytes
from sordino.chain.params import HOP, SAMPLE_RATE
from sordino.chain.pipeline import Follower, Pipeline, mean
from sordino.chain.records import Settings
from sordino.formats.onnx import read_onnx
from sordino.run.engines import WasmMemory, find_model, load_weights, open_engine
from support import BUILD

HOPS = 120
JOINED = 40
"""Hop at which the second channel joins."""


def stereo() -> np.ndarray:
    """A talker in noise, to the left; another noise to the right. (2, HOPS, HOP)."""
    clip = read_clip(clip_files()[0])[: HOPS * HOP]
    noise = np.random.default_rng(5).standard_normal(clip.size).astype(np.float32) * np.float32(0.01)
    return np.stack([clip, clip * np.float32(0.25) + noise]).reshape(2, HOPS, HOP)


def leader_hop(channels: np.ndarray, hop: int) -> np.ndarray:
    return mean([channels[0, hop], channels[1, hop]])


def native(channels: np.ndarray, look_ahead: int) -> np.ndarray:
    from sordino._native import Channel as Compiled
    from sordino._native import Stream

    stream = Stream(load_weights(find_model("standard")))
    stream.set_look_ahead(look_ahead)
    out, led = np.zeros_like(channels), np.empty(HOP, np.float32)
    followers = [Compiled(stream), None]
    for hop in range(HOPS):
        if hop == JOINED:
            followers[1] = Compiled(stream)
        stream.process(led, leader_hop(channels, hop))
        for c, follower in enumerate(followers):
            if follower:
                follower.follow(out[c, hop], channels[c, hop].copy())
    return out


def wasm(channels: np.ndarray, look_ahead: int, variant: str) -> np.ndarray:
    memory = WasmMemory(BUILD / "wasm" / f"sordino.{variant}.wasm")
    weights = load_weights(find_model("standard"))
    at = memory.place(weights)
    state, hop_at = memory.reserve(memory.call("sordino_state_bytes")), memory.reserve(4 * HOP)
    assert memory.call("sordino_init", state, at, len(weights)) == 0
    memory.call("sordino_set_look_ahead", state, look_ahead)
    followers = [memory.reserve(memory.call("sordino_channel_bytes")) for _ in range(2)]
    memory.call("sordino_join", followers[0], state)
    out = np.zeros_like(channels)
    for hop in range(HOPS):
        if hop == JOINED:
            memory.call("sordino_join", followers[1], state)
        memory.write(hop_at, leader_hop(channels, hop).tobytes())
        memory.call("sordino_process", state, hop_at, hop_at)
        for c in range(2 if hop >= JOINED else 1):
            memory.write(hop_at, channels[c, hop].tobytes())
            memory.call("sordino_follow", followers[c], hop_at, hop_at, state)
            out[c, hop] = np.frombuffer(memory.read(hop_at, 4 * HOP), np.float32)
    return out


def reference(channels: np.ndarray, look_ahead: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """The followers' output and the leader's."""
    pipeline = Pipeline(read_onnx(find_model("standard")).with_look_ahead(look_ahead))
    followers = [Follower(pipeline), None]
    out, led = np.zeros_like(channels), np.zeros(channels.shape[1:], np.float32)
    for hop in range(HOPS):
        if hop == JOINED:
            followers[1] = Follower(pipeline)
        led[hop] = pipeline.process(leader_hop(channels, hop))
        for c, follower in enumerate(followers):
            if follower:
                out[c, hop] = follower.follow(channels[c, hop])
    return out, led


@pytest.fixture(scope="module", params=[0, 1, 2])
def wanted(request: pytest.FixtureRequest) -> tuple[int, np.ndarray]:
    """Frames of look-ahead, and what the reference gives with them."""
    return request.param, reference(stereo(), request.param)[0]


@every_build
def test_every_build_gives_the_references_bits(build: str, wanted) -> None:
    channels, (look_ahead, followed) = stereo(), wanted
    got = native(channels, look_ahead) if build == "native" else wasm(channels, look_ahead, build)
    same_bytes(got, followed, "linked channels")


def test_a_channel_that_is_the_mean_is_the_stream() -> None:
    channels = stereo()
    channels[1] = channels[0]
    followed, led = reference(channels)
    same_bytes(followed[0], led, "follower of itself")
    same_bytes(followed[1, JOINED:], led[JOINED:], "follower that joined late")


def test_the_image_stays() -> None:
    """One source at two levels keeps their ratio, sample by sample."""
    channels = stereo()
    channels[1] = channels[0] * np.float32(0.25)
    followed, _ = reference(channels)
    loud = np.abs(followed[0, JOINED + 10 :]) > 1e-3
    ratio = followed[1, JOINED + 10 :][loud] / followed[0, JOINED + 10 :][loud]
    assert loud.sum() > 1000 and np.abs(ratio - 0.25).max() < 1e-3


def test_post_filter_passes_remove_more_and_more() -> None:
    """On the average of all scenes; in one of them, giving back the energy of a frame may outweigh it."""
    clips = [read_clip(file) for file in clip_files()]
    levels, begun = [], 3 * SAMPLE_RATE // (2 * HOP)
    for passes in range(3):
        engines = [open_engine("native", settings=Settings(post_filter=passes)) for _ in clips]
        found = [engine.process(clip[: clip.size // HOP * HOP]) for engine, clip in zip(engines, clips, strict=True)]
        powers = [(out.reshape(-1, HOP)[begun:] ** 2).mean(axis=1) + 1e-12 for out in found]
        levels.append(np.mean([10 * np.log10(power).mean() for power in powers]))
    assert levels[0] > levels[1] + 0.5 and levels[1] > levels[2] + 0.5


def test_wrong_buffers_are_refused_by_the_extension() -> None:
    from sordino._native import Channel, Stream

    channel, hop = Channel(Stream(load_weights(find_model("standard")))), np.zeros(HOP, np.float32)
    with pytest.raises(ValueError, match="479 items, wanted 480"):
        channel.follow(hop, hop[:-1])
    with pytest.raises(TypeError, match="format 'd', wanted 'f'"):
        channel.follow(hop, hop.astype(np.float64))
    with pytest.raises(ValueError, match="not contiguous"):
        channel.follow(hop, np.zeros(2 * HOP, np.float32)[::2])
