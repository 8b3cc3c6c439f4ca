"""Was every arm searched as hard as the others? Trials per search and tokens per trial, by phase and size.

    found = fairness(records, design)
    found[~found["equal"]]          # phases in which some arm had more trials than another

Only phases of the design that searched count: of an arm or a size that was taken out of the spec nothing is compared.
Arms of unlike tasks have unlike tokens in the intermediate phase, by their nature; on a target every arm trains on
the same.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from study.analysis.frame import Design
from study.records import Record

COLUMNS = ["kind", "target", "size", "arms", "trials", "most_trials", "equal", "tokens", "most_tokens", "narrowed"]
COLUMNS += ["pruned", "steps_saved"]


def fairness(records: Iterable[Record], design: Design) -> pd.DataFrame:
    """One row per (kind, target, size): the least and the most trials of its searches and tokens of their trials.

    `narrowed`: the window lay around the winner of the smallest size, with half the trials. `pruned`: trials of all
    arms that were stopped early (`search.early_stopping`), `steps_saved`: the share of steps that this saved, of all
    that the trials would have taken.
    """
    groups: dict[tuple[str, str, str], list[Record]] = {}
    for record in records:
        if record.search is not None and record.trials and _asked(record, design):
            groups.setdefault((record.kind, record.task or "", record.size), []).append(record)
    rows = []
    for (kind, target, size), found in sorted(
        groups.items(), key=lambda item: (*item[0][:2], design.sizes.index(item[0][2]))
    ):
        trials = [len(record.trials) for record in found]
        tokens = [max(trial.tokens for trial in record.trials) for record in found]  # of one that went to its end
        narrowed = any(record.search is not None and record.search.narrowed_by for record in found)
        arms = len({record.arm for record in found})
        rows.append(
            (kind, target or None, size, arms, min(trials), max(trials), min(trials) == max(trials))
            + (min(tokens), max(tokens), narrowed, *_pruned(found))
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def _pruned(records: Iterable[Record]) -> tuple[int, float]:
    count, spared, steps = 0, 0, 0
    for record in records:
        full = max(trial.steps for trial in record.trials)  # the winner went to its end
        pruned = [trial for trial in record.trials if trial.status == "pruned"]
        count += len(pruned)
        spared += sum(full - trial.steps for trial in pruned)
        steps += full * len(pruned) + sum(trial.steps for trial in record.trials if trial.status != "pruned")
    return count, spared / steps


def _asked(record: Record, design: Design) -> bool:
    target = record.task is None or record.task in design.targets
    return target and record.size in design.sizes and record.arm in design.arms and record.seed in design.seeds
