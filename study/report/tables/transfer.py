"""Which tables tell of groups of languages, of the transfer gap, and of the fall with distance?

tables(found)["language_gains"]     # arm, language, ..., size, gain, low, high, q, clear, targets
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from study.analysis.gains import Pool
from study.analysis.noise import Estimate
from study.analysis.series import Series
from study.report.findings import Findings
from study.report.tables.gains import three

ALL = "all sizes"
NOTHING = (float("nan"),) * 3


def tables(found: Findings) -> dict[str, pd.DataFrame]:
    """{file stem: table}"""
    return {
        "language_gains": language_gains(found),
        "language_groups": language_groups(found),
        "transfer_gap": transfer_gap(found),
        "distance": distance(found),
        "language_ranks": found.across_languages.ranks,
    }


def language_gains(found: Findings) -> pd.DataFrame:
    """One row per (arm, language, size or `ALL`): gain over the targets that test the language.

    `q` is the p value adjusted for the number of languages (all sizes only, English left out); `clear` is q <= 5 %.
    """
    columns = ["arm", "language", "name", "family", "script", "resource", "text", "distance", "size"]
    columns += ["gain", "low", "high", "q", "clear", "targets"]
    rows = []
    for arm, by_language in found.across_languages.gains.items():
        for code, gained in by_language.items():
            known = found.languages[code]
            facts = (code, known.name, known.family, known.script, known.resource, known.text, known.distance)
            for size, estimate in _by_size(gained.pool.gain):
                verdict = (gained.q, gained.clear) if size == ALL else (None, None)
                rows.append((arm, *facts, size, *three(estimate), *verdict, " ".join(gained.pool.targets)))
    return pd.DataFrame(rows, columns=columns)


def language_groups(found: Findings) -> pd.DataFrame:
    """One row per (kind, group, arm, size or `ALL`): score beside its baselines, gap to English, gain."""
    columns = ["kind", "group", "codes", "arm", "size", "score", "score_low", "score_high"]
    columns += ["majority", "random", "english"]
    columns += ["gap", "gap_low", "gap_high", "gain", "gain_low", "gain_high", "targets"]
    rows = []
    beside = _Beside(found)
    for one in found.across_languages.groups:
        codes = sorted({code for codes in one.group.members.values() for code in codes})
        blind = beside.blind_of(codes, one.score.targets)
        gaps, gains = (dict(_by_size(pool.gain)) if pool else {} for pool in (one.gap, one.gain))
        for size, score in _by_size(one.score.gain):
            gap, gain = (three(of[size]) if size in of else NOTHING for of in (gaps, gains))
            english = beside.english_of(one.arm, size, one.gap)
            place = (one.group.kind, one.group.name, " ".join(codes), one.arm, size)
            rows.append((*place, *three(score), *blind, english, *gap, *gain, " ".join(one.score.targets)))
    return pd.DataFrame(rows, columns=columns)


def transfer_gap(found: Findings) -> pd.DataFrame:
    """One row per (target or pool, arm, size): English minus the mean of the others, and what the arm changes."""
    columns = ["target", "arm", "size", "english", "others", "majority", "random"]
    columns += ["gap", "gap_low", "gap_high", "gap_change", "gap_change_low", "gap_change_high"]
    means = found.tasks.groupby(["target", "arm", "size"])[["english", "others", "majority", "random"]].mean()
    scores = {place: tuple(row) for place, row in zip(means.index, means.to_numpy(), strict=True)}
    rows = []
    for arm, by_target in found.across_languages.gaps.items():
        changes = found.across_languages.gap_changes.get(arm, {})
        for target, gap in by_target.items():
            change = changes.get(target)
            for size in gap.sizes:
                estimate = gap.at(size)
                assert estimate is not None
                changed = change.at(size) if change else None
                beside = scores.get((target, arm, size), (float("nan"),) * 4)  # a mean of targets has none
                rows.append((target, arm, size, *beside, *three(estimate), *(three(changed) if changed else NOTHING)))
    return pd.DataFrame(rows, columns=columns)


def distance(found: Findings) -> pd.DataFrame:
    """Points of score, and of gain, per unit of distance from English by (target or pool, arm, size or `ALL`)."""
    across = found.across_languages
    rows = [
        (quantity, target, arm, size, *three(estimate), estimate.clear)
        for quantity, slopes in (("score", across.score_slopes), ("gain", across.gain_slopes))
        for arm, by_target in slopes.items()
        for target, line in by_target.items()
        for size, estimate in _by_size(line)
    ]
    return pd.DataFrame(rows, columns=["quantity", "target", "arm", "size", "per_unit", "low", "high", "without_zero"])


def _by_size(line: Series) -> Iterator[tuple[str, Estimate]]:
    """(size, estimate); the mean over the sizes first, as `ALL`."""
    yield ALL, line.mean()
    for size in line.sizes:
        estimate = line.at(size)
        assert estimate is not None
        yield size, estimate


class _Beside:
    """Baselines of a group: the predictors that do not look, and English."""

    def __init__(self, found: Findings) -> None:
        blind = found.cells.groupby(["target", "language"])[["majority", "random"]].mean()
        self.blind = {place: tuple(row) for place, row in zip(blind.index, blind.to_numpy(), strict=True)}
        english = found.tasks.groupby(["arm", "size", "target"])["english"].mean()
        self.english = dict(zip(english.index, english, strict=True))

    def blind_of(self, codes: Iterable[str], targets: Iterable[str]) -> tuple[float, float]:
        """(majority, random): mean over the targets of the mean over the languages."""
        known = [[self.blind[target, code] for code in codes if (target, code) in self.blind] for target in targets]
        majority, random = np.mean([np.mean(rows, axis=0) for rows in known if rows], axis=0)
        return float(majority), float(random)

    def english_of(self, arm: str, size: str, gap: Pool | None) -> float:
        """Mean English score over the targets of a gap (and over its sizes, for `ALL`); NaN without one."""
        sizes = gap.gain.sizes if gap and size == ALL else (size,)
        scores = [self.english[arm, one, target] for one in sizes for target in (gap.targets if gap else ())]
        return float(np.mean(scores)) if scores else float("nan")
