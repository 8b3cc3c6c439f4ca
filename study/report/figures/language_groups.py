"""Which kinds of languages score what, and which gain? One row per group, one marker per arm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from study.analysis.bylanguage import GroupResult
from study.analysis.frame import NONE
from study.analysis.languages import UNKNOWN
from study.analysis.noise import Estimate
from study.report.answers.words import interval
from study.report.figures.axes import WIDTH
from study.report.findings import Findings
from study.report.marks import Tip, keys_by, mark
from study.report.style import INK, PAPER, Drawing, canvas, colour, finish, marker

Keys = Mapping[tuple, tuple[str, ...]]
"""{(language, arm): evaluation keys}"""
KINDS = ("distance", "pretraining", "resource class", "family")


def drawings(found: Findings) -> Iterator[Drawing | None]:
    """Scores, and gains; nothing where no group of languages is known."""
    results = [one for one in found.across_languages.groups if one.group.kind in KINDS]
    known = {one.group.kind for one in results if one.group.name != UNKNOWN}
    results = [one for one in results if one.group.kind in known]
    scores = [(one, one.score.gain.mean(), True) for one in results]
    gains = [(one, mean, mean.clear) for one in results if one.gain for mean in [one.gain.gain.mean()]]
    yield _forest(found, scores, "score") if scores else None
    yield _forest(found, gains, "gain") if gains else None


def _forest(found: Findings, results: Sequence[tuple[GroupResult, Estimate, bool]], what: str) -> Drawing:
    """Means over targets and sizes with 95 % intervals, for (result, estimate, whether it is filled)."""
    rows = _rows([one for one, _, _ in results])
    keys = keys_by(found.cells, "language", "arm")
    arms = [arm for arm in found.design.arms if any(one.arm == arm for one, _, _ in results)]
    with canvas(WIDTH, 1.1 + max(0.19, 0.13 + 0.03 * len(arms)) * len(rows)) as (figure, axes):
        for one, estimate, filled in results:
            y = -rows[one.group.kind, one.group.name] - (arms.index(one.arm) - (len(arms) - 1) / 2) * 0.6 / len(arms)
            tone, shape = colour(one.arm, found.design.arms), marker(one.arm, found.design.arms)
            mark(axes.plot([estimate.low, estimate.high], [y, y], color=tone, lw=1.2, alpha=0.7, zorder=3)[0], one.arm)
            look: Any = {"mfc": tone if filled else PAPER, "mec": tone, "mew": 1.0}
            (point,) = axes.plot(estimate.point, y, shape, ls="", ms=4.5, zorder=4, label=one.arm, **look)
            mark(point, one.arm, [_tip(one, estimate, what, keys)])
        if what == "gain":
            axes.axvline(0, color=INK, lw=0.9, zorder=1)
        axes.set_yticks([-y for y in rows.values()], [_label(kind, name) for kind, name in rows])
        axes.set_ylim(-max(rows.values()) - 0.7, 0.7)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(f"{what}, points (mean over targets and sizes)")
        axes.set_title(f"{what.capitalize()} by group of languages")
        handles, labels = axes.get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        columns = min(len(unique), 3)  # a wider legend would leave no room for the axes
        figure.legend(
            unique.values(), unique.keys(), loc="outside lower center", ncols=columns, frameon=False, fontsize=8
        )
        alt = f"{what.capitalize()} by group of languages, one marker per arm, with 95 % intervals"
        return finish(figure, f"language-groups-{what}", alt)


def _rows(results: list[GroupResult]) -> dict[tuple[str, str], float]:
    """{(kind, group): row}, with a gap between kinds."""
    rows: dict[tuple[str, str], float] = {}
    y, last = 0.0, ""
    for one in results:
        place = (one.group.kind, one.group.name)
        if place in rows:
            continue
        y += 0.6 if last not in ("", one.group.kind) else 0.0
        rows[place] = y
        y, last = y + 1.0, one.group.kind
    return rows


def _tip(one: GroupResult, estimate: Estimate, what: str, keys: Keys) -> Tip:
    told = interval(estimate) if what == "gain" else f"{estimate.point:.1f} ({estimate.low:.1f} to {estimate.high:.1f})"
    text = f"{what} of {one.arm}, {_label(one.group.kind, one.group.name)}\n{told} points"
    arms = (one.arm, NONE) if what == "gain" else (one.arm,)
    codes = sorted({code for members in one.group.members.values() for code in members})
    behind = {key for arm in arms for code in codes for key in keys.get((code, arm), ())}
    return Tip(f"{text}\n{' '.join(codes)}", tuple(sorted(behind)))


def _label(kind: str, name: str) -> str:
    if kind == "resource class":
        return f"class {name}"
    return f"{name} ({kind})" if name == UNKNOWN else name.removeprefix("Indo-European: ")
