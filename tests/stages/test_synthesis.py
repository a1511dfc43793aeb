"""Stage synthesis: undoes the analysis, and every build gives its bits."""

import numpy as np

from kernels import Inputs, every_build, kernels, padded, same_bytes
from sordino.chain import stft
from sordino.chain.bands import PADDED_BINS
from sordino.chain.params import BINS, HOP, WINDOW
from sordino.chain.synthesis import synthesise


def test_overlap_add_reconstructs():
    x = np.random.default_rng(0).standard_normal(20 * HOP).astype(np.float32)
    overlap, hops = np.zeros(HOP, np.float32), []
    for start in range(0, x.shape[0] - HOP, HOP):
        hop, overlap = synthesise(*stft.analyse(x[start : start + WINDOW]), overlap)
        hops.append(hop)
    assert np.abs(np.concatenate(hops[1:]) - x[HOP:-HOP]).max() < 2e-6


@every_build
def test_synthesis_parity(build):
    for (name, re), (_, im), (_, overlap) in zip(Inputs(BINS), Inputs(BINS), Inputs(HOP), strict=True):
        out, kept = np.zeros(HOP, np.float32), overlap.copy()
        kernels(build).run("synthesise", out, kept, padded(re, PADDED_BINS), padded(im[::-1], PADDED_BINS))
        wanted, wanted_overlap = synthesise(re, im[::-1].copy(), overlap)
        same_bytes(out, wanted, f"{name}, samples")
        same_bytes(kept, wanted_overlap, f"{name}, overlap")
