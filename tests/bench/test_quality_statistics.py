"""Bootstrap intervals: words of one clip belong together."""

import numpy as np
import pytest

from sordino.evaluation.statistics import interval, interval_by_clip


def width(found: dict[str, float | int]) -> float:
    return found["high"] - found["low"]


def test_words_of_a_clip_that_are_alike_say_no_more_than_one() -> None:
    clips = np.random.default_rng(1).normal(0, 1, 60)
    one_each, ten_each = ([[value] * words for value in clips] for words in (1, 10))
    assert interval_by_clip(ten_each) == pytest.approx(interval_by_clip(one_each))
    alone = interval(value for clip in ten_each for value in clip)
    assert width(alone) < 0.4 * width(interval_by_clip(ten_each))


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Of words that share the luck of their clip; with words resampled alone it holds in far fewer draws."""
    random, held = np.random.default_rng(2), []
    for draw in range(100):
        luck = random.normal(0, 1, 40)
        words = [luck[i] + random.normal(0, 0.5, 1 + i % 9) for i in range(40)]
        by_clip, alone = interval_by_clip(words, draw), interval(np.concatenate(words), draw)
        held.append([found["low"] <= 0 <= found["high"] for found in (by_clip, alone)])
    by_clip, alone = np.mean(held, axis=0)
    assert by_clip > 0.85 and alone < 0.7


def test_what_is_missing_is_left_out() -> None:
    assert interval_by_clip([[], [1.0, float("nan")], [3.0]])["clips"] == 2
    assert interval([None, float("nan"), 2.0])["mean"] == 2
    assert interval([]) == interval_by_clip([[]]) == {}
