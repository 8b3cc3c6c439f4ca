"""Published models from a Hub on loopback: whole, pinned, resumable, and a line where something is wrong."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from study import cli, models, plan
from study.fetch_models import Summary, bring, look_up
from study.mirror_source import groups
from study.spec import StudySpec
from study.specfile import merge, parse
from study.store import Store
from study.work import Job, Tuned, run_phase
from tests import zoo
from tests.hub_stand_in import Fault, HubStandIn
from trainables import storage
from trainables.errors import DataError, ModelError, StudyError
from trainables.models.published import INDEX

REPO = "house/model"
BASE: dict[str, Any] = {
    "name": "tiny",
    "ladder": "own",
    "arms": {"none": None},
    "targets": ["xcopa"],
    "seeds": [0],
    "training": {"steps": {"default": 2}},
}
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A tiny decoder in several files."""
    folder = tmp_path_factory.mktemp("zoo") / "llama"
    zoo.save(folder, "llama", max_shard_size="60KB")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def rung(files: Files, **model: Any) -> dict[str, Any]:
    config = json.loads(files["config.json"])
    return {
        "hidden": 32, "layers": 2, "heads": 2, "kv_heads": 1, "head_dim": 16, "intermediate": 64,
        "vocabulary": config["vocab_size"], "model_type": "llama", "model": model or {"repo": REPO},
    }  # fmt: skip


def spec_in(folder: Path, rung: dict[str, Any], **changes: Any) -> StudySpec:
    ladder = {"title": "Own", "family": "decoder", "attention": "causal", "sizes": {"s": rung}, "name": "own"}
    return parse(merge({**BASE, "own_ladder": ladder, "storage": str(folder)}, changes))


def store_of(spec: StudySpec) -> Store:
    return Store(f"{spec.storage}/{spec.name}")


def fetch(spec: StudySpec, said: list[str] | None = None) -> Summary:
    echo = (said if said is not None else []).append
    (done,) = [bring(model, echo) for model in look_up(spec, store_of(spec), echo)]
    return done


def line(error: pytest.ExceptionInfo[StudyError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_needed_comes_and_is_listed_with_its_checksums(hub: HubStandIn, sharded: Files, tmp_path: Path) -> None:
    others = {"README.md": b"A card.", "pytorch_model.bin": b"pickle", "onnx/model.onnx": b"", "run.py": b"raise"}
    commit = hub.add(REPO, {**sharded, **others}, kind="model")
    spec = spec_in(tmp_path, rung(sharded))
    with pytest.raises(DataError, match=r"not fetched yet: house/model \(s\); run `study fetch`"):
        plan.build(spec, store_of(spec))
    assert [phase.slug for phase in plan.build(spec, store_of(spec), fetched=False)][0] == "import-s"
    done = fetch(spec)
    folder = Path(done.folder)
    assert folder == tmp_path / "models" / "house--model" / commit
    listed = json.loads((folder / "fetched.json").read_text())
    assert (listed["repo"], listed["commit"]) == (REPO, commit)
    assert set(listed["files"]) == {path.name for path in folder.iterdir()} - {"fetched.json", ".fetch.lock"}
    assert set(listed["files"]) == set(sharded) - {"generation_config.json", "chat_template.jinja"}
    for name, file in listed["files"].items():
        assert (folder / name).read_bytes() == sharded[name]
        assert file == {"bytes": len(sharded[name]), "sha256": storage.checksum(str(folder / name))}
    assert not list((tmp_path / "models" / ".downloads").rglob("*.safetensors"))


def test_the_import_is_new_when_the_files_or_the_quantization_are(
    hub: HubStandIn, sharded: Files, tmp_path: Path
) -> None:
    hub.add(REPO, sharded, kind="model")
    spec = spec_in(tmp_path, rung(sharded))
    fetch(spec)

    def keys(spec: StudySpec) -> list[str]:
        return [phase.key for phase in plan.build(spec, store_of(spec))]

    first = keys(spec)
    assert [key.rsplit("-", 1)[0] for key in first] == [
        "import-s",
        "target-s-none-xcopa-s0",
        "evaluation-s-none-xcopa-s0",
    ]
    assert plan.counts(spec, plan.rows(spec, store_of(spec))).total == 3
    # What a ladder says beside the files is no part of it.
    said = {**rung(sharded), "positions": 256, "licence": "other"}
    assert keys(spec_in(tmp_path, said)) == first
    assert set(keys(spec_in(tmp_path, rung(sharded), quantization="int8"))).isdisjoint(first)
    words = json.loads(sharded["tokenizer_config.json"]) | {"model_max_length": 77}
    hub.add(REPO, {**sharded, "tokenizer_config.json": json.dumps(words).encode()}, branch="other", kind="model")
    other = spec_in(tmp_path, rung(sharded), models={"revisions": {REPO: "other"}})
    fetch(other)
    assert set(keys(other)).isdisjoint(first)
    phase = plan.build(other, store_of(other))[0]
    old = plan.build(spec, store_of(spec))[0].identity
    (change,) = plan.identity.changes(old, phase.identity)
    assert change.startswith("model file tokenizer_config.json ")


def test_the_first_fetch_pins_the_commit(hub: HubStandIn, sharded: Files, tmp_path: Path) -> None:
    first = hub.add(REPO, sharded, kind="model")
    spec = spec_in(tmp_path, rung(sharded))
    assert fetch(spec).commit == first
    second = hub.add(REPO, {**sharded, "merges.txt": b"new"}, kind="model")
    asked = len(hub.requests)
    again = fetch(spec)
    assert (again.commit, again.made, len(hub.requests)) == (first, 0, asked), "what is whole needs no Hub"
    pinned = spec_in(tmp_path, rung(sharded, repo=REPO, revision=second))
    assert fetch(pinned).commit == second
    assert fetch(spec).commit == first


def test_only_what_is_missing_or_damaged_is_fetched_again(hub: HubStandIn, sharded: Files, tmp_path: Path) -> None:
    hub.add(REPO, sharded, kind="model")
    spec = spec_in(tmp_path, rung(sharded))
    folder = Path(fetch(spec).folder)
    shards = sorted(name for name in sharded if name.endswith(".safetensors"))
    damaged = bytearray((folder / shards[0]).read_bytes())
    damaged[-1] ^= 1
    (folder / shards[0]).write_bytes(damaged)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(DataError, match="not fetched yet"):
        plan.build(spec, store_of(spec))
    said: list[str] = []
    hub.requests.clear()
    assert fetch(spec, said).made == 2
    assert any(shards[0] in line and "fetched again" in line for line in said)
    assert not hub.gets(shards[1]) and (folder / shards[0]).read_bytes() == sharded[shards[0]]


def test_a_fetch_that_broke_goes_on_where_it_broke(hub: HubStandIn, sharded: Files, tmp_path: Path) -> None:
    hub.add(REPO, sharded, kind="model")
    shards = sorted(name for name in sharded if name.endswith(".safetensors"))
    hub.faults[shards[1]] = [Fault(404)]
    spec = spec_in(tmp_path, rung(sharded))
    with pytest.raises(DataError, match=r"cannot be downloaded \(404\); pin another commit in the `revision`"):
        fetch(spec)
    hub.add(REPO, {**sharded, "merges.txt": b"new"}, kind="model")
    hub.requests.clear()
    done = fetch(spec)
    assert done.made == len(shards) - 1 and not hub.gets(shards[0]), "the same commit, without what is there"


def without(files: Files, *names: str) -> Files:
    return {name: content for name, content in files.items() if name not in names}


def test_what_is_wrong_with_a_model_is_said_in_one_line(hub: HubStandIn, sharded: Files, tmp_path: Path) -> None:
    shards = sorted(name for name in sharded if name.endswith(".safetensors"))
    pickled = {**without(sharded, INDEX, *shards), "pytorch_model.bin": b"pickle"}
    config = json.loads(sharded["config.json"])
    cases: dict[str, tuple[Files, str]] = {
        "pickle": (pickled, "its weights are in pytorch_model.bin, which is never unpickled; take a conversion"),
        "weights": (without(sharded, INDEX, *shards), "has no weights"),
        "shard": (without(sharded, shards[0]), f"{len(shards) - 1} of {len(shards)} files"),
        "words": (without(sharded, "tokenizer.json"), "has no tokenizer"),
        "config": (without(sharded, "config.json"), "has no config.json"),
        "json": ({**sharded, "config.json": b"{"}, "is not JSON"),
        "shape": ({**sharded, "config.json": json.dumps(config | {"hidden_size": 48}).encode()},
                  "config.json has hidden 48 (the ladder says 32); correct the ladder"),
        "type": ({**sharded, "config.json": json.dumps(config | {"model_type": "robot"}).encode()},
                 "transformers cannot read its config.json"),
    }  # fmt: skip
    for name, (files, told) in cases.items():
        repo = f"house/{name}"
        hub.add(repo, files, kind="model")
        spec = spec_in(tmp_path, rung(sharded, repo=repo))
        hub.requests.clear()
        with pytest.raises(ModelError) as error:
            fetch(spec)
        assert told in line(error) and line(error).startswith(f"{repo} at "), name
        assert not hub.gets(".safetensors"), "before anything large is downloaded"


def test_gated_and_unknown_models(hub: HubStandIn, sharded: Files, tmp_path: Path) -> None:
    hub.add(REPO, sharded, kind="model")
    hub.gated.add(REPO)
    hub.add("house/data", {"a.parquet": b""})
    spec = spec_in(tmp_path, rung(sharded))
    with pytest.raises(
        DataError, match=f"house/model: gated; accept its terms at {hub.address}/house/model and set HF"
    ):
        fetch(spec)
    for repo in ("house/nothing", "house/data"):
        with pytest.raises(DataError, match=f"{repo}: no such model at "):
            fetch(spec_in(tmp_path, rung(sharded, repo=repo)))
    with pytest.raises(DataError, match="house/model at v7: no such revision; .* correct the `revision` of its ladder"):
        fetch(spec_in(tmp_path, rung(sharded, repo=REPO, revision="v7")))


def test_a_model_of_one_s_own_stays_where_it_is(sharded: Files, tmp_path: Path) -> None:
    own = tmp_path / "mine"
    own.mkdir()
    for name, content in sharded.items():
        (own / name).write_bytes(content)
    spec = spec_in(tmp_path / "runs", rung(sharded, path=str(own)))
    assert look_up(spec, store_of(spec), print) == []
    phase = plan.build(spec, store_of(spec))[0]
    found = models.files(models.root_of(store_of(spec)), models.wanted(spec)["s"])
    assert found is not None and found.folder == str(own) and phase.config.files == found.sha256  # type: ignore[union-attr]
    remembered = json.loads((tmp_path / "runs" / "models" / "hashed.json").read_text())
    assert {Path(path).name: entry["sha256"] for path, entry in remembered.items()} == found.sha256
    (own / "config.json").write_bytes(sharded["config.json"] + b"\n")
    assert plan.build(spec, store_of(spec))[0].key != phase.key
    shutil.rmtree(own)
    with pytest.raises(ModelError, match=f"{own}: has no config.json"):
        plan.build(spec, store_of(spec))


def test_the_command_brings_models_of_a_study_on_lab_data(hub: HubStandIn, sharded: Files, tmp_path: Path) -> None:
    hub.add(REPO, sharded, kind="model")
    spec = spec_in(tmp_path, rung(sharded))
    (tmp_path / "study.yaml").write_text(spec.model_dump_json())
    command = ["fetch", str(tmp_path / "study.yaml")]
    done = CliRunner().invoke(cli.app, command)
    assert done.exit_code == 0 and "house/model at " in done.output and "fetched now" in done.output
    again = json.loads(CliRunner().invoke(cli.app, [*command, "--json"]).stdout)
    assert [model["made"] for model in again["models"]] == [0]
    missing = CliRunner().invoke(cli.app, ["fetch", "lab", "--storage", str(tmp_path)])
    assert missing.exit_code == 2 and "any with published models" in missing.output


def test_an_import_is_a_phase_like_others(hub: HubStandIn, sharded: Files, tmp_path: Path) -> None:
    hub.add(REPO, sharded, kind="model")
    spec = spec_in(tmp_path, rung(sharded))
    fetch(spec)
    study = tmp_path / "study.yaml"
    study.write_text(spec.model_dump_json())
    alone = CliRunner().invoke(cli.app, ["run", str(study), "--only", "import-s", "--foreground"])
    assert alone.exit_code == 0 and "snapshot sha256" in alone.output and "no record was written" in alone.output
    store = store_of(spec)
    phase = plan.build(spec, store)[0]
    job = Job(phase, spec, store.path, plan.data_root(spec, store))
    result = run_phase(job, lambda job: Tuned(()))
    assert (result.status, result.line) == ("done", "")
    record = store.record(phase.key)
    assert record is not None and record.checkpoint is not None and list(record.checkpoint.files) == ["origin.json"]
    model = models.wanted(spec)["s"]
    assert record.parameters == model.parameters and record.cost.seconds > 0 and record.facts["snapshot_sha256"]
    assert [row.action for row in plan.rows(spec, store)] == ["done", "run", "run"]
    assert [group.key for group in groups(store)] == []
    said = json.loads(CliRunner().invoke(cli.app, ["status", str(study), "--json"]).stdout)
    assert said["kinds"]["import"]["done"] == 1
    shutil.rmtree(tmp_path / "models")
    other = replace(phase, key="import-s-0000000000")
    gone = run_phase(replace(job, phase=other), lambda job: Tuned(()))
    assert gone.status == "failed" and gone.line.startswith("not fetched yet: house/model (s)")


def test_models_of_a_remote_storage(hub: HubStandIn, sharded: Files, tmp_path: Path) -> None:
    hub.add(REPO, sharded, kind="model")
    spec = spec_in(tmp_path, rung(sharded), storage="memory://models-of-a-test")
    done = fetch(spec)
    assert done.folder.startswith("memory://models-of-a-test/models/house--model/") and fetch(spec).made == 0
    phase = plan.build(spec, store_of(spec))[0]
    assert run_phase(Job(phase, spec, store_of(spec).path, ""), lambda job: Tuned(())).status == "done"
    storage.remove("memory://models-of-a-test")
