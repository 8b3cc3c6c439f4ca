"""What a job is made of, before anything is sent: its command, what travels, and secrets that do not."""

import json
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clusters.jobs import Job, address_of, entrypoint, exit_code
from clusters.secret_names import check_names, main, resolve
from clusters.submitting import Order, command, new_id
from clusters.upload import EXCLUDES, check
from study import cli, guard
from trainables.errors import StudyError

HERE = "http://127.0.0.1:1"


@pytest.fixture
def folder(tmp_path):
    """Some code beside junk of every kind; 100 bytes each."""
    for name in ("code/a.py", "code/data/b.py", "study.yaml", "runs/r.bin", "build/b.bin", "data/d.bin", ".venv/v.py",
                 ".git/g", "x.egg-info/i", "ignored/z.bin", "code/__pycache__/a.pyc", ".env", "code/.env.a", ".netrc",
                 "code/ssh.pem", "code/tls.key"):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 100)
    (tmp_path / ".gitignore").write_text("ignored/\n__pycache__/\n")
    (tmp_path / "study.yaml").write_text("name: mine\nladder: lab\n")
    return tmp_path


def test_only_code_and_study_files_travel(folder):
    names = [folder / name for name in ("code/a.py", "code/data/b.py", "study.yaml", ".gitignore")]
    assert check(folder) == sum(path.stat().st_size for path in names)


def test_ray_s_own_package_holds_what_was_counted(folder, tmp_path_factory):
    """The code that a submission packs with, on the same folder with the same patterns."""
    import zipfile

    from ray._private.runtime_env.packaging import create_package

    package = tmp_path_factory.mktemp("package") / "p.zip"
    create_package(str(folder), package, include_gitignore=True, excludes=list(EXCLUDES))
    with zipfile.ZipFile(package) as found:
        assert sum(one.file_size for one in found.infolist()) == check(folder)


def test_too_much_is_refused_with_its_largest_part(folder):
    (folder / "models").mkdir()
    (folder / "models" / "m.bin").write_bytes(b"x" * 3_000_000)
    with pytest.raises(StudyError, match=r"3 MB to upload, a job carries at most 2; the most is in models \(3 MB\)"):
        check(folder, largest=2_000_000)
    (folder / ".rayignore").write_text("/models\n")
    check(folder, largest=2_000_000)
    with pytest.raises(StudyError, match="no such folder"):
        check(folder / "nowhere")


def test_the_command_is_what_runs_by_hand(folder):
    order = Order(str(folder / "study.yaml"), "s3://b/runs", "s3://b/data", only="target-*", python="/opt/python")
    assert shlex.join(command(order, folder)) == (
        "/opt/python -m study run study.yaml --storage s3://b/runs --data-root s3://b/data --only 'target-*'"
    )
    fetch = command(Order("lab", "/shared", smoke=True, fetch=True), folder)
    assert fetch == ["python", "-m", "study", "fetch", "lab", "--storage", "/shared", "--smoke"]


@pytest.mark.parametrize(
    ("order", "line"),
    [
        (Order("lab"), "storage: 'runs' is relative; in a job give an absolute path or an address"),
        (Order("lab", "/s", "data"), "--data-root: 'data' is relative"),
        (Order("nowhere.yaml", "/s"), "no such file and no shipped study"),
    ],
)
def test_what_could_not_work_there_is_refused_here(order, line, tmp_path):
    with pytest.raises(StudyError) as error:
        command(order, tmp_path)
    assert line in str(error.value)


def test_a_study_outside_of_what_is_uploaded_is_refused(folder, tmp_path_factory):
    with pytest.raises(StudyError, match="lies outside of"):
        command(Order(str(folder / "study.yaml"), "/s"), tmp_path_factory.mktemp("other"))


def test_secrets_travel_by_name_alone():
    check_names(["HF_TOKEN", "_x1"])
    for wrong in ("HF_TOKEN=hunter2", "=hunter2", "hunter2!", "1A"):
        with pytest.raises(StudyError) as error:
            check_names([wrong])
        assert "hunter2" not in str(error.value)
    line = entrypoint(["python", "-m", "study", "run", "lab"], ["HF_TOKEN"])
    assert line == "python -m clusters.secret_names HF_TOKEN -- python -m study run lab"
    job = Job(HERE, "a", line, Path("."))
    assert set(job.runtime_env) == {"working_dir", "excludes"}


def test_the_plain_line_is_a_whole_command():
    words = shlex.split(Job(HERE, "lab-1", "python -m study run lab", Path("/w")).line(follow=False))
    assert words[:3] == ["ray", "job", "submit"] and words[-6:] == ["--", "python", "-m", "study", "run", "lab"]
    assert json.loads(words[words.index("--runtime-env-json") + 1]) == {"excludes": list(EXCLUDES)}
    assert "--no-wait" in words


def test_a_secret_comes_from_the_environment_or_from_a_private_file(tmp_path):
    file = tmp_path / "env"
    assert resolve(["A"], {"A": "1"}, file) == {"A": "1"}
    file.touch(mode=0o600)
    file.write_text("# mine\nA = from file\nB=x=y\n")
    assert resolve(["A", "B"], {"A": "1"}, file) == {"A": "1", "B": "x=y"}
    with pytest.raises(StudyError, match="C, D not set on the cluster") as error:
        resolve(["A", "C", "D"], {"A": "value"}, file)
    assert "value" not in str(error.value).replace("NAME=value", "")
    file.chmod(0o644)
    with pytest.raises(StudyError, match="others can read it"):
        resolve(["A"], {}, file)


def test_a_missing_secret_ends_the_job_with_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(SystemExit) as stop:
        main(["NOT_THERE", "--", "true"])
    assert stop.value.code == guard.BAD_INPUT
    assert capsys.readouterr().err.startswith("error: secrets: NOT_THERE not set on the cluster")


@pytest.mark.parametrize(
    ("status", "driver", "code"), [("SUCCEEDED", 0, 0), ("FAILED", 2, 2), ("FAILED", None, 1), ("STOPPED", None, 143)]
)
def test_the_exit_code_is_that_of_the_job(status, driver, code):
    from ray.job_submission import JobDetails, JobStatus, JobType

    known = JobDetails(type=JobType.SUBMISSION, status=JobStatus(status), entrypoint="x", driver_exit_code=driver)
    assert exit_code(known) == code


@pytest.mark.parametrize("given", ["127.0.0.1:8265", "ray://127.0.0.1:10001", "auto"])
def test_an_address_that_is_no_job_server_is_one_line(given):
    with pytest.raises(StudyError, match="begins with http://"):
        address_of(given)


def test_every_submission_has_an_id_of_its_own():
    assert new_id("a+b.c") != new_id("a+b.c")
    assert new_id("a+b.c").startswith("a-b-c-")


def call(*arguments):
    return CliRunner().invoke(cli.app, [*map(str, arguments)])


def test_without_a_job_server_every_command_is_one_line(folder, monkeypatch):
    monkeypatch.delenv("RAY_API_SERVER_ADDRESS", raising=False)
    spec = folder / "study.yaml"
    for arguments in (["job", "status", "a"], ["job", "logs", "a"], ["job", "stop", "a"]):
        done = call(*arguments, "--address", HERE)
        assert (done.exit_code, done.stderr) == (
            guard.BAD_INPUT, f"error: {HERE}: no job server answers; is the tunnel open? (`ray dashboard FILE`)\n"
        )  # fmt: skip
    done = call("submit", spec, "--working-dir", folder, "--storage", "/s")
    assert done.exit_code == guard.BAD_INPUT and "--address: not given" in done.stderr
