"""What does a user see who simulates a study, or asks what it could see?"""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from study import cli
from study.analysis import cost
from study.analysis.basis import basis
from study.sampler import verdict
from study.simulation import power
from study.simulation.draw import draw
from study.simulation.source import read
from study.store import Store

PLANTED = """
name: mine
sizes: {small: 100000000, large: 1000000000}
languages: {en: {distance: 0}, de: {distance: 0.3}, ja: {distance: 0.9}}
targets: {xcopa: {languages: [en, de, ja], examples: 60}}
arms: {none: null, siqa: {tasks: [siqa], gain: {level: 8}}}
seeds: [0, 1]
resamples: 50
dev_examples: 60
"""


def study(*arguments):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def files(folder):
    """{name: sha256} of what a run leaves; a report has a date, and says its command."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and "report" not in path.parts and path.name != "spec.json"
    }


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The small variant of the lab, simulated."""
    folder = tmp_path_factory.mktemp("simulated")
    result = study("simulate", "lab", "--smoke", "--out", folder, "--seed", 3)
    assert result.exit_code == 0, result.output
    return folder


def test_a_simulated_study_reads_like_one_that_was_run(lab):
    status = study("status", "lab", "--smoke", "--storage", lab)
    assert status.exit_code == 0 and "0 phases to go" in status.stdout
    report = study("report", "lab", "--smoke", "--storage", lab, "--json")
    page = Path(json.loads(report.stdout)["page"]).read_text()
    assert "This study is simulated: every number was drawn" in page
    assert Store(lab / "lab-smoke").spec()["simulated"]["seed"] == 3


def test_a_study_is_never_drawn_over_another(lab):
    result = study("simulate", "lab", "--smoke", "--out", lab)
    assert result.exit_code == 2 and "holds a study already" in result.stderr


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    (tmp_path / "planted.yaml").write_text(PLANTED)
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        result = study("simulate", tmp_path / "planted.yaml", "--out", tmp_path / name, "--seed", seed)
        assert result.exit_code == 0, result.output
        assert "siqa gains 8 points" in result.stdout
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert files(tmp_path / "one") != files(tmp_path / "three")


def test_a_planted_file_takes_its_design_from_a_study_and_changes_what_it_likes(tmp_path):
    path = tmp_path / "planted.yaml"
    path.write_text("study: lab\narms: {siqa: {gain: {level: 3}}}\nnoise: {seed: 2.5}\n")
    source = read(str(path))
    planted = source.planted()
    assert source.spec.name == planted.name == "lab"
    assert planted.arms["siqa"].gain.level == 3 and planted.noise.seed == 2.5
    assert list(planted.targets) == ["xcopa", "udpos", "tatoeba"] and planted.targets["tatoeba"].direct
    assert planted.languages["xd"].distance == 0.895 and "en" not in planted.targets["tatoeba"].languages


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("study: lab\nnoyse: {seed: 1}\n", "noyse: unknown key"),
        ("study: lab\nnoise: {seed: -1}\n", "noise.seed: found -1, allowed: at least 0"),
        ("study: nowhere\n", "no such file and no shipped study"),
        ("sizes: {a: 10}\n", "languages: missing; give it, or `study:`"),
        (PLANTED.replace("none: null, ", ""), "none: null"),
        (PLANTED.replace("level: 8", "level: 50"), "xcopa with scores from 2 to 98"),
        ("study: lab\narms: {siqq: {gain: {level: 3}}}\n", "no such arm, found 'siqq', known: none, siqa"),
        ("study: lab\ntargets: {xcoppa: {level: 60}}\n", "known: xcopa, udpos, tatoeba; correct the name"),
        (
            PLANTED.replace("level: 8", "targets: {xcoppa: 2}"),
            "arms.siqa with gains on targets of the study (xcopa; not",
        ),
        (PLANTED.replace("languages: [en, de, ja]", "languages: [en, fr]"), "not there: fr"),
    ],
)
def test_mistakes_are_one_line_that_names_the_thing(tmp_path, text, said):
    path = tmp_path / "planted.yaml"
    path.write_text(text)
    result = study("simulate", path, "--out", tmp_path / "out")
    assert result.exit_code == 2 and said in result.stderr
    assert all(line.startswith(f"error: {path}") or "nowhere" in line for line in result.stderr.splitlines())


def test_a_price_of_gpu_hours_counts_in_a_simulated_study_without_gpus(tmp_path):
    """The lab runs on no GPU, but the time that is simulated is that of GPUs."""
    evidence, _ = draw(read("lab").planted(), 0)
    priced = replace(evidence, spec={**evidence.spec, "report": {"bootstrap": 20, "gpu_hour_price": 2.0}})
    found = cost.find(basis(priced))
    assert found.rate == 2.0 and found.gpus
    assert (found.prices["money"].astype(float) > 0).all()


def test_power_says_what_the_design_would_show_and_what_it_assumes(tmp_path, monkeypatch):
    monkeypatch.setattr(power, "MOST", power.FEWEST)
    (tmp_path / "planted.yaml").write_text(PLANTED)
    text = study("plan", tmp_path / "planted.yaml", "--power").stdout
    assert "2 sizes, 2 seeds, 1 targets, 3 languages, 60 test examples" in text
    assert "training seed 1" in text and "slope of the gain" in text and "retention" in text
    facts = json.loads(study("plan", tmp_path / "planted.yaml", "--power", "--json").stdout)
    gain = next(one for one in facts["power"] if one["effect"].startswith("gain, all targets"))
    assert gain["arm"] == "siqa" and gain["chances"]["1"] < gain["chances"]["5"] and gain["smallest"] > 0


def test_sizes_above_the_smallest_search_with_half_the_trials(tmp_path):
    file = tmp_path / "planted.yaml"
    file.write_text(PLANTED + "costs: {trials: 4, transfer: true}\n")
    assert study("simulate", file, "--out", tmp_path / "out").exit_code == 0
    searched = {record.key: record for record in Store(tmp_path / "out" / "mine").records() if record.search}
    large = [record for record in searched.values() if record.size == "large"]
    assert {len(record.trials) for record in searched.values() if record.size == "small"} == {4}
    assert {len(record.trials) for record in large} == {2}
    for record in large:
        twin = searched[record.search.narrowed_by]
        assert (twin.size, twin.arm, twin.task) == ("small", record.arm, record.task)
        best = twin.winner.learning_rate
        assert record.search.window == pytest.approx((best / 4, best * 1.6))
    assert all(record.search.verdict == verdict(record.trials) for record in searched.values()), "as of a real search"


def test_early_stopping_is_not_simulated_and_the_command_says_so(tmp_path):
    file = tmp_path / "short.yaml"
    file.write_text(
        "name: short\nladder: lab\nsizes: [xs]\ntargets: [xcopa]\nseeds: [0]\nreport: {bootstrap: 20}\n"
        "search: {early_stopping: true}\n"
    )
    said = study("simulate", file, "--out", tmp_path / "out")
    assert said.exit_code == 0, said.output
    assert "search.early_stopping is not simulated: every trial goes to its end" in said.stdout
    trials = [trial for record in Store(tmp_path / "out" / "short").records() for trial in record.trials]
    assert trials and all(trial.status == "finished" for trial in trials)
