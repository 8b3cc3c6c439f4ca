"""Is everything there that a plan reads? The fetched data, the whole benchmark, the published models; a line if not."""

from __future__ import annotations

from collections.abc import Sequence

from study import models
from study.spec import StudySpec
from study.store import Store
from study.wanted import lacking, root_of
from trainables.data.root import Root
from trainables.errors import DataError, NotFetched
from trainables.tasks import get


def fetched_root(spec: StudySpec) -> str:
    """The data root of a study that is fetched. Raises `NotFetched` naming what is not there yet."""
    root, absent = root_of(spec), lacking(spec)
    if absent:
        more = f" and {len(absent) - 3} more" if len(absent) > 3 else ""
        raise NotFetched(f"{root}: not fetched yet: {', '.join(absent[:3])}{more}")
    return root


def check_complete(spec: StudySpec, root: Root, tuned: Sequence[str]) -> None:
    """Raises `DataError` naming the first languages and splits of the benchmark that the root lacks."""
    lacking = []
    for name in spec.targets:
        task = get(name)
        absent = task.missing(root)
        if absent:
            lacking.append(f"{name} in {' '.join(absent)}")
        instead = [task.stand_in(root, "test", language) for language in task.languages(root)]
        lacking += dict.fromkeys(f"{name}: {one}" for one in instead if one)
    trained = {*tuned, *(task for arm in spec.arms.values() if arm for task in arm.tasks)}
    for name in sorted(trained):
        for split in ("train", "dev"):
            told = get(name).stand_in(root, split)
            lacking += [f"{name}: {told}"] if told else []
    if lacking:
        more = f" (and {len(lacking) - 3} more)" if len(lacking) > 3 else ""
        raise DataError(
            f"{root.path}: not the whole benchmark: {'; '.join(lacking[:3])}{more}; add the files, or set"
            " `data: {partial: true}` to score what is there"
        )


def model_files(spec: StudySpec, store: Store, fetched: bool) -> dict[str, dict[str, str]]:
    """{size: {name of a file: sha256}} of published models.

    Raises `DataError` naming those that are not there, if they must be (`fetched`).
    """
    wanted = models.wanted(spec)
    found = {size: models.files(models.root_of(store), model) for size, model in wanted.items()}
    if fetched:
        models.check_fetched(found, wanted)
    return {size: there.sha256 if there else {} for size, there in found.items()}
