"""What does a half-finished study lack, and which answers wait for it? A few lines for the top of the page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from study.analysis.frame import NONE
from study.report.answers.words import Answer
from study.report.findings import Findings

MOST = 12
"""Lines told; the table of missing cells has them all."""


@dataclass(frozen=True)
class Gaps:
    """Sentences: what is missing, and what waits for it."""

    lines: tuple[str, ...]
    waiting: tuple[str, ...]


def gaps(found: Findings, answers: Sequence[Answer]) -> Gaps | None:
    """None when every cell that the spec asks for has been scored."""
    if not found.missing:
        return None
    lines = _missing(found)
    if len(lines) > MOST:
        lines = [*lines[:MOST], f"and {len(lines) - MOST} more such lines."]
    return Gaps(tuple(lines), tuple(_waiting(found, answers)))


def _missing(found: Findings) -> list[str]:
    """One line per size that lacks everything, else per (size, arm), with targets and seeds."""
    design = found.design
    by_size: dict[str, list[tuple[str, str, int]]] = defaultdict(list)
    for size, arm, target, seed in found.missing:
        by_size[size].append((arm, target, seed))
    lines = []
    for size, cells in by_size.items():
        if len(cells) * len(design.sizes) == found.asked:
            lines.append(f"{size}: all {len(cells)} cells.")
            continue
        for arm in dict.fromkeys(arm for arm, _, _ in cells):
            seeds: dict[tuple[int, ...], list[str]] = defaultdict(list)
            for target in dict.fromkeys(target for of, target, _ in cells if of == arm):
                seeds[tuple(seed for of, to, seed in cells if (of, to) == (arm, target))].append(target)
            lines += [
                f"{size}, {arm}: {_targets(found, names)}{_seeds(found, which)}." for which, names in seeds.items()
            ]
    return lines


def _targets(found: Findings, names: Sequence[str]) -> str:
    return "all targets" if len(names) == len(found.design.targets) > 1 else ", ".join(names)


def _seeds(found: Findings, seeds: Sequence[int]) -> str:
    if len(seeds) == len(found.design.seeds):
        return ""
    return f", seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"


def _waiting(found: Findings, answers: Sequence[Answer]) -> list[str]:
    """Answers that cannot be told yet; those that are told but use arms with missing cells."""
    arms = {arm for _, arm, _, _ in found.missing}
    uses = {3: arms - {NONE}, 5: arms & set(found.domain.arms)}  # the third asks arms alone, the fifth arms with text
    untold, open_ = [], []
    for number, answer in enumerate(answers, 1):
        if answer.verdict.startswith("cannot tell"):
            untold.append(str(number))
        elif uses.get(number, arms):
            open_.append(str(number))
    lines = []
    if untold:
        lines.append(f"Cannot be told yet: {_numbered(untold)}.")
    if open_:
        lines.append(f"Told from what is there so far, and may still change: {_numbered(open_)}.")
    return lines


def _numbered(numbers: Sequence[str]) -> str:
    return f"answer{'s' * (len(numbers) > 1)} {', '.join(numbers)}"
