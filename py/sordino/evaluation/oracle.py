"""Oracle: a noisy recording and the clean one go in, what our chain makes of them with ideal decisions comes out.

"oracle-gains" has the ideal gains and no comb filter, "oracle-comb" ideal gains and strengths: what the representation
can do at best. "MODEL:ideal=PART" takes the model's decisions except in one part, so that the difference to the model
says what is lost there. The parts: none, all, gains, strengths; low, middle, high (gains of bands below 1 kHz, to
4 kHz, above); pauses, speech, onsets (gains of frames that hold none, hold some, begin a word).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sordino.chain import bands
from sordino.chain.numerics import Float32
from sordino.chain.params import HOP, MAX_LOOK_AHEAD, SAMPLE_RATE, WINDOW
from sordino.train.analysis import Analysis, analyse
from sordino.train.dataset import Statistics, batch_major
from sordino.train.network import Network
from sordino.train.targets import Targets, make_targets
from sordino.train.treatment import Decision, lifted, treat

from .measures import ONSET_FRAMES, active_power, onset_hops
from .ours import Variant

PURE = {"oracle-gains": "gains", "oracle-comb": "all"}
LOW_HZ, HIGH_HZ = 1000.0, 4000.0
PARTS = ("none", "all", "gains", "strengths", "low", "middle", "high", "pauses", "speech", "onsets")
PairDenoiser = Callable[[Float32, Float32], Float32]


def pure(name: str) -> PairDenoiser:
    """An oracle without a model, one of PURE; (noisy, clean) -> aligned, all (n,) float32 at 48 kHz."""
    return _denoiser(None, PURE[name], MAX_LOOK_AHEAD, 0)


def partial(variant: Variant) -> PairDenoiser:
    """A model of which the oracle decides a part; (noisy, clean) -> aligned. Raises ValueError for another part."""
    if variant.ideal not in PARTS:
        raise ValueError(f"ideal={variant.ideal}: wanted one of {', '.join(PARTS)}")
    model = variant.load()
    network = Network(model.shape)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in model.weights.items()})
    statistics = Statistics(torch.from_numpy(model.feature_mean), torch.from_numpy(model.feature_std))

    def decide(analysis: Analysis) -> Decision:
        features = statistics.normalise(analysis.features).transpose(0, 1).contiguous()
        outputs = batch_major(network(features, variant.arithmetic == "int8"))
        return Decision(*(torch.sigmoid(x) for x in (outputs.gain, outputs.strength, outputs.voice)))

    return _denoiser(decide, variant.ideal, model.look_ahead, variant.settings.post_filter)


def _denoiser(decide: Callable[[Analysis], Decision] | None, part: str, look_ahead: int, passes: int) -> PairDenoiser:
    margin = HOP * (look_ahead + 1)

    def denoise(noisy: Float32, clean: Float32) -> Float32:
        padding = (0, -len(noisy) % HOP + margin)
        signal, wanted = (functional.pad(torch.from_numpy(x.copy()), padding)[None] for x in (noisy, clean))
        analysis = analyse(signal, look_ahead)
        level = torch.tensor([active_power(clean)], dtype=torch.float32)
        ideal = make_targets(analysis, wanted, torch.tensor([SAMPLE_RATE / 2]), level, look_ahead)
        own = decide(analysis) if decide else Decision(ideal.gain, torch.zeros_like(ideal.strength), None)
        gain = torch.where(_where(part, ideal, clean, look_ahead), ideal.gain, lifted(own))
        strength = ideal.strength if part in ("all", "strengths") else own.strength
        found: Float32 = treat(analysis, Decision(gain, strength, None), look_ahead, passes)[0, : len(noisy)].numpy()
        return found

    without_gradients: PairDenoiser = torch.no_grad()(denoise)
    return without_gradients


def _where(part: str, ideal: Targets, clean: Float32, look_ahead: int) -> Tensor:
    """Which gains the oracle decides; (1, steps, BANDS) or smaller where it is the same for all."""
    if part in ("all", "gains"):
        return torch.ones(1, 1, 1, dtype=torch.bool)
    if part in ("none", "strengths"):
        return torch.zeros(1, 1, 1, dtype=torch.bool)
    if part in ("low", "middle", "high"):
        hz = bands.centres() * (SAMPLE_RATE / WINDOW)
        low, high = {"low": (0, LOW_HZ), "middle": (LOW_HZ, HIGH_HZ), "high": (HIGH_HZ, SAMPLE_RATE)}[part]
        return torch.from_numpy(np.asarray((hz >= low) & (hz < high)))[None, None]
    if part == "onsets":
        # A word that begins in hop h is first heard in the frame of hops h - 1 and h: step h + look_ahead.
        steps = ideal.voice.shape[1]
        begins = (onset_hops(clean)[:, None] + np.arange(ONSET_FRAMES + 1) + look_ahead).ravel()
        chosen = np.zeros(steps, bool)
        chosen[begins[begins < steps]] = True
        return torch.from_numpy(chosen)[None, :, None]
    return (ideal.voice[..., None] > 0) == (part == "speech")
