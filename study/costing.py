"""What do `study plan --cost` and `study calibrate` do? They gather what a budget needs, and show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from study import calibrations, halving, models, show, show_cost
from study.amounts import Amounts, Bound, Sampled
from study.budget import Budget, budget
from study.gpus import Card, card, cards
from study.plan import Row, data_root, rows
from study.shapes import size_of
from study.spec import StudySpec
from study.store import Store
from trainables import storage
from trainables.config import Adapter
from trainables.data.root import Root

ALL = "all"


def show_costs(spec: StudySpec, store: Store, gpu: str | None, rate: float | None, json: bool) -> None:
    """Print the budget of a study on one card or on all. Raises `StudyError` when it does not fit the one asked for."""
    found, tokens = costs(spec, store, gpu, rate)
    show.as_json(show_cost.budget_json(found, tokens)) if json else show_cost.budget_text(found, tokens)


def costs(spec: StudySpec, store: Store, gpu: str | None, rate: float | None) -> tuple[list[Budget], str]:
    """(budgets, what the tokens rest on), on the card of `gpu`, else the study's, else all of the table.

    `rate` is the price of a GPU-hour, by default that of the study's report.
    """
    rate = spec.report.gpu_hour_price if rate is None else rate
    known = calibrations.load(store)
    own = [calibrations.as_card(one.device) for one in known.values()]
    chosen = gpu or spec.compute.gpu or ALL
    asked = _cards(chosen, own)
    found = rows(spec, store, fetched=False)
    lengths = _lengths(spec, store, found)
    made = [budget(spec, found, lengths, one, calibrations.of_card(known, one), rate) for one in asked]
    if len(asked) == 1:
        made[0].check()
    return made, "; ".join(filter(None, (lengths.basis, halving.said(spec))))


def _cards(chosen: str, own: Sequence[Card]) -> list[Card]:
    """A calibrated device stands in place of the table's card of its name, or beside them."""
    measured = {one.name: one for one in own}
    if chosen == ALL:
        return list({**cards(), **measured}.values())
    return [measured[chosen] if chosen in measured else card(chosen)]


def _lengths(spec: StudySpec, store: Store, found: Sequence[Row]) -> Amounts:
    """Sampled from the data where a tokenizer of the ladder is at hand, else the bound."""
    fetched = [models.files(models.root_of(store), model) for model in models.wanted(spec).values()]
    made = dict.fromkeys(store.checkpoint_folder(row.phase.backbone) for row in found)
    folders = [one.folder for one in fetched if one] + [one for one in made if storage.exists(f"{one}/tokenizer.json")]
    if not folders:
        return Bound(spec)
    from trainables.lengths import encoders

    tasks = {*spec.targets, *(task for arm in spec.arms.values() if arm for task in arm.tasks)}
    by_length = encoders(folders[0], spec.family().family, {spec.max_length(task) for task in tasks})
    return Sampled(spec, Root(data_root(spec, store)), by_length)


def calibrated(
    spec: StudySpec | None, below: str | None, seconds: float, echo: Callable[[str], None], json: bool
) -> None:
    """Measure a study's sizes, or the usual ones, and print what came out."""
    from study.calibrate import calibrate

    if spec is None:
        path, found = calibrate(None, "nf4", Adapter(), below or "runs", seconds, echo)
    else:
        sizes = [size_of(spec.family(), name) for name in spec.sizes]
        path, found = calibrate(sizes, spec.quantization, spec.adapter, spec.storage, seconds, echo)
    show.as_json({"path": path, **found.model_dump()}) if json else show_cost.calibration_text(path, found)
