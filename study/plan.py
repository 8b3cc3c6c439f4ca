"""Which phases is a study made of, and which of them are still to be run?

A small graph, in an order in which it can be run; a phase that several cells need is in it once:

    pretrain (size) -> intermediate (size, arm, seed) -> target (size, arm, task, seed) -> evaluation

Of a published model the first is an `import`, which quantises it.

    for row in rows(spec, store):
        print(row.action, row.phase.key, row.reason)        # run target-xs-siqa-xcopa-s0-... no record yet

`rows` is the dry run and the input of the run: there is no second path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache, cached_property, partial
from typing import Any, Literal

from study import identity, narrowing
from study.present import check_complete, fetched_root, model_files
from study.records import Record
from study.spec import NONE, Arm, StudySpec
from study.store import NO_RECORD, Store
from trainables import storage
from trainables.config import Cell, EvaluationConfig, ImportConfig, PhaseKind, PretrainConfig, TuneConfig
from trainables.data import patterns
from trainables.data.root import Root
from trainables.errors import DataError, SpecError
from trainables.models.ladders import Ladder
from trainables.tasks import get

CHANGED = "changed: "
Searched = dict[tuple[str, str, str | None], str]
"""(size, arm, target or None for the intermediate phase) -> the phase that searched its learning rate."""


@dataclass(frozen=True)
class Phase:
    """One unit of training or scoring."""

    key: str
    kind: PhaseKind
    size: str
    arm: str | None
    """None for pretraining and imports, which no arm owns."""
    task: str | None
    """Target task; None for pretraining, imports, intermediate phases and scoring that serves no single target."""
    seed: int | None
    config: PretrainConfig | ImportConfig | TuneConfig | EvaluationConfig
    identity: dict[str, Any]
    parent: str | None
    """Key of the phase whose checkpoint this one continues from, or scores."""
    backbone: str
    """Key of the pretrain or import phase behind it (its own key for that one)."""
    tuned_by: str | None = None
    """Key of the phase whose winning learning rate this one uses; None: it searches, or has none."""
    narrowed_by: str | None = None
    """Key of its twin at the smallest size, around whose winner it searches; None: in the full window, or not."""

    @property
    def slug(self) -> str:
        return identity.slug_of(self.key)

    @property
    def needs(self) -> tuple[str, ...]:
        """Keys that must be done first."""
        found = dict.fromkeys((self.backbone, self.parent, self.tuned_by, self.narrowed_by))
        return tuple(key for key in found if key and key != self.key)


@dataclass(frozen=True)
class Row:
    """What will happen to a phase, and why."""

    phase: Phase
    action: Literal["run", "done"]
    reason: str
    """Empty for done phases."""
    record: Record | None = None
    """Of done phases: what was read to know it."""

    @property
    def damage(self) -> str:
        """Why a record that is there does not hold; empty when there is none, or it holds."""
        return (
            "" if self.action == "done" or self.reason == NO_RECORD or self.reason.startswith(CHANGED) else self.reason
        )


@dataclass(frozen=True)
class Counts:
    total: int
    done: int
    run: int
    cells: int
    """(size, arm, target, seed) points of the study."""
    saved: int
    """Phases that are not run because cells share them."""


@dataclass(frozen=True)
class _Context:
    spec: StudySpec
    family: Ladder
    root: Root
    files: dict[str, dict[str, str]]
    """{size: {name of a model file: sha256}} of published models."""
    tuned: tuple[str, ...]
    direct: tuple[str, ...]
    guide: str | None

    # A thousand phases ask for the same few facts about files; a plan sees one state of them, so each is read once.

    @cached_property
    def tuning_data(self) -> Callable[[str, tuple[str, ...]], str]:
        """(task, files in place of its own) -> fingerprint of what tuning reads."""
        return cache(partial(identity.tuning_data, self.root))

    @cached_property
    def scored(self) -> Callable[[tuple[str, ...], tuple[str, ...]], tuple[tuple[Cell, ...], dict[str, str]]]:
        """(targets, the arm's tasks) -> (cells of their evaluation, fingerprints of what scoring reads)."""
        return cache(partial(_scored, self.root))


def data_root(spec: StudySpec, store: Store) -> str:
    """Folder of the examples. The lab's is generated on first use. Raises `DataError`, `SpecError`, `StorageError`."""
    if spec.data.source == "lab":
        from trainables.lab import write_root

        path = store.join("data", f"lab-{spec.data.seed}")
        write_root(path, spec.data.seed)
        return path
    if spec.data.source == "hub":
        return fetched_root(spec)
    if spec.data.root is None:
        raise SpecError(
            f"data.root: study {spec.name} reads local files; give --data-root FOLDER or `root:` in the YAML"
        )
    if not storage.names(spec.data.root):
        raise DataError(
            f"data.root: {spec.data.root} is absent or empty; give the folder that holds the benchmark files"
        )
    return spec.data.root


def build(spec: StudySpec, store: Store, fetched: bool = True) -> list[Phase]:
    """Every phase of the study, each after what it needs. Raises `DataError` naming what a task lacks.

    `fetched=False`: published models need not be there yet. The keys are then not those of the run, all else is.
    """
    targets = sorted(spec.targets)
    context = _Context(
        spec=spec,
        family=spec.family(),
        root=Root(data_root(spec, store)),
        files=model_files(spec, store, fetched),
        tuned=tuple(task for task in targets if not is_direct(spec, task)),
        direct=tuple(task for task in targets if is_direct(spec, task)),
        guide=narrowing.guide(spec),
    )
    if spec.data.source != "lab" and not spec.data.partial:
        check_complete(spec, context.root, context.tuned)
    searched: Searched = {}
    ordered = sorted(spec.sizes, key=lambda size: size != context.guide)  # what others need comes before them
    return [phase for size in ordered for phase in _of_size(context, size, searched)]


def is_direct(spec: StudySpec, task: str) -> bool:
    """Whether a target is scored as the intermediate phase left the model, without a target phase."""
    return get(task).direct or task in spec.direct


def rows(spec: StudySpec, store: Store, fetched: bool = True) -> list[Row]:
    """The phases of the study (see `build`) with what is to be done about each. Reads records, never changes them."""
    there: dict[str, list[str]] = {}
    for key in storage.names(store.join("phases")):
        there.setdefault(identity.slug_of(key), []).append(key)
    phases = build(spec, store, fetched)
    found = store.check_many(phase.key for phase in phases if phase.key in there.get(phase.slug, ()))
    judged = [(phase, *found.get(phase.key, (None, NO_RECORD))) for phase in phases]
    before = (key for phase, _, reason in judged if reason == NO_RECORD for key in there.get(phase.slug, ()))
    old = store.check_many((key for key in before if key not in found), verify=False)
    return [_row(*one, [old[key][0] for key in there.get(one[0].slug, ()) if key in old]) for one in judged]


def counts(spec: StudySpec, found: list[Row]) -> Counts:
    """How much there is to do, and how much sharing saved."""
    done = sum(row.action == "done" for row in found)
    cells = unshared = 0
    for task in spec.targets:
        for arm in spec.arms:
            chain = 2 + (arm != NONE) + (not is_direct(spec, task))  # the base and scoring, and what lies between
            cells += len(spec.sizes) * len(spec.seeds)
            unshared += len(spec.sizes) * len(spec.seeds) * chain
    return Counts(len(found), done, len(found) - done, cells, max(0, unshared - len(found)))


def matching(found: list[Row], pattern: str) -> list[Row]:
    """Rows whose key or slug matches a pattern like those of file names. Raises `SpecError` when there is none."""
    chosen = [r for r in found if fnmatchcase(r.phase.key, pattern) or fnmatchcase(r.phase.slug, pattern)]
    if not chosen:
        slugs = [row.phase.slug for row in found]
        near = get_close_matches(pattern, slugs, n=1)
        hint = f"did you mean {near[0]}?" if near else f"names look like {slugs[0]}; see `study plan`"
        raise SpecError(f"--only: {pattern!r} matches no phase; {hint}")
    return chosen


def with_needs(found: list[Row], chosen: list[Row]) -> list[Row]:
    """The chosen rows and all that they need, in the order of the plan."""
    wanted = {row.phase.key for row in chosen}
    for row in reversed(found):
        if row.phase.key in wanted:
            wanted.update(row.phase.needs)
    return [row for row in found if row.phase.key in wanted]


def _row(phase: Phase, record: Record | None, reason: str, others: list[Record | None]) -> Row:
    """`record`, `reason`: see `Store.check`; `others`: of the same slug, where there is no record yet."""
    if record is not None:
        return Row(phase, "done", "", record)
    if reason == NO_RECORD and (old := _last_identity(others)) is not None:
        said = identity.changes(old, phase.identity)
        reason = CHANGED + "; ".join(said[:3]) + (f"; and {len(said) - 3} more" if len(said) > 3 else "")
    return Row(phase, "run", reason)


def _last_identity(records: list[Record | None]) -> dict[str, Any] | None:
    """Identity of the phase among these that was finished last."""
    last = max((record for record in records if record), key=lambda one: (one.finished, one.key), default=None)
    return last.identity if last else None


def _of_size(context: _Context, size: str, searched: Searched) -> Iterator[Phase]:
    base = _import(context, size) if context.family.pretrain is None else _pretrain(context, size)
    yield base
    if context.direct and NONE in context.spec.arms:
        yield _evaluation(context, size, NONE, None, None, base.key, None, context.direct, ())
    for arm in context.spec.arms:
        for seed in context.spec.seeds:
            yield from _of_arm(context, size, arm, seed, base.key, searched)


def _of_arm(context: _Context, size: str, arm: str, seed: int, backbone: str, searched: Searched) -> Iterator[Phase]:
    found = context.spec.arms[arm]
    shares = found.shares() if found else {}
    kept = tuple(shares)
    parent = None
    if shares:
        steps = context.spec.steps(arm)
        phase = _tune(context, "intermediate", size, arm, None, seed, found, steps, None, backbone, searched)
        yield phase
        parent = phase.key
        yield _evaluation(context, size, arm, None, seed, backbone, parent, context.direct, kept)
    for task in context.tuned:
        steps = context.spec.steps(task)
        only = Arm(tasks={task: 1.0})
        phase = _tune(context, "target", size, arm, task, seed, only, steps, parent, backbone, searched)
        yield phase
        yield _evaluation(context, size, arm, task, seed, backbone, phase.key, (task,), kept)


def _pretrain(context: _Context, size: str) -> Phase:
    spec = context.spec
    assert context.family.pretrain is not None
    recipe = context.family.pretrain.model_dump()
    if spec.pretrain.steps is not None:
        recipe["steps"] = spec.pretrain.steps
    config = PretrainConfig(ladder=spec.ladder, size=context.family.size(size), seed=spec.pretrain.seed, **recipe)
    what = {
        "kind": "pretrain",
        "config": config.model_dump(mode="json"),
        "data": identity.pretraining_data(context.root),
    }
    key = identity.key(f"pretrain-{size}", what)
    return Phase(key, "pretrain", size, None, None, None, config, what, parent=None, backbone=key)


def _import(context: _Context, size: str) -> Phase:
    """What a ladder says of a model is no part of the identity: the files say it all."""
    spec = context.spec
    config = ImportConfig(
        ladder=spec.ladder,
        size=context.family.size(size),
        quantization=spec.quantization,
        files=context.files[size],
    )
    what = {"kind": "import", "config": config.model_dump(mode="json", include={"quantization", "files"})}
    key = identity.key(f"import-{size}", what)
    return Phase(key, "import", size, None, None, None, config, what, parent=None, backbone=key)


def _said_by_files(context: _Context) -> Any:
    """Fields of a config that are no part of its identity: a published model's shape stands in its files."""
    return {"size": {"architecture"}} if context.family.pretrain is None else {}


def _tune(
    context: _Context,
    kind: Literal["intermediate", "target"],
    size: str,
    arm: str,
    task: str | None,
    seed: int,
    made_of: Arm | None,
    steps: int,
    parent: str | None,
    backbone: str,
    searched: Searched,
) -> Phase:
    assert made_of is not None
    spec, shares = context.spec, made_of.shares()
    lengths = {name: spec.max_length(name) for name in (*shares, *(("text",) if made_of.text else ()))}
    config = TuneConfig(
        kind=kind,
        ladder=spec.ladder,
        size=context.family.size(size),
        quantization=spec.quantization,
        attention=spec.attention,
        adapter=spec.adapter,
        tasks=shares,
        sampling=made_of.sampling,
        files=made_of.files,
        text=made_of.text,
        max_length=lengths,
        steps=steps,
        seed=seed,
        **spec.training.model_dump(exclude={"steps", "max_length"}),
    )
    tuned_by = searched.get((size, arm, task))
    narrowed_by = searched.get((context.guide, arm, task)) if context.guide and not tuned_by else None
    what = {
        "kind": kind,
        "config": config.model_dump(mode="json", exclude={"files": True, "text": {"files"}, **_said_by_files(context)}),
        "versions": identity.versions(shares),
        "data": {name: context.tuning_data(name, made_of.files.get(name, ())) for name in shares}
        | ({"text": patterns.fingerprint(context.root, made_of.text.files)} if made_of.text else {}),
        **(narrowing.identity(spec, narrowed_by) if tuned_by is None else {"search": None}),
        "tuned_by": tuned_by,
        "parent": parent,
        "backbone": backbone,
    }
    slug = "-".join(part for part in (kind, size, arm, task, f"s{seed}") if part)
    key = identity.key(slug, what)
    searched.setdefault((size, arm, task), key)
    return Phase(key, kind, size, arm, task, seed, config, what, parent, backbone, tuned_by, narrowed_by)


def _evaluation(
    context: _Context,
    size: str,
    arm: str,
    task: str | None,
    seed: int | None,
    backbone: str,
    parent: str | None,
    targets: tuple[str, ...],
    kept: tuple[str, ...],
) -> Phase:
    """Scoring on the test sets of `targets` and on the English dev sets of the arm's tasks, `kept`."""
    spec = context.spec
    cells, data = context.scored(targets, kept)
    config = EvaluationConfig(
        ladder=spec.ladder,
        size=context.family.size(size),
        quantization=spec.quantization,
        attention=spec.attention,
        max_length={name: spec.max_length(name) for name in sorted({cell.task for cell in cells})},
        cells=cells,
    )
    what = {
        "kind": "evaluation",
        "config": config.model_dump(mode="json", exclude=_said_by_files(context)),
        "versions": identity.versions({cell.task for cell in cells}),
        "data": data,
        "parent": parent,
        "backbone": backbone,
    }
    slug = "-".join(part for part in ("evaluation", size, arm, task, f"s{seed}" if seed is not None else None) if part)
    return Phase(identity.key(slug, what), "evaluation", size, arm, task, seed, config, what, parent, backbone)


def _scored(root: Root, targets: tuple[str, ...], kept: tuple[str, ...]) -> tuple[tuple[Cell, ...], dict[str, str]]:
    """Every test language found of the targets, and the dev sets. Raises `DataError` for a target with none."""
    cells = [Cell(task=task, language="en", split="dev") for task in kept]
    for task in targets:
        found = get(task).languages(root)
        if not found:
            raise DataError(f"targets: {task}: no test language under {root.path}; add its files or drop the target")
        # A root may hold more languages than the benchmark; a world of its own (the lab) holds none of it.
        asked = [language for language in found if language in get(task).benchmark] or found
        cells += [Cell(task=task, language=language, split="test") for language in asked]
    cells = sorted(set(cells), key=lambda cell: (cell.task, cell.language, cell.split))
    return tuple(cells), identity.scoring_data(root, cells)
