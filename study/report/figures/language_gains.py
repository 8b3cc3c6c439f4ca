"""Which languages gain? One row per language, the largest gain first; and the gains against distance from English.

The shape of a marker and its shade tell how far the language is from English. Filled: the language clearly gains or
loses, with the false discoveries among the languages of the arm controlled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from study.analysis.bylanguage import LanguageGain
from study.analysis.frame import NONE
from study.analysis.gains import POOLED
from study.analysis.languages import ENGLISH, FAR, FEWEST, MIDDLE, NEAR, Language, tercile
from study.analysis.noise import Estimate
from study.report.answers.words import interval
from study.report.figures.axes import HEIGHT, WIDTH, draw_interval
from study.report.findings import Findings
from study.report.marks import Tip, keys_by, mark
from study.report.style import INK, MUTED, PAPER, Drawing, canvas, colour, finish

LOOK = {NEAR: ("o", 1.0), MIDDLE: ("s", 0.7), FAR: ("^", 0.45), ENGLISH: ("D", 1.0), "": ("o", 1.0)}
"""Group of a language -> (marker, how full its colour is)."""
NAME = np.array([0.05, 0.05])
"""Shares of the two axes that a name takes."""


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """Two per arm: by language, and against distance where three or more are known."""
    cells = keys_by(found.cells, "language", "arm")
    for arm, gains in found.across_languages.gains.items():
        keys = {code: (*cells.get((code, arm), ()), *cells.get((code, NONE), ())) for code in gains}
        tips = {code: _tip(arm, found.languages[code], gained, keys[code]) for code, gained in gains.items()}
        yield by_language(found, arm, gains, tips)
        yield by_distance(found, arm, gains, tips)


def by_language(
    found: Findings, arm: str, gains: Mapping[str, LanguageGain], tips: Mapping[str, Tip]
) -> Drawing | None:
    """Rows of gains over the targets that test the language and over the sizes, with 95 % intervals."""
    if not gains:
        return None
    tone = colour(arm, found.design.arms)
    with canvas(WIDTH, 1.3 + 0.155 * max(len(gains), 4)) as (figure, axes):
        for row, (code, gained) in enumerate(gains.items()):
            shape, shade = LOOK[_group(found, code)]
            draw_interval(axes, gained.mean.low, gained.mean.high, -row, tone, arm)
            mark(_point(axes, gained.mean.point, -row, shape, shade, tone, gained.clear), arm, [tips[code]])
        axes.axvline(0, color=INK, lw=0.9, zorder=1)
        axes.set_yticks([-row for row in range(len(gains))], [_label(found.languages[code]) for code in gains])
        axes.set_ylim(-len(gains) + 0.3, 0.7)
        axes.set_xlim(*_limits([gained.mean for gained in gains.values()]))
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("gain over none, points")
        _legend(figure, axes, {_group(found, code) for code in gains}, tone)
        axes.set_title(f"Gain of {arm} by language")
        alt = f"Gain of arm {arm} by language with 95 % intervals, the largest first: {', '.join(gains)}"
        return finish(figure, f"language-gain-{arm}", alt)


def by_distance(
    found: Findings, arm: str, gains: Mapping[str, LanguageGain], tips: Mapping[str, Tip]
) -> Drawing | None:
    """Every language at its distance, and the slope over distance (within targets) through the mean."""
    placed = {code: distance for code in gains if (distance := found.languages[code].distance) is not None}
    others = [code for code in placed if code != ENGLISH]
    if len(others) < FEWEST:
        return None
    tone = colour(arm, found.design.arms)
    with canvas(WIDTH, HEIGHT + 0.4) as (figure, axes):
        for code, distance in placed.items():
            gained = gains[code]
            shape, shade = LOOK[_group(found, code)]
            ends = [gained.mean.low, gained.mean.high]
            mark(axes.plot([distance] * 2, ends, color=tone, lw=1.0, alpha=0.3, zorder=2)[0], arm)
            mark(_point(axes, distance, gained.mean.point, shape, shade, tone, gained.clear), arm, [tips[code]])
        axes.axhline(0, color=INK, lw=0.9, zorder=1)
        if line := found.across_languages.gain_slopes[arm].get(POOLED):
            x = np.array([min(placed[code] for code in others), max(placed[code] for code in others)])
            centre = np.mean([placed[code] for code in others]), np.mean([gains[code].mean.point for code in others])
            axes.plot(x, centre[1] + line.mean().point * (x - centre[0]), color=tone, lw=1.4, ls=(0, (4, 2)), zorder=3)
        axes.set_ylim(*_limits([gains[code].mean for code in placed]))
        _name_points(axes, {code: (distance, gains[code].mean.point) for code, distance in placed.items()})
        axes.set_xlabel("distance from English")
        axes.set_ylabel(f"gain of {arm}, points")
        axes.set_title(f"Gain of {arm} against distance from English")
        alt = f"Gain of arm {arm} by language against its distance from English"
        return finish(figure, f"language-gain-distance-{arm}", alt)


def _point(axes: Axes, x: float, y: float, shape: str, shade: float, tone: str, clear: bool) -> Line2D:
    axes.plot(x, y, shape, ms=5.5, color=PAPER, zorder=4)  # hides the interval behind what is not opaque
    face = tone if clear else "none"
    (drawn,) = axes.plot(x, y, shape, ms=5.5, mfc=face, mec=tone, mew=1.3, alpha=shade, zorder=5)
    return drawn


def _tip(arm: str, language: Language, gained: LanguageGain, keys: tuple[str, ...]) -> Tip:
    text = f"gain of {arm}, {_label(language)}\n{interval(gained.mean)} points, mean of targets and sizes"
    return Tip(f"{text}\n{', '.join(gained.pool.targets)}", keys)


def _group(found: Findings, code: str) -> str:
    """Near, middle, far; English for itself; "" where that is not known."""
    if code == ENGLISH:
        return ENGLISH
    group = tercile(found.languages[code], found.across_languages.cuts)
    return group if group in LOOK else ""


def _label(language: Language) -> str:
    return f"{language.name} ({language.code})" if language.name else language.code


def _legend(figure, axes: Axes, groups: set[str], tone: str) -> None:
    """Near, middle and far below the axes, where there is a distance."""
    named = [group for group in (NEAR, MIDDLE, FAR) if group in groups]
    handles = [
        Line2D([], [], ls="", marker=LOOK[name][0], mfc="none", mec=tone, mew=1.3, alpha=LOOK[name][1], label=name)
        for name in named
    ]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=8)


def _limits(estimates: list[Estimate]) -> tuple[float, float]:
    """Zero, all points, and all intervals but those far wider than most: they shall not flatten the rest."""
    most = 3 * float(np.median([estimate.high - estimate.low for estimate in estimates]))
    shown = [
        e if e.high - e.low <= most else Estimate(e.point, e.point - most / 2, e.point + most / 2) for e in estimates
    ]
    low, high = min(0.0, *(e.low for e in shown)), max(0.0, *(e.high for e in shown))
    return low - 0.04 * (high - low), high + 0.04 * (high - low)


def _name_points(axes: Axes, places: Mapping[str, tuple[float, float]]) -> None:
    """Codes beside their points, from the outside of the cloud inwards, as long as they touch nothing."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    low, span = np.array([left, bottom]), np.array([right - left, top - bottom])
    scaled = {code: (np.array(place) - low) / span for code, place in places.items()}
    centre = np.mean(list(scaled.values()), axis=0)
    named: list[np.ndarray] = []
    for code in sorted(scaled, key=lambda code: -float(np.abs(scaled[code] - centre).sum())):
        middle = scaled[code] + NAME / 2
        points = [point for other, point in scaled.items() if other != code]
        free = all((np.abs(point - middle) > NAME * 0.6).any() for point in points)
        if free and all((np.abs(other - middle) > NAME).any() for other in named):
            axes.annotate(code, places[code], (4, 3), textcoords="offset points", fontsize=7, color=MUTED, zorder=6)
            named.append(middle)
