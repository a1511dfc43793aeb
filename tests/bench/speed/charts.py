"""The plot of a run: what every system costs, and how the cost grows with weights and with streams."""

from __future__ import annotations

import math
from typing import Any

LEFT, WIDTH, ROW = 330, 560, 22
PANEL_WIDTH, PANEL_HEIGHT, MARGIN = 400, 240, 60
DARK, LIGHT = "#2a6f97", "#a9d6e5"
Line = list[tuple[float, float]]


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{words}</text>'


def systems_chart(result: dict[str, Any]) -> tuple[str, int]:
    """Warm and paced cost of every system as horizontal bars, one group per browser; and the height it takes."""
    rows = [
        (f"{b}: {n}", w["median"], found.get("paced", {}).get(n, w)["median"])
        for b, found in result["browsers"].items()
        for n, w in found.get("warm", {}).items()
    ]
    scale = WIDTH / max((max(w, p) for _, w, p in rows), default=1)
    body = [text(12, 24, "us per 10 ms of sound: warm (dark), paced (light)")]
    for i, (name, warm, paced) in enumerate(rows):
        y = 40 + ROW * i
        body.append(text(LEFT - 8, y + 13, name, "end"))
        body.append(f'<rect x="{LEFT}" y="{y + 1}" width="{warm * scale:.1f}" height="8" fill="{DARK}"/>')
        body.append(f'<rect x="{LEFT}" y="{y + 10}" width="{paced * scale:.1f}" height="8" fill="{LIGHT}"/>')
        body.append(text(LEFT + max(warm, paced) * scale + 6, y + 13, f"{warm:.0f} / {paced:.0f}"))
    return "".join(body), 60 + ROW * len(rows)


def growth_chart(left: float, top: float, title: str, lines: dict[str, Line]) -> str:
    """Two lines of points with logarithmic axes; each point is labelled with its figures."""
    points = [point for line in lines.values() for point in line if min(point) > 0]
    if not points:
        return ""
    low_x, high_x = (f(math.log(x) for x, _ in points) for f in (min, max))
    low_y, high_y = (f(math.log(y) for _, y in points) for f in (min, max))

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x = (math.log(point[0]) - low_x) / (high_x - low_x or 1)
        y = (math.log(point[1]) - low_y) / (high_y - low_y or 1)
        return left + x * PANEL_WIDTH, top + 20 + (1 - y) * (PANEL_HEIGHT - 20)

    body = [text(left, top, title)]
    for (name, line), colour in zip(lines.items(), (DARK, LIGHT), strict=True):
        placed = [place(point) for point in line]
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        body.append(f'<polyline points="{corners}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for (x, y), (at, us) in zip(placed, line, strict=True):
            body.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"><title>{name}</title></circle>')
            if colour == DARK:
                body.append(text(x, y + 18, f"{at:g}: {us:.0f}", "middle"))
    return "".join(body)


def plot(result: dict[str, Any]) -> str:
    """The whole picture as SVG; what was not measured is left out."""
    bars, height = systems_chart(result)
    browser = result["browsers"].get("chromium", {})
    best = [row for row in browser.get("sizes", []) if row["variant"] == browser["best"]]
    best = sorted((row for row in best if row["name"].startswith("size")), key=lambda row: row["weights"])
    weights = {
        kind: [(round(row["weights"] / 1e6, 2), row[kind]["median"]) for row in best] for kind in ("warm", "paced")
    }
    streams = {
        kind: [(row["streams"], row[kind]["together"]["median"]) for row in browser.get("streams", [])]
        for kind in ("warm", "paced")
    }
    panels = growth_chart(MARGIN, height + 30, "us per hop by million weights, in Chromium", weights)
    panels += growth_chart(2 * MARGIN + PANEL_WIDTH, height + 30, "us per hop of all by streams in a Worker", streams)
    size = f'width="{LEFT + WIDTH + 110}" height="{height + PANEL_HEIGHT + 2 * MARGIN}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">'
    return f'{head}<rect width="100%" height="100%" fill="white"/>{bars}{panels}</svg>\n'
