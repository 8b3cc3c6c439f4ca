"""How is a table shown to a person? Rows of short texts: rounded, signed, keys as code, flags as words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isinf, isnan
from typing import Any

import pandas as pd

from study.report.answers.words import signed
from study.report.answers.words import times as factor_text

Show = Callable[[Any], str]


@dataclass(frozen=True)
class View:
    """A table of plain texts. `kinds` tells of every column how it is set:

    text, number (flush right), long (a list, broken where it must be), keys (of phases, with blanks between).
    """

    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    anchors: tuple[str, ...] = ()
    """Key of the phase that a row is about, where rows are phases: what other tables and figures link to."""
    traces: tuple[str, ...] = ()
    """What a row rests on, as a filter of another table: "target:=xcopa;size:=m"."""


def absent(value: Any) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and isnan(value))


def text(value: Any) -> str:
    return "" if absent(value) else str(value)


def long(value: Any) -> str:
    """A list that may be long."""
    return text(value)


def keys(value: Any) -> str:
    """Keys of phases with blanks between."""
    return text(value)


def flag(value: Any) -> str:
    return "yes" if value is True or (not absent(value) and bool(value)) else ""


def answer(value: Any) -> str:
    """Where "no" says something too."""
    return "" if absent(value) else "yes" if value else "no"


def p_value(value: Any) -> str:
    return "" if absent(value) else "< 0.001" if value < 0.001 else f"{value:.2g}"


def whole(value: Any) -> str:
    return "" if absent(value) else f"{value:,.0f}".replace(",", " ")


def points(value: Any) -> str:
    return "" if absent(value) else f"{value:.1f}"


def hundredths(value: Any) -> str:
    return "" if absent(value) else f"{value:.2f}"


def change(value: Any) -> str:
    return "" if absent(value) else signed(value)


def short(value: Any) -> str:
    """Three significant digits, a true minus sign."""
    if absent(value):
        return ""
    return f"−{-value:.3g}" if value < 0 else f"{value:.3g}"


def rank(value: Any) -> str:
    """A rank correlation."""
    return "" if absent(value) else signed(value, 2)


def seconds(value: Any) -> str:
    """Seconds below ten minutes, else hours."""
    if absent(value):
        return ""
    return f"{value:.1f} s" if value < 600 else f"{value / 3600:.2f} h"


def flops(value: Any) -> str:
    return "" if absent(value) or value == 0 else f"{value:.2e}".replace("e+0", "e").replace("e+", "e")


def hours(value: Any) -> str:
    return "" if absent(value) else seconds(value * 3600)


def ceiling(value: Any) -> str:
    """The upper end of a price."""
    return "no limit" if not absent(value) and isinf(value) else flops(value)


def money(value: Any) -> str:
    return "" if absent(value) else f"{value:,.2f}"


def unit(value: Any) -> str:
    return {"flops": "FLOPs", "hours": "time"}.get(value, text(value))


def percent(value: Any) -> str:
    return "" if absent(value) else f"{value:.0%}"


def times(value: Any) -> str:
    return "" if absent(value) else factor_text(float(value))


def _same(show: Show, names: str) -> dict[str, tuple[str, Show]]:
    """Columns whose heading is their name."""
    return {name: (name, show) for name in names.split()}


COLUMNS: dict[str, tuple[str, Show]] = {
    **_same(text, "kind size arm target task language family change verdict status note level name method group fact"),
    **_same(text, "larger model base where mark"),
    **_same(long, "claim reason"),
    "missing": ("missing", long),
    "lacking": ("without a record", long),
    "targets": ("targets", long),
    "stand_ins": ("stand-ins", long),
    **_same(whole, "seed seeds sizes trial trials phases pairs tokens languages examples diverged failed pruned"),
    **_same(points, "score others majority random before after"),
    **_same(change, "gain low high points slope doubling added theirs ours"),
    **_same(flag, "degenerate extended partial chosen equal narrowed"),
    "key": ("key", keys),
    "tuned_by": ("learning rate from", keys),
    "narrowed_by": ("around the winner of", keys),
    "steps_saved": ("steps saved", percent),
    "search_seed": ("search seed", whole),
    "arms": ("arms", whole),
    "most_trials": ("most", whole),
    "most_tokens": ("most", whole),
    "full": ("full", points),
    "narrowed_score": ("narrowed", points),
    "regret": ("regret", change),
    "full_trials": ("trials in full", whole),
    "full_flops": ("FLOPs in full", flops),
    "lineage": ("lineage", keys),
    "quantity": ("of", text),
    "clear": ("stands", flag),
    "like_low": ("languages like these: low", change),
    "like_high": ("high", change),
    "without_zero": ("interval leaves out 0", flag),
    "p": ("p", p_value),
    "holm": ("p (Holm)", p_value),
    "fdr": ("p (BH)", p_value),
    "detectable": ("seen with 80 %", points),
    "scope": ("speaks of", text),
    "error": ("standard error", hundredths),
    "agrees": ("agrees", answer),
    "more": ("gain − doubling", change),
    "next": ("arm − next size", change),
    "next_low": ("low", change),
    "next_high": ("high", change),
    "next_clear": ("stands", flag),
    "after_targets": ("after targets", text),
    "what": ("at", text),
    "per_cent": ("left, %", points),
    "per_low": ("low", points),
    "per_high": ("high", points),
    "english": ("English", points),
    "gap": ("English − others", change),
    "gap_change": ("changed by arm", change),
    **{f"{gap}_{end}": (end, change) for gap in ("gap", "gap_change") for end in ("low", "high")},
    "q": ("adjusted p", short),
    "resource": ("resource class", whole),
    "text": ("web text, GiB", short),
    "dev_score": ("dev score", points),
    "retention": ("retained, %", points),
    "learned": ("before − blind", change),
    "per_unit": ("per unit", change),
    "spearman": ("Spearman's ρ", rank),
    "distance": ("distance", short),
    "factor": ("factor", times),
    "factor_low": ("low", times),
    "factor_high": ("high", times),
    "seconds": ("device time", seconds),
    "winner_seconds": ("winners' part", seconds),
    "flops": ("FLOPs", flops),
    "winner_flops": ("winners' part", flops),
    "lost_seconds": ("lost trials", seconds),
    "lost_flops": ("lost trials", flops),
    "hours": ("time × devices", hours),
    **_same(money, "money"),
    "flops_per_point": ("FLOPs per point", flops),
    "flops_per_point_low": ("from", flops),
    "flops_per_point_high": ("to", ceiling),
    "winner_flops_per_point": ("winners' part", flops),
    "alone_flops_per_point": ("alone", flops),
    "hours_per_point": ("time per point", hours),
    "money_per_point": ("money per point", money),
    "unit": ("cheapest in", unit),
    "reached": ("its score", points),
    **_same(percent, "chance"),
    "on_flops": ("best in FLOPs", flag),
    "on_hours": ("best in time", flag),
    "often_flops": ("often", percent),
    "often_hours": ("often", percent),
    **_same(short, "a b c"),
    "aicc": ("AICc", short),
    **{f"{name}_{end}": (end, short) for name in "abc" for end in ("low", "high")},
    "left_out": ("left out, points", short),
    "determined": ("c determined", flag),
    "ratio_low": ("least ratio", short),
    "ratio_high": ("largest ratio", short),
    "in_language": ("in the text", flag),
    "peak_memory_mb": ("peak MB", whole),
    "learning_rate": ("learning rate", short),
    "window_low": ("window from", short),
    "window_high": ("to", short),
    "overhead": ("overhead, s", short),
}
"""Column of any table -> (heading, how to show a value)."""


def view(table: pd.DataFrame, names: Sequence[str]) -> View:
    """The named columns, in that order. Absent ones, flags that nobody raised, prices not known and records that
    nobody lacks are skipped."""
    names = [name for name in names if name in table.columns]
    names = [name for name in names if _column(name)[1] is not flag or table[name].astype(bool).any()]
    names = [name for name in names if _column(name)[1] is not money or table[name].notna().any()]
    names = [name for name in names if name != "lacking" or (table[name] != "").any()]
    shows = [_column(name)[1] for name in names]
    rows = [
        tuple(show(value) for show, value in zip(shows, row, strict=True))
        for row in table[names].itertuples(index=False, name=None)
    ]
    return View(tuple(_column(name)[0] for name in names), tuple(_kind(show) for show in shows), tuple(rows))


def _kind(show: Show) -> str:
    texts = (text, flag, answer, unit)
    return "text" if show in texts else "long" if show is long else "keys" if show is keys else "number"


def _column(name: str) -> tuple[str, Show]:
    """(heading, how to show a value); `gain_siqa` is shown as `gain` is, `score_siqa` under the arm's name."""
    if name in COLUMNS:
        return COLUMNS[name]
    stem, _, arm = name.partition("_")
    heading = {"score": arm, "gain": f"gain {arm}"}.get(stem, stem)
    return heading, COLUMNS[stem][1]
