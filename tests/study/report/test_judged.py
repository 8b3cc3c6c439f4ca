"""Are predictions that were read before the same ones, and is a stale or damaged cache as good as none?"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from study.analysis.frame import scores
from study.report import load
from study.report.judged import predictions
from study.store import Store
from tests.study.report.synthetic import Plan, build

PLAN = Plan(sizes=("xs",), targets=("xcopa",), seeds=(0,), examples=30, resamples=10)
KEY = "evaluation-target-xs-siqa-xcopa-0"
CELL = ("xs", "siqa", "xcopa", 0, "xa")


@pytest.fixture
def store(tmp_path) -> Store:
    return build(tmp_path / "toy", PLAN)


def read(store: Store):
    loaded = load.load(store)
    evidence = load.evidence(store)
    rows = scores(loaded.records, load.design(loaded.spec, loaded.records))
    judged, kept, notes = predictions(store, rows, loaded.records)
    assert set(judged) == set(evidence.judged) and set(kept) == set(evidence.dev_judged)
    return judged, notes


def cached(store: Store) -> Path:
    return Path(store.join("report", "cache", f"{KEY}.npz"))


def parquet(store: Store) -> Path:
    return Path(store.join("phases", KEY, "predictions", "xcopa.xa.test.parquet"))


def test_what_was_kept_is_what_was_read(store):
    first, notes = read(store)
    table = pd.read_parquet(parquet(store))
    parquet(store).unlink()  # now only the cache knows
    second, _ = read(store)
    assert not notes and list(first) == list(second)
    for cell, judged in first.items():
        for name in ("ids", "hits", "predicted", "possible"):
            assert np.array_equal(getattr(judged, name), getattr(second[cell], name)), name
    assert second[CELL].ids.tolist() == table["id"].tolist()
    assert second[CELL].hits.tolist() == table["hits"].tolist()


def test_examples_about_one_text_are_known_and_kept(store):
    table = pd.read_parquet(parquet(store))
    groups = ["", *(f"text {row // 3}" for row in range(1, len(table)))]
    table.assign(group=groups).to_parquet(parquet(store))
    first = read(store)[0][CELL].groups
    parquet(store).unlink()  # now only the cache knows
    second = read(store)[0][CELL].groups
    assert first.tolist() == second.tolist() and len(first) == len(table)
    same = pd.Series(groups).where(pd.Series(groups) != "", "by itself")
    assert pd.crosstab(first, same).gt(0).to_numpy().sum() == same.nunique() == len(set(first))


def test_predictions_of_earlier_versions_do_not_tell_groups(store):
    assert all(judged.groups is None for judged in read(store)[0].values())
    assert all(judged.groups is None for judged in read(store)[0].values()), "from the cache too"


def test_another_record_makes_the_cache_stale(store):
    read(store)
    table = pd.read_parquet(parquet(store))
    table.assign(hits=0.25).to_parquet(parquet(store))
    assert read(store)[0][CELL].hits.max() == 1.0
    record = store.record(KEY, verify=False)
    store.write_record(record.model_copy(update={"finished": "2027-01-01T00:00:00Z"}))
    assert set(read(store)[0][CELL].hits) == {0.25}


@pytest.mark.parametrize("damage", [b"", b"no archive", None])
def test_a_damaged_cache_is_ignored_and_made_again(store, damage):
    before, _ = read(store)
    whole = cached(store).read_bytes()
    cached(store).write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    after, notes = read(store)
    assert not notes and after[CELL].hits.tolist() == before[CELL].hits.tolist()
    assert cached(store).read_bytes() == whole


def test_what_cannot_be_read_is_asked_for_again(store):
    whole = parquet(store).read_bytes()
    parquet(store).write_bytes(b"not parquet")
    judged, notes = read(store)
    assert CELL not in judged and len(notes) == 1
    for path in parquet(store).parent.glob("*.parquet"):
        path.unlink()  # the other languages were kept
    assert len(read(store)[0]) == len(judged)
    parquet(store).write_bytes(whole)
    assert CELL in read(store)[0]


def test_dev_predictions_of_the_arms_own_tasks_are_kept_too(store):
    read(store)
    loaded = load.load(store)
    rows = scores(loaded.records, load.design(loaded.spec, loaded.records))
    path = Path(store.join("phases", KEY, "predictions", "siqa.en.dev.parquet"))
    hits = pd.read_parquet(path)["hits"].tolist()
    path.unlink()  # now only the cache knows
    kept = predictions(store, rows, loaded.records)[1]
    assert kept[(KEY, "siqa", "en")].hits.tolist() == hits
    assert set(kept) == {(KEY, "siqa", "en"), ("evaluation-intermediate-xs-siqa-0", "siqa", "en")}
