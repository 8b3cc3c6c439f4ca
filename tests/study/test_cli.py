"""The command line: what is printed, the exit codes, and never a traceback."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from study import cli, guard, plan, progress
from study.report import load
from study.store import Store
from tests.study.planned import BASE, finish, spec_on
from trainables.errors import StorageError

COMMANDS = ("plan", "run", "status", "report", "export", "ui", "doctor", "schema", "calibrate")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(json.dumps(BASE))
    return path


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def one_error(result: Result) -> str:
    assert result.exit_code == guard.BAD_INPUT, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


def test_help_tells_the_story_with_examples_first() -> None:
    text = call("--help").output
    assert text.index("Examples") < text.index("study run lab") < text.index("Options")
    assert all(name in text for name in COMMANDS)
    for name in COMMANDS:
        assert "Example" in call(name, "--help").output


def test_help_is_there_at_once() -> None:
    """No heavy library is imported for it; the time itself depends on the machine."""
    code = "import sys; from typer.testing import CliRunner; from study.cli import app; "
    code += "CliRunner().invoke(app, ['--help']); "
    code += "print(sorted({'torch', 'ray', 'mlflow', 'pandas', 'transformers', 'pydantic'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("option", [("--gpu", "all"), ("--rate", "1.8"), ("--rate", "0")])
def test_what_belongs_to_the_cost_is_not_silently_ignored_without_it(file: Path, option: tuple[str, str]) -> None:
    assert one_error(call("plan", file, *option)).startswith(f"{option[0]}: found without --cost")


def test_plan_needs_no_heavy_library(file: Path, lab_root: Path, tmp_path: Path) -> None:
    code = "import sys; from typer.testing import CliRunner; from study.cli import app; "
    code += "assert CliRunner().invoke(app, sys.argv[1:]).exit_code == 0; "
    code += "print(sorted({'torch', 'ray', 'mlflow', 'transformers'} & set(sys.modules)))"
    command = [sys.executable, "-c", code, "plan", str(file), "--data-root", str(lab_root), "--storage", str(tmp_path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_plan_shows_rows_counts_and_time(file: Path, lab_root: Path, tmp_path: Path) -> None:
    result = call("plan", file, "--data-root", lab_root, "--storage", tmp_path)
    assert result.exit_code == 0, result.output
    assert "no record yet" in result.stdout and "intermediate-s-siqa-s1-" in result.stdout
    assert "28 phases, 0 done, 28 to run; 16 cells share phases, which saves 20" in result.stdout
    assert "rough time: " in result.stdout and "assumed speed" in result.stdout


def test_plan_as_json_holds_what_run_would_do(file: Path, lab_root: Path, tmp_path: Path) -> None:
    value = json.loads(call("plan", file, "--data-root", lab_root, "--storage", tmp_path, "--json").stdout)
    spec, store = spec_on(lab_root), Store(tmp_path / "tiny")
    rows = plan.rows(spec, store)
    assert [one["key"] for one in value["phases"]] == [row.phase.key for row in rows]
    assert [tuple(one["needs"]) for one in value["phases"]] == [row.phase.needs for row in rows]
    assert value["counts"]["run"] == len(rows) and value["estimate"]["seconds"] >= 0


def test_plan_of_the_lab_writes_its_data_once(tmp_path: Path) -> None:
    result = call("plan", "lab", "--smoke", "--storage", tmp_path)
    assert result.exit_code == 0, result.output
    marker = tmp_path / "lab-smoke" / "data" / "lab-0" / "lab.json"
    written = marker.stat().st_mtime_ns
    assert call("plan", "lab", "--smoke", "--storage", tmp_path).stdout == result.stdout
    assert marker.stat().st_mtime_ns == written


def test_calibrate_measures_and_costs_rest_on_it(file: Path, lab_root: Path, tmp_path: Path) -> None:
    result = call("calibrate", file, "--seconds", 1, "--storage", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    value = json.loads(result.stdout)
    assert {point["size"] for point in value["points"]} == {"xs", "s"} and Path(value["path"]).is_file()
    name = value["device"]["name"]
    text = call("plan", file, "--cost", "--gpu", name, "--data-root", lab_root, "--storage", tmp_path).stdout
    assert f"speed: calibrated on {name}" in text


@pytest.mark.parametrize("command", ["plan", "run", "status"])
def test_bad_spec_is_one_line_and_exit_2(tmp_path: Path, command: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("name: a\nladder: lab\ntragets: [xcopa]\n")
    assert one_error(call(command, path)) == f"{path}: tragets: unknown key; did you mean targets?"


@pytest.mark.parametrize("command", COMMANDS[:6])
def test_unknown_study_is_one_line_and_exit_2(command: str) -> None:
    assert one_error(call(command, "lba")) == "'lba': no such file and no shipped study; did you mean lab?"


def test_missing_root_and_bad_storage_are_one_line(file: Path, tmp_path: Path) -> None:
    assert "give --data-root FOLDER" in one_error(call("plan", file, "--storage", tmp_path))
    assert "is absent or empty" in one_error(call("plan", file, "--storage", tmp_path, "--data-root", "/nowhere"))
    assert "not a usable storage address" in one_error(call("plan", "lab", "--storage", "nope://x"))
    (tmp_path / "file").write_text("")
    assert "Not a directory" in one_error(call("plan", "lab", "--storage", tmp_path / "file"))


def test_status_reads_the_store_and_remembers_the_data_root(file: Path, lab_root: Path, tmp_path: Path) -> None:
    spec, store = spec_on(lab_root), Store(tmp_path / "tiny")
    phases = plan.build(spec, store)
    finish(store, phases[0])
    store.write_failure(phases[1].key, "it broke")
    store.write_spec(spec.model_dump(mode="json"))
    text = call("status", file, "--storage", tmp_path)
    assert text.exit_code == 0, text.output
    assert f"failed {phases[1].key}: it broke" in text.stdout and "27 phases to go" in text.stdout
    value = json.loads(call("status", file, "--storage", tmp_path, "--json").stdout)
    assert value["kinds"]["pretrain"] == {"done": 1, "running": 0, "failed": 0, "waiting": 1}
    assert value["failures"] == {phases[1].key: "it broke"}


def test_schema_is_json_with_the_docstrings() -> None:
    value = json.loads(call("schema").stdout)
    assert value["required"] == ["name", "ladder"]
    assert "Examples per optimiser step" in value["$defs"]["Training"]["properties"]["batch_size"]["description"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("plan",), "Missing argument"),
        (("plan", "lab", "--nope"), "--nope"),
        (("nope",), "nope"),
        (("ui", "lab", "--port", "0"), "--port"),
    ],
)
def test_wrong_usage_is_explained(arguments: tuple[str, ...], said: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2 and said in result.stderr and "internal error" not in result.stderr


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--lr", "1e-3"), "--lr: only with --foreground"),
        (("--foreground",), "--foreground: needs --only with the name of one phase, this matches 28"),
        (
            ("--foreground", "--only", "target-*"),
            "--foreground: needs --only with the name of one phase, this matches 8",
        ),
        (("--foreground", "--only", "target-xs-none-xcopa-s0"), "--lr: found None, target-xs-none-xcopa-s0 needs"),
        (("--foreground", "--only", "target-xs-none-xcopa-s0", "--lr", "-1"), "--lr: found -1.0"),
        (("--foreground", "--only", "pretrain-xs", "--lr", "1"), "--lr: pretrain-xs has no learning rate"),
        (("--only", "pretran-xs"), "--only: 'pretran-xs' matches no phase; did you mean pretrain-xs?"),
    ],
)
def test_run_options_that_make_no_sense(file: Path, lab_root: Path, tmp_path: Path, options: tuple, line: str) -> None:
    result = call("run", file, "--data-root", lab_root, "--storage", tmp_path, *options)
    assert one_error(result).startswith(line)


@pytest.fixture
def fake_run(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Replace the cluster: finishes what it is given. Returns what it was asked to run."""
    from study import execute

    asked: list[Any] = []

    def run(spec: Any, store: Store, rows: list[plan.Row], *, echo: Any = print, **_: Any) -> int:
        asked.append([row.phase.slug for row in rows if row.action == "run"])
        for row in rows:
            if row.action == "run":
                finish(store, row.phase)
                echo(f"done {row.phase.key}")
        return 0

    def foreground(spec: Any, store: Store, row: plan.Row, learning_rate: float | None, echo: Any) -> None:
        asked.append((row.phase.slug, learning_rate))

    monkeypatch.setattr(execute, "run", run)
    monkeypatch.setattr("study.foreground.foreground", foreground)
    return asked


def test_run_takes_the_rows_of_the_plan_and_ends_with_the_report(
    file: Path, lab_root: Path, tmp_path: Path, fake_run: list[Any]
) -> None:
    arguments = ("run", file, "--data-root", lab_root, "--storage", tmp_path)
    first = call(*arguments, "--only", "intermediate-xs-siqa-s0")
    assert first.exit_code == 0, first.output
    assert fake_run == [["pretrain-xs", "intermediate-xs-siqa-s0"]]
    assert "tiny: 2 of 28 phases done, 0 failed" in first.stdout
    assert f"report: {tmp_path}/tiny/report/index.html" in first.stdout
    assert f"study ui {file} --storage {tmp_path}" in first.stdout
    assert Path(tmp_path, "tiny", "report", "index.html").is_file()
    second = call(*arguments, "--json")
    assert len(fake_run[1]) == 26
    assert json.loads(second.stdout)["done"] == 28
    assert Store(tmp_path / "tiny").spec()["argv"][0] == "study"


def test_the_report_at_the_end_of_a_run_says_how_far_it_is(
    file: Path, lab_root: Path, tmp_path: Path, fake_run: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[bool, str]] = []

    @contextmanager
    def bar(quiet: bool = False) -> Iterator[progress.Told]:
        yield lambda what, done, total: told.append((quiet, what))

    monkeypatch.setattr(progress, "bar", bar)
    arguments = ("run", file, "--data-root", lab_root, "--storage", tmp_path, "--only", "pretrain-xs")
    assert call(*arguments).exit_code == 0 and (False, "writing files") in told
    told.clear()
    assert call(*arguments, "--json").exit_code == 0 and {quiet for quiet, _ in told} == {True}


@pytest.mark.parametrize("options", [("plan", "--cost"), ("plan",), ("run",), ("status",)])
def test_what_is_not_fetched_is_one_line_with_the_command_that_fetches_it(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    spec = tmp_path / "my own.yaml"
    values = {"name": "own", "ladder": "qwen3", "sizes": ["0.6b"], "targets": ["xcopa"], "data": {"source": "hub"}}
    spec.write_text(json.dumps({**values, "smoke": {"seeds": [0]}}))
    storage = ("--storage", str(tmp_path / "runs"))
    said, _, command = one_error(call(*options, spec, *storage, "--smoke")).partition("; run first: ")
    assert "data/hub: not fetched yet: xcopa/test-et.parquet, " in said
    assert shlex.split(command) == ["study", "fetch", str(spec), *storage, "--smoke"]


def test_a_spec_that_was_changed_back_is_reported_and_not_what_ran_meanwhile(
    file: Path, lab_root: Path, tmp_path: Path, fake_run: list[Any]
) -> None:
    narrowed = tmp_path / "narrowed.yaml"
    narrowed.write_text(json.dumps({**BASE, "search": {"transfer": True}}))
    for spec in (file, narrowed, file):
        assert call("run", spec, "--data-root", lab_root, "--storage", tmp_path).exit_code == 0
    assert [len(run) for run in fake_run] == [28, 12, 0], "the third run finds everything done"
    store = Store(tmp_path / "tiny")
    found = load.load(store)
    assert {record.key for record in found.records} == {phase.key for phase in plan.build(spec_on(lab_root), store)}
    assert len(found.older) == 12


def test_foreground_runs_what_is_missing_before_it_and_then_the_one(
    file: Path, lab_root: Path, tmp_path: Path, fake_run: list[Any]
) -> None:
    arguments = ("run", file, "--data-root", lab_root, "--storage", tmp_path)
    result = call(*arguments, "--only", "target-xs-siqa-xcopa-s1", "--lr", "3e-3", "--foreground")
    assert result.exit_code == 0, result.output
    assert fake_run == [
        ["pretrain-xs", "intermediate-xs-siqa-s0", "intermediate-xs-siqa-s1"],
        ("target-xs-siqa-xcopa-s1", 3e-3),
    ]


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (StorageError("disk full"), 2, "error: disk full"),
        (KeyboardInterrupt(), 130, "interrupted; run the same command again to go on where it was"),
        (SystemExit(143), 143, "terminated; run the same command again to go on where it was"),
        (ZeroDivisionError("a\nb"), 70, "internal error: ZeroDivisionError: a (full text: "),
    ],
)
def test_every_end_has_its_code_and_line(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, line: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(cli, "_open", fail)
    result = call("plan", "lab")
    assert (result.exit_code, len(result.stderr.splitlines())) == (code, 1)
    assert result.stderr.startswith(line) and "Traceback" not in result.output
    if code == 70:
        kept = Path(result.stderr.split("full text: ")[1].split(";")[0])
        assert "ZeroDivisionError" in kept.read_text()
        kept.unlink()


def test_an_interrupt_inside_code_made_of_text_has_its_code_too(tmp_path: Path) -> None:
    script = "import study.cli as cli\ndef fail(*_, **__):\n    exec('raise KeyboardInterrupt')\ncli._open = fail\n"
    (tmp_path / "interrupted.py").write_text(script + "cli.main()\n")
    command = [sys.executable, "-m", "interrupted", "plan", "lab"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.count("interrupted; run the same command again")) == (130, 1)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_unwind_and_set_the_exit_code(tmp_path: Path, number: int, code: int) -> None:
    script = "import signal, time, study.cli as cli\n"
    # A shell's background job, which a test run may be part of, hands down that SIGINT is ignored.
    script += "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    script += "def wait(*_, **__):\n    print('waiting', flush=True)\n    time.sleep(60)\n"
    script += "cli._open = wait\ncli.main()\n"
    command = [sys.executable, "-c", script, "run", "lab"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})
    assert child.stdout is not None and child.stdout.readline() == "waiting\n"
    time.sleep(0.1)
    child.send_signal(number)
    _, error = child.communicate(timeout=30)
    assert child.returncode == code
    assert "run the same command again" in error and "Traceback" not in error


def test_module_is_the_command() -> None:
    result = subprocess.run([sys.executable, "-m", "study", "schema"], capture_output=True, text=True, check=True)
    assert json.loads(result.stdout)["title"] == "StudySpec"


def test_a_job_needs_a_storage_that_every_node_means_alike(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    line = one_error(call("run", file, "--storage", "runs"))
    assert line == "storage: 'runs' is relative; on a cluster (10.0.0.1:6379) give an absolute path or an address"
