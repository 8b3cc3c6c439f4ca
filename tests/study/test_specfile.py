"""Specs: good ones, and every kind of mistake with the exact line that it gives."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from study.spec import StudySpec
from study.specfile import load, merge, parse, schema, shipped
from trainables.errors import SpecError

SMALL = {"name": "tiny", "ladder": "lab"}


def problem(value: dict) -> str:
    with pytest.raises(SpecError) as error:
        parse(value)
    return str(error.value)


def file_problem(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(SpecError) as error:
        load(str(path))
    return str(error.value).replace(str(path), "FILE")


def test_smallest_study_is_completed_from_its_ladder() -> None:
    spec = parse(SMALL)
    assert spec.sizes == ("xs", "s", "m")
    assert spec.attention == "causal"
    assert spec.arms == {"none": None}
    assert spec.steps("udpos") == spec.training.steps["default"] == 120


@pytest.mark.parametrize("short", ["siqa", ["siqa"], {"tasks": {"siqa": 2}}])
def test_arm_short_forms_mean_the_same(short: object) -> None:
    arm = parse({**SMALL, "arms": {"none": None, "siqa": short}}).arms["siqa"]
    assert arm is not None and arm.shares() == {"siqa": 1.0}


@pytest.mark.parametrize("name", ["lab", "mini_xtreme", "studies/lab.yaml", "lab.yaml"])
def test_shipped_studies_load_by_name(name: str) -> None:
    assert isinstance(load(name), StudySpec)


def test_every_shipped_study_and_its_smoke_variant_are_valid() -> None:
    assert shipped() == ["lab", "mini_xtreme"]
    for name in shipped():
        assert load(name, smoke=True).name != load(name).name


def test_the_lab_is_a_whole_study() -> None:
    spec = load("lab")
    assert len(spec.sizes) >= 3 and len(spec.arms) >= 2 and len(spec.targets) >= 3 and len(spec.seeds) >= 2
    assert spec.quantization == "nf4"
    assert len({spec.steps(name) for name in ("siqa", "xcopa", "udpos")}) == 3, "steps are by arm and target"


def test_dumped_spec_is_read_back() -> None:
    spec = load("lab")
    assert parse(spec.model_dump(mode="json")) == spec


def test_changes_of_the_command_line_win_over_the_file() -> None:
    spec = load("lab", smoke=True, changes={"storage": "/elsewhere", "search": {"trials": 1}})
    assert (spec.storage, spec.search.trials, spec.search.window) == ("/elsewhere", 1, (5e-4, 8e-3))


def test_merge_is_deep_and_replaces_lists() -> None:
    assert merge({"a": {"b": 1, "c": 2}, "d": [1, 2]}, {"a": {"c": 3}, "d": [4]}) == {"a": {"b": 1, "c": 3}, "d": [4]}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"trails": 3}, "study: trails: unknown key; did you mean search.trials?"),
        ({"search": {"trails": 3}}, "study: search.trails: unknown key; did you mean search.trials?"),
        ({"batch_size": 3}, "study: batch_size: unknown key; did you mean training.batch_size?"),
        ({"sise": ["xs"]}, "study: sise: unknown key; did you mean sizes?"),
        ({"adapter": {"rnk": 3}}, "study: adapter.rnk: unknown key; did you mean adapter.rank?"),
        ({"arms": {"none": None, "x": {"task": {"siqa": 1}}}}, "study: arms.x.tasks: missing; every study needs it"),
        ({"tracking": {"zzz": 1}}, "study: tracking.zzz: unknown key; allowed here: enabled, uri"),
        ({"quantization": "nf5"}, "study: quantization: found \"nf5\", allowed: 'nf4', 'int8' or 'none'"),
        ({"training": {"batch_size": "many"}}, 'study: training.batch_size: found "many", allowed: a whole number'),
        ({"training": {"batch_size": 0}}, "study: training.batch_size: found 0, allowed: more than 0"),
        ({"training": {"warmup": 1.5}}, "study: training.warmup: found 1.5, allowed: less than 1"),
        ({"training": {"steps": {"default": 2.5}}}, "study: training.steps.default: found 2.5, allowed: a whole number"),  # noqa: E501
        ({"training": {"steps": {"siqa": 9}}}, "study: training.steps: the entry `default` is missing; add e.g. `default: 120`"),  # noqa: E501
        ({"training": {"steps": {"default": 9, "sqia": 9}}}, "study: training.steps.sqia: 'sqia' is not a known task or arm; did you mean siqa?"),  # noqa: E501
        ({"training": {"evaluations": 500}}, "study: training.evaluations: found 500, allowed: at most 120, the fewest steps"),  # noqa: E501
        ({"seeds": []}, "study: seeds: found [], allowed: at least 1 entry"),
        ({"seeds": [True]}, "study: seeds.0: found true, allowed: a whole number"),
        ({"seeds": [1, 1]}, "study: seeds: 1 given more than once; remove the repetition"),
        ({"sizes": ["xs", "xs"]}, "study: sizes: xs given more than once; remove the repetition"),
        ({"sizes": ["xl"]}, "study: sizes.0: 'xl' is not a known size; allowed: xs, s, m"),
        ({"targets": ["xcopaa"]}, "study: targets.0: 'xcopaa' is not a known task; did you mean xcopa?"),
        ({"targets": "xcopa"}, 'study: targets: found "xcopa", allowed: a list'),
        ({"ladder": "lba"}, "study: ladder: 'lba' is not known; did you mean lab?"),
        ({"ladder": 3}, "study: ladder: found 3, allowed: text"),
        ({"name": "models"}, "study: name: found 'models', allowed: any but calibrations, data, models, snapshots"),
        ({"ladder": "bloom", "attention": "bidirectional"}, "study: attention: found 'bidirectional', allowed for ladder bloom: causal (ALiBi looks back only)"),  # noqa: E501
        ({"ladder": "xlmr", "attention": "causal"}, "study: attention: found 'causal', allowed for an encoder ladder: bidirectional"),  # noqa: E501
        ({"ladder": "qwen3", "attention": "bidirectional", "arms": {"none": None, "b": {"tasks": "siqa", "text": {"files": "a.txt", "share": 0.3}}}}, "study: arms.b.text: found text, allowed for a published decoder only with `attention: causal`"),  # noqa: E501
        ({"ladder": "mt5", "arms": {"none": None, "b": {"tasks": "siqa", "text": {"files": "a.txt", "share": 0.3}}}}, "study: arms.b.text: found text, allowed with encoders that can restore masked tokens, which mT5's cannot"),  # noqa: E501
        ({"ladder": "qwen3", "pretrain": {"steps": 5}}, "study: pretrain: found steps, allowed: nothing, because ladder qwen3 comes pretrained"),  # noqa: E501
        ({"ladder": "qwen3", "models": {"revisions": {"Qwen/Qwen3-0.6B": "main"}}}, "study: models.revisions.Qwen/Qwen3-0.6B: 'Qwen/Qwen3-0.6B' is not a known model of the ladder; did you mean Qwen/Qwen3-0.6B-Base?"),  # noqa: E501
        ({"arms": {"siqa": "siqa"}}, "study: arms: the arm 'none' is missing; add `none: null`, every gain is measured against it"),  # noqa: E501
        ({"arms": {"none": "siqa"}}, "study: arms.none: found tasks, allowed: null (it is the arm without an intermediate phase)"),  # noqa: E501
        ({"arms": {"none": None, "b": None}}, "study: arms.b: found null, allowed: a task, a list of tasks, or {tasks: {name: share}}"),  # noqa: E501
        ({"arms": {"none": None, "b": "sqia"}}, "study: arms.b.tasks: 'sqia' is not a known task; did you mean siqa?"),
        ({"arms": {"none": None, "b": "tatoeba"}}, "study: arms.b.tasks: 'tatoeba' is scored without tuning and cannot be an intermediate task"),  # noqa: E501
        ({"compute": {"shard": True, "workers": 1}}, "study: compute.shard: found workers: 1, allowed: 2 or more, to spread the base over"),  # noqa: E501
        ({"search": {"window": [1e-2, 1e-3]}}, "study: search.window: found [0.01, 0.001], allowed: 0 < lowest < highest <= 10"),  # noqa: E501
        ({"data": {"root": "/data"}}, "study: data.root: found '/data', allowed only with `source: local` or `source: hub`"),  # noqa: E501
        ({"data": {"source": "local"}}, "study: data.source: found 'local', allowed for ladder lab: lab (whose words it knows)"),  # noqa: E501
        ({"arms": {"none": None, "b": {"tasks": "siqa", "files": {"xnli": "x.jsonl"}}}}, "study: arms.b.files.xnli: found files, allowed for tasks of this arm: siqa"),  # noqa: E501
        ({"arms": {"none": None, "b": {"tasks": "siqa", "text": {"files": "a.txt", "share": 1}}}}, "study: arms.b.text.share: found 1, allowed: less than 1"),  # noqa: E501
        ({"arms": {"none": None, "b": {"tasks": "siqa", "sampling": {"caps": 1}}}}, "study: arms.b.sampling.caps: unknown key; did you mean arms.b.sampling.cap?"),  # noqa: E501
        ({"arms": {"none": None, "b": {"tasks": {"siqa": 3, "xnli": 1}, "sampling": {"cap": 9}}}}, "study: arms.b.sampling: found it beside unequal shares, allowed: one of them; list the tasks"),  # noqa: E501
        ({"arms": {"none": None, "b": {"tasks": "siqa", "text": {"files": "a.txt", "share": 0.3, "domains": {"law": -1}}}}}, "study: arms.b.text.domains.law: found -1, allowed: more than 0"),  # noqa: E501
        ({"report": {"gpu_hour_price": -1}}, "study: report.gpu_hour_price: found -1, allowed: at least 0"),
        ({"arms": {"none": None, "b": "siqa"}, "report": {"in_domain": {"b": ["xcopa"]}}}, "study: report.in_domain.b: 'b' is not a known arm with text; allowed: none"),  # noqa: E501
        ({"arms": {"none": None, "b": {"tasks": "siqa", "text": {"files": "a.txt", "share": 0.3}}}, "report": {"in_domain": {"b": ["xcpoa"]}}}, "study: report.in_domain.b.0: 'xcpoa' is not a known task; did you mean xcopa?"),  # noqa: E501
        ({"direct": ["xcopa"]}, "study: direct.0: found 'xcopa', allowed: retrieval targets of this study (tatoeba)"),
        ({"training": {"max_length": {"span": 99}}}, "study: training.max_length: the entry `default` is missing; add e.g. `default: 128`"),  # noqa: E501
        ({"training": {"max_length": {"default": 64, "spam": 99}}}, "study: training.max_length.spam: 'spam' is not a known task or head; did you mean span?"),  # noqa: E501
        ({"name": "a/b"}, 'study: name: found "a/b", allowed: letters, digits, dot, dash, underscore, plus (64 at most, the first a letter or digit)'),  # noqa: E501
    ],
)  # fmt: skip
def test_a_mistake_gives_its_line(change: dict, line: str) -> None:
    assert line in problem({**SMALL, **change}).splitlines()


def test_missing_keys_are_named() -> None:
    assert problem({}).splitlines() == [
        "study: name: missing; every study needs it",
        "study: ladder: missing; every study needs it",
    ]


def test_many_problems_are_cut_short() -> None:
    lines = problem({**SMALL, **{f"zz{i}": i for i in range(30)}}).splitlines()
    assert len(lines) == 9 and lines[-1] == "study: and 22 more problems"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "FILE: found nothing, wanted a mapping that starts like `name: my-study`"),
        (b"- a\n- b\n", "FILE: found a list, wanted a mapping that starts like `name: my-study`"),
        (b"name: [a\n", "FILE: not valid YAML: line 2, column 1: expected ',' or ']', but got '<stream end>'"),
        (b"name: a\nname: b\n", "FILE: not valid YAML: line 2, column 1: the key 'name' is given twice"),
        (b"\x80\x81\x00", "FILE: not a text file (byte 0 is not UTF-8); give a YAML file"),
        (b"a: &a [*a]\n", "FILE: an alias contains itself (line 1); write it out"),
        (b"1: 2\n", "FILE: top level: found the key 1, allowed: text; quote it"),
        (b"name: !!python/object:os.system {}\n", "FILE: not valid YAML: line 1, column 7: could not determine a constructor for the tag 'tag:yaml.org,2002:python/object:os.system'"),  # noqa: E501
        (b"name: .nan\n", "FILE: name: found nan, allowed: a finite number"),
        (b"name: a\nladder: lab\nsmoke: 3\n", "FILE: smoke: found 3, allowed: a mapping of changes"),
        (b"name: a\nladder: lab\nsmoke: {tragets: []}\n", "FILE: with smoke: tragets: unknown key; did you mean targets?"),  # noqa: E501
    ],
)  # fmt: skip
def test_an_unusable_file_gives_one_line(tmp_path: Path, content: bytes, line: str) -> None:
    assert file_problem(tmp_path / "s.yaml", content) == line


def test_alias_bombs_and_deep_nesting_are_refused(tmp_path: Path) -> None:
    names = "abcdefghij"
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"{n}: &{n} [{', '.join([f'*{p}'] * 9)}]\n" for p, n in zip(names, names[1:], strict=False))
    assert "its aliases unfold to more than 100000 values" in file_problem(tmp_path / "s.yaml", bomb.encode())
    merge_bomb = "a: &a {x: 1}\n"
    merge_bomb += "".join(
        f"{n}: &{n} {{<<: [{', '.join([f'*{p}'] * 9)}]}}\n" for p, n in zip(names, names[1:], strict=False)
    )
    assert "its aliases unfold to more than 100000 values" in file_problem(tmp_path / "s.yaml", merge_bomb.encode())
    assert file_problem(tmp_path / "s.yaml", b"[" * 5000) == "FILE: nested too deeply for a study"
    assert "a study is at most 1000000" in file_problem(tmp_path / "s.yaml", b"#" * 1_000_001)


def test_plain_exponents_are_numbers_and_dates_are_text(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("name: 2026-11-20\nladder: lab\nsearch: {window: [1e-3, 1e-2]}\n")
    spec = load(str(path))
    assert (spec.name, spec.search.window) == ("2026-11-20", (1e-3, 1e-2))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("lba", "'lba': no such file and no shipped study; did you mean lab?"),
        ("qqqq", "'qqqq': no such file and no shipped study; shipped studies: lab, mini_xtreme"),
        ("a\0b", "'a\\x00b': "),
        ("x" * 5000, "no such file"),
    ],
)
def test_unknown_studies_are_named(name: str, line: str) -> None:
    with pytest.raises(SpecError) as error:
        load(name)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(line) or line in str(error.value) or len(name) == 5000


def test_a_folder_is_not_a_study(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="is a folder; give the YAML file inside it"):
        load(str(tmp_path))


def test_smoke_without_a_block_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("name: a\nladder: lab\n")
    with pytest.raises(SpecError, match="has no `smoke:` block"):
        load(str(path), smoke=True)


def test_schema_accepts_the_shipped_files_and_refuses_a_typo() -> None:
    folder = Path(__file__).parents[2] / "study" / "studies"
    checker = jsonschema.Draft202012Validator(schema())
    for name in shipped():
        value = yaml.safe_load((folder / f"{name}.yaml").read_text())
        assert list(checker.iter_errors(value)) == []
        assert list(checker.iter_errors({**value, "tragets": []}))
        assert list(checker.iter_errors({**value, "smoke": {"sizes": 3}}))
