"""Does the report find what was planted, nothing else, name what is missing, and come out the same twice?"""

import re
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from study.analysis import design as designs
from study.analysis.benchmark import OVERALL
from study.report import write
from study.report.answers import answers
from study.report.answers.words import signed
from study.report.benchmark import overview
from study.report.cautions import cautions
from study.report.chapters import chapters
from study.report.findings import gather
from study.report.page import render
from study.report.tables import csv_tables
from study.store import Store
from tests.study.report.synthetic import Plan, build
from trainables.tasks.benchmark import XTREME_R

NOW = datetime(2026, 1, 2, tzinfo=UTC)
PLANTED = Plan(gains={"xs": 0.0, "s": 10.0, "m": 18.0}, seed_noise=0.5)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return build(tmp_path_factory.mktemp("planted") / "toy", PLANTED)


@pytest.fixture(scope="module")
def page(store) -> str:
    return Path(write(store, NOW)["page"]).read_text(encoding="utf-8")


def test_planted_gains_are_recovered(store):
    found = gather(store)
    for size, planted in PLANTED.gains.items():
        estimate = found.gains["siqa"]["xcopa"].at(size)
        assert estimate.low < planted < estimate.high
    assert found.gains["siqa"]["xcopa"].at("m").positive
    assert not any(found.gains["siqa"]["udpos"].at(size).clear for size in PLANTED.sizes)


def test_answers_tell_the_planted_truth(store):
    found = gather(store)
    first, second, third, fourth, fifth, sixth = answers(found)
    assert first.verdict == "siqa: helps, the gain grows with size"
    assert second.verdict.startswith("siqa: ")
    assert any(one.startswith("siqa on xcopa") and "at m beyond the ladder" in one for one in second.sentences)
    assert third.verdict.startswith("siqa: partly forgotten")
    assert fourth.verdict.startswith("cheapest: siqa at")
    assert fifth.sentences == ("No arm with domain text in this study.",)
    assert sixth.verdict == "siqa: no evidence that distance matters"


def test_scores_fall_with_distance_and_rise_with_size(store):
    found = gather(store)
    slopes = found.across_languages.score_slopes
    assert all(line.mean().negative for by_target in slopes.values() for line in by_target.values())
    none = found.scores["udpos"]["none"].points
    assert none[0] < none[1] < none[2]


def test_a_study_without_effect_finds_none(tmp_path):
    claims = 0
    for chance in range(6):
        found = gather(build(tmp_path / str(chance), Plan(chance=chance, examples=150, resamples=200)))
        claims += found.pools["siqa"].gain.mean().clear
    assert claims <= 1


def test_page_is_self_contained(page):
    assert not re.search(r"(https?:)?//[a-z]", page, flags=re.I)
    assert page.count("<script") == 1 and page.lower().count("<svg") >= 8
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_page_and_tables_are_the_same_twice(store, page):
    folder = Path(store.report_folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    write(store, NOW)
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert len(list((folder / "figures").glob("*.png"))) >= 8


def test_tables_can_be_read(store, page):
    tables = {path.stem: pd.read_csv(path) for path in Path(store.report_folder).glob("*.csv")}
    assert len(tables["scores"]) == 36 and len(tables["cells"]) == 180 and len(tables["missing"]) == 0
    assert set(tables["gains"]["target"]) == {"xcopa", "udpos", "tatoeba", "all targets"}
    assert tables["languages"]["language"].iloc[0] == "en"


def test_page_says_what_it_rests_on(page):
    for text in (
        "36 of 36 cells",
        "Overhead of a warm trial",
        "median 0.30 s",
        "median 4.00 s",
        "study run toy",
        "torch 2.13.0",
        "One pretraining per size",
        "miniature world",
        "diverged",
        "evaluation-target-m-siqa-xcopa-1",
    ):
        assert text in page, text


def test_real_languages_have_measured_distances_and_an_unknown_one_has_none(tmp_path):
    plan = Plan(
        sizes=("xs", "s"), targets=("xcopa",), languages=dict.fromkeys(("en", "de", "tr", "et", "zz")), resamples=50
    )
    store = build(tmp_path / "toy", plan)
    page = Path(write(store, NOW)["page"]).read_text(encoding="utf-8")
    found = gather(store)
    assert found.languages["tr"].distance == 0.493 and found.languages["zz"].distance is None
    assert set(found.across_languages.score_slopes["none"]) == {"xcopa", "all targets"}
    assert "Germanic  de" in page and "Turkic  tr" in page and "zz" in page


def test_stored_command_is_shown(tmp_path):
    store = build(tmp_path / "toy", Plan(sizes=("xs",), seeds=(0,), targets=("xcopa",), resamples=50))
    store.write_spec({**store.spec(), "argv": ["study", "run", "my toy.yaml"]})
    text = Path(write(store, NOW)["page"]).read_text(encoding="utf-8")
    assert "study run &#39;my toy.yaml&#39;" in text
    assert "One seed: no interval contains training noise." in text


def test_half_finished_study_names_what_is_missing(tmp_path):
    skip = {("m", arm, target, seed) for arm in ("none", "siqa") for target in PLANTED.targets for seed in (0, 1)}
    skip |= {("s", "siqa", "xcopa", 1)}
    store = build(tmp_path / "toy", PLANTED, skip)
    store.write_failure("target-m-none-xcopa-0", "out of memory; use a smaller size")
    text = Path(write(store, NOW)["page"]).read_text(encoding="utf-8")
    found = gather(store)
    assert len(found.missing) == 13 and ("s", "siqa", "xcopa", 1) in found.missing
    assert "23 of 36 cells" in text and "out of memory; use a smaller size" in text
    assert found.gains["siqa"]["xcopa"].sizes == ("xs", "s")
    assert found.pools["siqa"].left_out == (("s", 1),)


def test_only_the_baseline_arm_is_a_report_that_cannot_tell(tmp_path):
    store = build(tmp_path / "toy", Plan(arms=("none",), resamples=50))
    assert [answer.verdict for answer in answers(gather(store))[:4]] == ["cannot tell"] * 4
    assert "Scaling curves" in Path(write(store, NOW)["page"]).read_text(encoding="utf-8")


def test_without_a_spec_the_records_are_the_design(tmp_path):
    found = gather(build(tmp_path / "toy", Plan(resamples=50), spec=False))
    assert found.design.sizes == ("xs", "s", "m") and found.missing == []


def test_empty_store_gives_a_page_that_says_so(tmp_path):
    paths = write(Store(tmp_path / "nothing"), NOW)
    assert "no finished phase" in Path(paths["page"]).read_text(encoding="utf-8")
    assert pd.read_csv(Path(paths["tables"]) / "scores.csv").empty


def test_damaged_files_are_named_not_fatal(tmp_path):
    store = build(tmp_path / "toy", Plan(sizes=("xs", "s"), resamples=50))
    broken = "evaluation-target-s-siqa-xcopa-1"
    Path(store.join("phases", broken, "predictions", "xcopa.xa.test.parquet")).write_bytes(b"not parquet")
    Path(store.join("phases", "evaluation-target-s-siqa-udpos-1", "record.json")).write_text("{")
    found = gather(store)
    assert any("xcopa.xa.test.parquet" in note for note in found.notes)
    assert any("evaluation-target-s-siqa-udpos-1" in note for note in found.notes)
    assert ("s", "siqa", "udpos", 1) in found.missing


def test_newer_record_of_the_same_phase_replaces_the_older(tmp_path):
    store = build(tmp_path / "toy", Plan(sizes=("xs",), seeds=(0,), targets=("xcopa",), resamples=50))
    record = store.record("target-xs-none-xcopa-0", verify=False)
    store.write_record(
        record.model_copy(update={"key": "target-xs-none-xcopa-0-new", "finished": "2027-01-01T00:00:00Z"})
    )
    found = gather(store)
    assert sum(r.kind == "target" and r.arm == "none" for r in found.records) == 1
    assert any("newer record" in note for note in found.notes)


def test_cells_that_were_taken_out_of_the_spec_are_not_counted(tmp_path):
    store = build(tmp_path / "toy", Plan(sizes=("xs",), arms=("none", "siqa", "csqa"), seeds=(0,), resamples=20))
    store.write_spec({**store.spec(), "arms": {"none": None, "siqa": {"tasks": {"siqa": 1.0}}}})
    assert "6 of 6 cells" in answers(gather(store))[0].rests_on


def test_text_is_judged_against_the_same_arm_without_it(tmp_path):
    store = build(tmp_path / "toy", Plan(sizes=("xs",), arms=("none", "siqa", "csqa", "law"), resamples=50))
    text = {"files": ["law/*.jsonl"], "share": 0.3}
    arms = {"siqa": {"tasks": {"siqa": 1.0}, "text": None}, "csqa": {"tasks": {"csqa": 1.0}, "text": text}}
    arms |= {"none": None, "law": {"tasks": {"siqa": 1.0}, "text": text}}
    store.write_spec({**store.spec(), "arms": arms})
    found = gather(store)
    assert found.domain.arms == ("csqa", "law")
    (added,) = found.domain.added
    assert (added.arm, added.base) == ("law", "siqa")
    difference = found.pools["law"].gain.points - found.pools["siqa"].gain.points
    assert added.pool.gain.points == pytest.approx(difference)
    fifth = answers(found)[4]
    assert fifth.verdict.startswith("law: ") and "law against siqa, the same without text" in " ".join(fifth.sentences)
    assert any(one.startswith("csqa: no scored arm") for one in fifth.sentences)


def test_a_legend_of_many_arms_leaves_room_for_the_languages(tmp_path, recwarn):
    arms = ("none", "continued", "domain", "multilingual", "translated", "everything")
    plan = Plan(sizes=("xs",), arms=arms, targets=("xcopa",), languages={"en": None, "de": None}, resamples=20)
    write(build(tmp_path / "toy", plan), NOW)
    assert not [str(one.message) for one in recwarn if "constrained_layout" in str(one.message)]


def test_a_target_that_is_scored_directly_is_not_degenerate():
    spec = {"sizes": ["s"], "arms": {"none": None, "squad": {"tasks": {"squad": 1}}}, "seeds": [0]}
    spec |= {"targets": ["lareqa", "xquad", "xcopa"]}
    pairs = {("squad", "lareqa"), ("squad", "xquad")}
    assert designs.design(spec, []).degenerate == pairs
    assert designs.design({**spec, "direct": ["lareqa"]}, []).degenerate == pairs - {("squad", "lareqa")}


def test_degenerate_pairs_stay_out_of_the_pool(store, monkeypatch):
    from study.analysis import basis

    original = basis.read_design
    marked = lambda spec, records: __import__("dataclasses").replace(  # noqa: E731
        original(spec, records), degenerate=frozenset({("siqa", "xcopa")})
    )
    monkeypatch.setattr(basis, "read_design", marked)
    found = gather(store)
    assert found.pools["siqa"].targets == ("udpos", "tatoeba")
    assert "xcopa" in found.gains["siqa"]


def test_benchmark_scores_have_their_own_section(tmp_path):
    """Size xs has all ten tasks in all languages, size s lacks one task and so has no overall score."""
    plan = Plan(
        sizes=("xs", "s"), arms=("none",), seeds=(0,), targets=XTREME_R, examples=20, resamples=20, benchmark=True
    )
    store = build(tmp_path / "toy", plan, {("s", "none", "lareqa", 0)})
    found = gather(store)
    table = found.benchmark.set_index(["name", "size"])
    mean = found.tasks[found.tasks["size"] == "xs"]["score"].mean()
    whole = table.loc[(OVERALL, "xs")]
    assert whole["score"] == pytest.approx(mean) and whole["low"] < mean < whole["high"] and not whole["partial"]
    rows = {row[1]: row for row in overview(found.benchmark).rows}
    assert rows["xs"][2] == f"{mean:.1f}" and rows["xs"][-1] == ""
    assert rows["s"][2] == rows["s"][7] == "missing" and rows["s"][6] != "missing" and rows["s"][-1] == "lareqa"
    assert "XTREME-R: no overall score of none at s: lareqa is missing." in cautions(found)
    section = render(found, chapters(found, csv_tables(found), {}), answers(found), "study run toy", NOW).partition(
        '<h2 id="benchmarks">'
    )[2]
    assert f'<td class="number">{mean:.1f}</td>' in section and '<td class="number">missing</td>' in section
    assert len(csv_tables(found)["benchmark"]) == 2 * (1 + 4 + 10)


def test_a_benchmark_short_of_languages_is_partial(tmp_path):
    store = build(tmp_path / "toy", Plan(sizes=("xs",), targets=("xcopa",), examples=40, resamples=50, benchmark=True))
    for arm in ("none", "siqa"):
        key = f"evaluation-target-xs-{arm}-xcopa-0"
        record = store.record(key, verify=False)
        kept = tuple(score for score in record.scores if score.language != "qu")
        store.write_record(record.model_copy(update={"scores": kept}))
    found = gather(store)
    table = found.benchmark.set_index(["name", "arm"])
    assert table.loc[("xcopa", "none"), "missing"] == "qu" and table.loc[("xcopa", "none"), "partial"]
    assert "XTREME-R: scores are partial, languages are missing: xcopa in qu." in cautions(found)
    text = Path(write(store, NOW)["page"]).read_text(encoding="utf-8")
    assert "languages of xcopa" in text and '<span class="long">qu</span>' in text


def test_a_lab_has_no_benchmark_scores(store, page):
    assert gather(store).benchmark.empty and 'id="benchmarks"' not in page


@pytest.mark.parametrize(("value", "text"), [(3.14, "+3.1"), (-3.14, "−3.1"), (0.04, "0.0"), (float("inf"), "∞")])
def test_signs(value, text):
    assert signed(value) == text
