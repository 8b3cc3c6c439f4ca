"""What do `study simulate` and `study plan --power` do? They draw studies with known effects, and show what comes out.

Simulated studies are for planning: what will my report look like, and what could my study see?
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainables.errors import DataError, SpecError

if TYPE_CHECKING:
    from study.simulation.planted import Planted
    from study.simulation.power import Seen
    from study.simulation.source import Source
    from study.spec import StudySpec
    from study.store import Store

EFFECTS = (1.0, 2.0, 5.0)
"""Points whose chance to be seen is shown."""
SCOPES = {"these": "these languages", "like": "languages like these"}


def simulate(
    spec: Annotated[str, typer.Argument(help="A planted file, a study's YAML file, or the name of a shipped one.")],
    out: Annotated[str, typer.Option(help="Folder or fsspec address to keep the simulated study in.")],
    seed: Annotated[int, typer.Option(help="Another seed draws another study.", min=0)] = 0,
    data_root: Annotated[str | None, typer.Option(help="Folder with the benchmark files, if they are there.")] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="The small, quick variant of the study.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Draw a whole study with known effects and write its report: what yours will look like, before it is paid for.

    Examples: study simulate lab --out simulated --seed 1

    study simulate planted.yaml --out simulated        (its fields: see study/simulation/planted.py)
    """
    from study import show
    from study.progress import bar
    from study.report import write as write_report
    from study.simulation.draw import draw
    from study.simulation.source import read
    from study.simulation.write import write
    from study.store import Store
    from trainables.storage import join

    source = read(spec, smoke, _changes(out, data_root))
    store = Store(join(out, source.spec.name if source.spec else source.value.get("name", "simulated")))
    root = _root(source, store)
    planted = source.planted(root)
    said = source.spec.model_dump(mode="json") if source.spec else {}
    said = {**said, "argv": ["study", *sys.argv[1:]]}
    with bar(quiet=json) as progress:
        progress("drawing answers", 0, 1)
        evidence, _ = draw(planted, seed)
        write(store, evidence, said, _phases(source.spec, store) if root else (), progress)
        paths = {"store": store.path, **write_report(store, progress=progress)}
    if json:
        show.as_json(paths)
        return
    print(f"{planted.name}: simulated with seed {seed}, {len(evidence.records)} phases")
    print(f"planted: {'; '.join(_gains(planted))}")
    if source.spec and source.spec.search.early_stopping:
        print("search.early_stopping is not simulated: every trial goes to its end, and is paid for")
    for name, path in paths.items():
        print(f"{name}: {path}")


def show_power(spec: str, storage: str | None, data_root: str | None, smoke: bool, json: bool) -> None:
    """Print what the design of a study would show, from simulated studies."""
    from study import show
    from study.progress import bar
    from study.simulation.power import power, studies_for
    from study.simulation.source import read
    from study.store import Store
    from trainables.storage import join

    source = read(spec, smoke, _changes(storage, data_root))
    store = Store(join(source.spec.storage, source.spec.name)) if source.spec else None
    planted = source.planted(_root(source, store) if store else None)
    count = studies_for(planted)
    with bar(quiet=json) as progress:
        found = power(planted, count, lambda done: progress("simulating studies", done, count))
    if json:
        show.as_json({"studies": count, "planted": planted.model_dump(mode="json"), "power": [_json(s) for s in found]})
    else:
        _show(planted, count, found)


def _show(planted: Planted, count: int, found: Sequence[Seen]) -> None:
    from study import show

    headings = ("arm", "effect", "speaks of", "seen from", *(f"chance at {effect:g}" for effect in EFFECTS))
    show.table(
        headings,
        [
            (
                one.arm,
                one.quantity,
                SCOPES[one.scope],
                f"{one.smallest:.1f}",
                *(f"{100 * one.chance(effect):.0f} %" for effect in EFFECTS),
            )
            for one in found
        ],
    )
    noise = planted.noise
    examples = sorted({target.examples for target in planted.targets.values()})
    span = f"{examples[0]:,}" if len(examples) == 1 else f"{examples[0]:,} to {examples[-1]:,}"
    print(
        "\nPoints of score (of retention: per cent). Seen: a 95 % interval, not corrected for the number of questions, "
        "leaves zero out. Seen from: with 80 % chance."
    )
    print(
        f"design: {len(planted.sizes)} sizes, {len(planted.seeds)} seeds, {len(planted.targets)} targets, "
        f"{len(planted.languages)} languages, {span} test examples per language"
    )
    print(
        f"assumed standard deviations: training seed {noise.seed:g}, shared intermediate checkpoint "
        f"{noise.checkpoint:g}, seed in a single language {noise.wobble:g}, gains of languages "
        f"{noise.language_gains:g}, retention {noise.retention:g}; other ones: a file with `study:` and `noise:`"
    )
    print(f"from {count} simulated studies")
    if len(planted.seeds) == 1:
        print("one seed: the intervals hold no training noise, so these chances are too good; add seeds")


def _json(one: Seen) -> dict[str, Any]:
    return {
        "arm": one.arm,
        "effect": one.quantity,
        "scope": one.scope,
        "smallest": one.smallest,
        "chances": {f"{effect:g}": one.chance(effect) for effect in EFFECTS},
    }


def _gains(planted: Planted) -> list[str]:
    """What every arm does, in words."""
    told = []
    for name, arm in planted.arms.items():
        if arm is not None:
            told.append(f"{name} gains {arm.gain.level:g} points, {arm.gain.slope:+g} per tenfold parameters")
    return told


def _changes(storage: str | None, data_root: str | None) -> dict[str, Any]:
    changes: dict[str, Any] = {} if storage is None else {"storage": storage}
    return changes if data_root is None else {**changes, "data": {"root": data_root}}


def _root(source: Source, store: Store) -> str | None:
    """Folder of the examples of the study behind it; None when they are not there (yet)."""
    from study.plan import data_root

    try:
        return data_root(source.spec, store) if source.spec else None
    except (DataError, SpecError):
        return None


def _phases(spec: StudySpec | None, store: Store) -> list[Any]:
    """The plan of the study, whose keys the simulated records get; none where its data are not whole."""
    from study.plan import build

    try:
        return build(spec, store, fetched=False) if spec else []
    except DataError:
        return []
