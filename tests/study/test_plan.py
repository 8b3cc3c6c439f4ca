"""Plans: the graph and its sharing, which edits retrain what, and the reason each row gives."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from study import cost, plan
from study.store import Store
from tests.study.planned import finish, spec_on
from trainables import many
from trainables.errors import DataError, SpecError
from trainables.tasks import get


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs" / "tiny")


def keys(found: list[plan.Phase]) -> dict[str, str]:
    return {phase.slug: phase.key for phase in found}


def new_slugs(root: Path, store: Store, **changes: Any) -> set[str]:
    """Slugs of the phases that are new after an edit of the spec."""
    before, after = keys(plan.build(spec_on(root), store)), keys(plan.build(spec_on(root, **changes), store))
    return {slug for slug, key in after.items() if before.get(slug) != key}


def finished_study(root: Path, store: Store, **changes: Any) -> None:
    for phase in plan.build(spec_on(root, **changes), store):
        finish(store, phase)


def test_phases_of_a_size_and_their_edges(lab_root: Path, store: Store) -> None:
    found = plan.build(spec_on(lab_root, sizes=["xs"], seeds=[0]), store)
    by_slug = {phase.slug: phase for phase in found}
    assert [phase.slug for phase in found] == [
        "pretrain-xs",
        "evaluation-xs-none",
        "target-xs-none-xcopa-s0",
        "evaluation-xs-none-xcopa-s0",
        "intermediate-xs-siqa-s0",
        "evaluation-xs-siqa-s0",
        "target-xs-siqa-xcopa-s0",
        "evaluation-xs-siqa-xcopa-s0",
    ]
    pretrain, intermediate = by_slug["pretrain-xs"], by_slug["intermediate-xs-siqa-s0"]
    target, scored = by_slug["target-xs-siqa-xcopa-s0"], by_slug["evaluation-xs-siqa-xcopa-s0"]
    assert pretrain.needs == () and pretrain.backbone == pretrain.key
    assert intermediate.needs == (pretrain.key,) and intermediate.parent is None
    assert target.needs == (pretrain.key, intermediate.key) and target.parent == intermediate.key
    assert scored.needs == (pretrain.key, target.key)


def test_every_phase_comes_after_what_it_needs_and_once(lab_root: Path, store: Store) -> None:
    seen: set[str] = set()
    for phase in plan.build(spec_on(lab_root), store):
        assert set(phase.needs) <= seen
        assert phase.key not in seen
        seen.add(phase.key)


def test_cells_are_those_of_the_protocol(lab_root: Path, store: Store) -> None:
    found = {p.slug: p for p in plan.build(spec_on(lab_root, sizes=["xs"], seeds=[0]), store)}

    def cells(slug: str) -> Counter:
        return Counter((cell.task, cell.split) for cell in found[slug].config.cells)  # type: ignore[union-attr]

    xcopa = len(get("xcopa").languages(plan.Root(str(lab_root))))
    tatoeba = len(get("tatoeba").languages(plan.Root(str(lab_root))))
    assert xcopa > 1 and tatoeba > 1
    assert cells("evaluation-xs-none") == {("tatoeba", "test"): tatoeba}
    assert cells("evaluation-xs-none-xcopa-s0") == {("xcopa", "test"): xcopa}
    assert cells("evaluation-xs-siqa-s0") == {("siqa", "dev"): 1, ("tatoeba", "test"): tatoeba}
    assert cells("evaluation-xs-siqa-xcopa-s0") == {("siqa", "dev"): 1, ("xcopa", "test"): xcopa}


def test_learning_rate_is_searched_on_the_first_seed_only(lab_root: Path, store: Store) -> None:
    found = {p.slug: p for p in plan.build(spec_on(lab_root, sizes=["xs"], seeds=[5, 3]), store)}
    first, second = found["target-xs-siqa-xcopa-s5"], found["target-xs-siqa-xcopa-s3"]
    assert first.tuned_by is None and first.identity["search"]["trials"] == 4
    assert second.tuned_by == first.key and second.identity["search"] is None
    assert first.key in second.needs


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"storage": "/elsewhere"},
        {"tracking": {"enabled": True, "uri": "http://tracker"}},
        {"compute": {"workers": 2, "micro_tokens": 64, "slots": 3, "checkpoint_seconds": 5.0}},
        {"report": {"bootstrap": 7, "gpu_hour_price": 2.0}},
        {"sizes": ["s", "xs"]},
        {"targets": ["tatoeba", "xcopa"]},
        {"arms": {"siqa": ["siqa"]}},
        {"arms": {"siqa": {"tasks": {"siqa": 7}}}},
        {"training": {"steps": {"panx": 7}}},
        {"seeds": [0]},
        {"sizes": ["xs"]},
    ],
)
def test_harmless_edits_make_nothing_new(lab_root: Path, store: Store, change: dict) -> None:
    assert new_slugs(lab_root, store, **change) == set()


def test_more_of_something_leaves_the_rest_alone(lab_root: Path, store: Store) -> None:
    assert all(slug.endswith("-s7") for slug in new_slugs(lab_root, store, seeds=[0, 1, 7]))
    assert all("udpos" in slug for slug in new_slugs(lab_root, store, targets=["xcopa", "tatoeba", "udpos"]))


def trained(slug: str) -> bool:
    """Is a tuned checkpoint behind it? Those names end with the seed."""
    return re.search(r"-s\d+$", slug) is not None


def untuned(slug: str) -> bool:
    """Is it the scoring of a size or of an intermediate phase, which the retrieval tasks are in?"""
    return re.fullmatch(r"eval\w+-\w+-(none|siqa-s.)", slug) is not None


@pytest.mark.parametrize(
    ("change", "is_new"),
    [
        ({"training": {"steps": {"xcopa": 60}}}, lambda slug: "xcopa" in slug),
        ({"training": {"steps": {"siqa": 100}}}, lambda slug: "siqa" in slug),
        ({"search": {"trials": 2}}, trained),
        ({"adapter": {"rank": 4}}, trained),
        ({"pretrain": {"steps": 7}}, lambda slug: True),
        ({"quantization": "none"}, lambda slug: not slug.startswith("pretrain")),
        ({"training": {"max_length": 48}}, lambda slug: not slug.startswith("pretrain")),
        ({"training": {"max_length": {"default": 64, "xcopa": 48}}}, lambda slug: "xcopa" in slug),
        (
            {"training": {"max_length": {"default": 64, "retrieve": 48}}},
            lambda slug: bool(re.fullmatch(r"eval\w+-\w+-(none|siqa-s.)", slug)),
        ),
        ({"arms": {"siqa": {"tasks": "siqa", "sampling": {"cap": 9}}}}, lambda slug: "siqa" in slug),
    ],
)
def test_harmful_edits_make_exactly_their_phases_new(lab_root: Path, store: Store, change: dict, is_new: Any) -> None:
    every = keys(plan.build(spec_on(lab_root), store))
    assert new_slugs(lab_root, store, **change) == {slug for slug in every if is_new(slug)}


def test_text_and_translations_count_by_what_is_in_them(lab_root: Path, tmp_path: Path, store: Store) -> None:
    text, rows = tmp_path / "law.txt", tmp_path / "siqa-de.jsonl"
    text.write_text("one\n")
    rows.write_text("{}\n")
    arm = {"tasks": "siqa", "text": {"files": str(text), "share": 0.5}, "files": {"siqa": str(tmp_path / "*.jsonl")}}
    before = keys(plan.build(spec_on(lab_root, arms={"siqa": arm}), store))
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    text.rename(moved / "moved.txt")
    arm["text"] = {"files": [str(moved / "moved.txt")], "share": 0.5}
    assert keys(plan.build(spec_on(lab_root, arms={"siqa": arm}), store)) == before
    for changed in (moved / "moved.txt", rows):
        changed.write_text("two\n")
        after = keys(plan.build(spec_on(lab_root, arms={"siqa": arm}), store))
        assert {slug for slug in before if before[slug] != after[slug]} == {slug for slug in before if "siqa" in slug}
        before = after


def test_a_part_of_the_benchmark_is_refused_unless_said(lab_root: Path, store: Store) -> None:
    whole = spec_on(lab_root, data={"partial": False})
    told = r"not the whole benchmark: .*tatoeba in af ar .*data: \{partial: true\}"
    with pytest.raises(DataError, match=told) as error:
        plan.build(whole, store)
    assert "\n" not in str(error.value)


def test_changed_bytes_make_exactly_their_readers_new(own_root: Path, store: Store) -> None:
    before = keys(plan.build(spec_on(own_root), store))
    name = get("xcopa").files(plan.Root(str(own_root)), "train")[0]
    with (own_root / name).open("ab") as file:
        file.write(b"\n")
    after = keys(plan.build(spec_on(own_root), store))
    changed = {slug for slug in before if before[slug] != after[slug]}
    assert {slug for slug in before if "xcopa" in slug} <= changed
    assert not any("tatoeba" in slug or slug.startswith("intermediate") for slug in changed)


def test_rows_say_what_is_done_and_why_not(lab_root: Path, store: Store) -> None:
    rows = plan.rows(spec_on(lab_root), store)
    assert {(row.action, row.reason) for row in rows} == {("run", "no record yet")}
    finished_study(lab_root, store)
    rows = plan.rows(spec_on(lab_root), store)
    assert {(row.action, row.reason) for row in rows} == {("done", "")}


def test_reason_names_the_field_that_made_a_phase_new(lab_root: Path, store: Store) -> None:
    finished_study(lab_root, store)
    rows = plan.rows(spec_on(lab_root, training={"steps": {"siqa": 100}}), store)
    reasons = {row.phase.slug: row.reason for row in rows}
    assert reasons["intermediate-xs-siqa-s0"] == "changed: training.steps 200 -> 100"
    assert reasons["intermediate-xs-siqa-s1"] == "changed: training.steps 200 -> 100; the phase that tunes it changed"
    assert reasons["target-xs-siqa-xcopa-s0"] == "changed: its parent changed"
    assert reasons["target-xs-none-xcopa-s0"] == ""


def test_reasons_of_all_phases_are_read_together(lab_root: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """One at a time would be a journey each, on a remote storage."""
    finished_study(lab_root, store)
    asked = []
    monkeypatch.setattr(many, "read", lambda paths, real=many.read: asked.append(len(paths)) or real(paths))
    rows = plan.rows(spec_on(lab_root, pretrain={"steps": 10}), store)
    assert all(row.reason.startswith("changed: ") for row in rows)
    assert asked == [0, len(rows)]


def test_reason_compares_with_the_last_record_of_that_name(lab_root: Path, store: Store) -> None:
    for steps, day in ((7, "2026-01-02"), (8, "2026-01-03"), (9, "2026-01-01")):
        phase = plan.build(spec_on(lab_root, pretrain={"steps": steps}), store)[0]
        finish(store, phase, finished=f"{day}T00:00:00")
    row = plan.rows(spec_on(lab_root, pretrain={"steps": 10}), store)[0]
    assert row.reason == "changed: pretrain.steps 8 -> 10"


def test_damaged_checkpoint_is_made_again(lab_root: Path, store: Store) -> None:
    finished_study(lab_root, store)
    spec = spec_on(lab_root)
    key = plan.build(spec, store)[0].key
    path = Path(store.checkpoint_folder(key), "adapter", "weights.bin")
    path.write_bytes(b"other")
    row = plan.rows(spec, store)[0]
    assert (row.action, row.reason) == ("run", f"record's checksum differs: {path}")


def test_counts_say_what_sharing_saves(lab_root: Path, store: Store) -> None:
    spec = spec_on(lab_root)
    rows = plan.rows(spec, store)
    counts = plan.counts(spec, rows)
    # Alone, a cell needs: none xcopa 3, siqa xcopa 4, none tatoeba 2, siqa tatoeba 3 phases; 2 sizes x 2 seeds.
    assert (counts.total, counts.done, counts.cells) == (2 * (2 + 2 * 6), 0, 16)
    assert counts.saved == 4 * (3 + 4 + 2 + 3) - counts.total


def test_selection_takes_what_is_needed(lab_root: Path, store: Store) -> None:
    rows = plan.rows(spec_on(lab_root), store)
    chosen = plan.with_needs(rows, plan.matching(rows, "target-xs-siqa-xcopa-s1"))
    assert {row.phase.slug for row in chosen} == {
        "pretrain-xs", "intermediate-xs-siqa-s0", "intermediate-xs-siqa-s1",
        "target-xs-siqa-xcopa-s0", "target-xs-siqa-xcopa-s1",
    }  # fmt: skip
    assert plan.matching(rows, rows[3].phase.key) == [rows[3]]
    with pytest.raises(
        SpecError, match="--only: 'target-xs-sqia-xcopa-s1' matches no phase; did you mean target-xs-siqa-"
    ):
        plan.matching(rows, "target-xs-sqia-xcopa-s1")


def test_only_the_baseline_arm(lab_root: Path, store: Store) -> None:
    spec = spec_on(lab_root, sizes=["xs"], seeds=[0], targets=["tatoeba"], arms={"siqa": "siqa"})
    found = plan.build(spec.model_copy(update={"arms": {"none": None}}), store)
    assert [phase.slug for phase in found] == ["pretrain-xs", "evaluation-xs-none"]


def test_missing_task_and_language_are_named(own_root: Path, store: Store) -> None:
    for path in [*own_root.glob("copa_en/*"), *own_root.glob("xcopa/data/en/*")]:
        path.unlink()
    with pytest.raises(DataError, match="xcopa"):
        plan.build(spec_on(own_root), store)
    for path in (own_root / "tatoeba").rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(DataError, match="targets: tatoeba: no test language under"):
        plan.build(spec_on(own_root, targets=["tatoeba"]), store)


def test_absent_root_says_how_to_give_one(tmp_path: Path, store: Store) -> None:
    spec = spec_on(tmp_path / "nowhere")
    with pytest.raises(DataError, match="data.root: .*nowhere is absent or empty"):
        plan.build(spec, store)
    with pytest.raises(SpecError, match="give --data-root FOLDER"):
        plan.build(spec.model_copy(update={"data": spec.data.model_copy(update={"root": None})}), store)


def test_estimate_is_assumed_first_and_measured_later(lab_root: Path, store: Store) -> None:
    spec = spec_on(lab_root)
    before = cost.estimate(spec, plan.rows(spec, store))
    assert before.seconds > 0 and before.measured == 0 and "assumed" in before.basis
    phases = plan.build(spec, store)
    for phase in phases[:4]:
        finish(store, phase)
    during = cost.estimate(spec, plan.rows(spec, store))
    assert during.seconds > 0 and during.measured == 4 and "measured on 4" in during.basis
    finished_study(lab_root, store)
    assert cost.estimate(spec, plan.rows(spec, store)).seconds == 0
