"""Cluster files: what is rendered is what Ray's launcher, its autoscaler and KubeRay take, and what the plan needs."""

import copy
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.autoscaler.v2.instance_manager.config import AutoscalingConfig
from ray.autoscaler.v2.scheduler import ResourceDemandScheduler, SchedulingRequest
from ray.autoscaler.v2.utils import ResourceRequestUtil
from typer.testing import CliRunner

from clusters.kube import dns_name
from clusters.machine_files import IDLE_MINUTES, START_MINUTES
from clusters.machines import groups, offers
from clusters.render import render
from clusters.site import DEFAULTS, RAY_VERSION, site
from study import cli, guard
from study.gpus import cards
from study.placement import asked, fitted, pools, slots
from study.specfile import load, merge, parse
from study.yamlfile import read_yaml
from tests.clusters.kuberay_rules import problems
from trainables.errors import StudyError

HOUSE = Path(__file__).parents[2]
EXAMPLE = HOUSE / "clusters" / "example.yaml"


def study(**changes):
    return parse(merge(read_yaml(EXAMPLE.read_bytes(), "example"), changes))


def file_of(provider, **changes):
    return yaml.safe_load(render(study(**changes), provider, site(provider, [])))


@pytest.mark.parametrize("provider", DEFAULTS)
def test_the_shipped_file_is_what_is_rendered_for_the_shipped_study(provider):
    assert (
        render(load(str(EXAMPLE)), provider, site(provider, []))
        == (HOUSE / "clusters" / f"{provider}.yaml").read_text()
    )


@pytest.mark.parametrize("provider", ["aws", "gcp"])
def test_ray_s_launcher_takes_the_file_and_would_refuse_a_wrong_one(provider):
    found = file_of(provider)
    validate_config(prepare_config(copy.deepcopy(found)))
    found["available_node_types"]["l4-24-spot"]["gpus"] = 1
    with pytest.raises(jsonschema.ValidationError, match="gpus"):
        validate_config(prepare_config(found))


def test_kuberay_takes_the_file_and_the_rules_can_fail():
    found = file_of("kuberay")
    assert problems(found) == []
    for change in (
        {"rayVersion": "2.40.0"},
        {"autoscalerOptions": {"version": "v1"}},
        {"authOptions": {"mode": "tokens"}},
        {"workerGroup": []},
    ):
        assert problems(merge(found, {"spec": {"rayClusterSpec": change}})), change
    broken = copy.deepcopy(found)
    broken["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["resources"]["GPU"] = 1
    assert any("is not of type 'string'" in line for line in problems(broken))


def launched(demands, provider="aws", maximum=None, lately=None, **changes):
    """{node type: count} that Ray's autoscaler would launch from nothing, and how many demands nothing can hold."""
    config = AutoscalingConfig(file_of(provider, **changes), skip_content_hash=True)
    reply = ResourceDemandScheduler(None).schedule(
        SchedulingRequest(
            disable_launch_config_check=True,
            node_type_configs=config.get_node_type_configs(),
            max_num_nodes=config.get_max_num_nodes(),
            resource_requests=ResourceRequestUtil.group_by_count([ResourceRequestUtil.make(one) for one in demands]),
            recoverable_resource_availabilities=lately or {},
        )
    )
    return {one.instance_type: one.count for one in reply.to_launch}, len(reply.infeasible_resource_requests)


def demand_of(spec, size, there):
    compute = spec.compute
    place = asked(size, compute.gpus_per_trial, there)
    return {"CPU": compute.cpus_per_trial, "GPU": compute.gpus_per_trial, **place}


@pytest.mark.parametrize("provider", ["aws", "gcp"])
def test_every_size_comes_to_its_own_group_on_spot_first(provider):
    spec = study()
    head = file_of(provider)["available_node_types"]["head"]["resources"]
    for group in groups(spec, provider):
        for size in group.sizes:
            assert launched([demand_of(spec, size, head)] * 2, provider) == ({f"{group.card}-spot": 2}, 0)


def test_on_demand_stands_in_for_spot_that_could_not_be_had():
    spec = study()
    demand = demand_of(spec, "14b", {"size-14b": 1.0})
    assert launched([demand], lately={"l40s-48-spot": 0.3}) == ({"l40s-48-on-demand": 1}, 0)


@pytest.mark.parametrize("provider", ["aws", "gcp"])
@pytest.mark.parametrize("compute", [{"gpus_per_trial": 1}, {"gpus_per_trial": 1, "cpus_per_trial": 40}])
def test_all_that_a_study_asks_for_at_a_time_are_the_spot_machines_of_each_class(provider, compute):
    """More would add machines on demand, and could leave none for the other class."""
    spec = study(compute=compute)
    head = {
        name: float(amount)
        for name, amount in file_of(provider, compute=compute)["available_node_types"]["head"]["resources"].items()
    }
    found = pools(spec.sizes, 1.0, head)
    most = slots(spec.compute, head, False, found.values())
    first = {pool: next(size for size in spec.sizes if found[size] == pool) for pool in most}
    demands = [demand_of(spec, first[pool], head) for pool, count in most.items() for _ in range(count)]
    nodes = int(DEFAULTS[provider]["nodes"])
    spot = {f"{group.card}-spot": nodes for group in groups(spec, provider)}
    assert launched(demands, provider, compute=compute) == (spot, 0)


def test_no_more_machines_than_planned_and_none_for_a_size_of_another_study():
    demand = demand_of(study(), "14b", {"size-14b": 1.0})
    found, _ = launched([demand] * 50)
    assert sum(found.values()) == 2 * int(DEFAULTS["aws"]["nodes"]), "the cap of the whole file: two classes"
    assert launched([{**demand, "size-70b": 0.001}]) == ({}, 1)


def test_what_asks_for_a_processor_never_runs_on_the_head():
    found, unheld = launched([{"CPU": 1}])
    assert (sum(found.values()), unheld) == (1, 0) and "head" not in found


@pytest.mark.parametrize("provider", DEFAULTS)
def test_every_group_holds_its_sizes_and_no_cheaper_card_would_without_computing_twice(provider):
    spec = study()
    offered = list(offers()[provider].cards)
    for group in groups(spec, provider):
        for size in group.sizes:
            assert not fitted(spec, size, cards()[group.card]).recompute
            for cheaper in offered[: offered.index(group.card)]:
                assert fitted(spec, size, cards()[cheaper]).recompute


def test_a_plan_that_no_group_can_hold_is_one_line_with_the_nearest_that_fits():
    large = {"ladder": "llama2", "sizes": ["7b", "70b"]}
    with pytest.raises(StudyError) as error:
        groups(study(**large), "aws", only=["l4-24"])
    assert re.fullmatch(
        r"70b: an example of \d+ tokens needs \d+\.\d GB, l4-24 has 21.7 .*; .*gpu l40s-48", str(error.value)
    )
    assert [group.sizes for group in groups(study(**large), "aws")] == [("7b",), ("70b",)]


@pytest.mark.parametrize(
    ("changes", "only", "line"),
    [
        ({"compute": {"gpus_per_trial": 0}}, [], "compute.gpus_per_trial: found 0"),
        ({}, ["a100-8"], "'a100-8' is not known; did you mean a100-80?"),
        ({}, ["rtx4090-24"], "aws has no machine with rtx4090-24; it has l4-24"),
        ({"compute": {"gpu": "rtx4090-24"}}, [], "aws has no machine with rtx4090-24"),
        ({"compute": {"cpus_per_trial": 64}}, ["l4-24"], "a trial asks for 1 GPUs and 64 CPUs on one machine, aws's"),
    ],
)
def test_what_is_in_the_way_is_one_line(changes, only, line):
    with pytest.raises(StudyError) as error:
        groups(study(**changes), "aws", only)
    assert line in str(error.value) and "\n" not in str(error.value)


def test_a_study_that_names_its_card_gets_one_group_of_it():
    (group,) = groups(study(compute={"gpu": "a100-80"}), "gcp")
    assert (group.card, group.machine.type, len(group.sizes)) == ("a100-80", "a2-ultragpu-1g", 5)


def test_what_can_be_had_as_spot_only_has_no_other_pool():
    found = file_of("gcp", compute={"gpu": "h100-80"})["available_node_types"]
    assert set(found) == {"head", "h100-80-spot"}


@pytest.mark.parametrize("provider", ["aws", "gcp"])
def test_no_secret_is_in_the_file_and_nothing_listens_to_the_world(provider):
    found = file_of(provider)
    assert "-e RAY_AUTH_MODE=token" in found["docker"]["run_options"]
    assert "-e RAY_AUTH_TOKEN_PATH=/home/ray/.study/token" in found["docker"]["run_options"]
    assert found["file_mounts"] == {"~/.study": "~/.study"}
    assert "--dashboard-host=127.0.0.1" in found["head_start_ray_commands"][-1]
    assert IDLE_MINUTES > START_MINUTES and found["idle_timeout_minutes"] == IDLE_MINUTES
    head = found["available_node_types"]["head"]
    assert "GPU" not in head["resources"] and head["resources"]["driver"] == 1
    assert all(one.get("min_workers", 0) == 0 for one in found["available_node_types"].values())


def test_on_kubernetes_the_token_is_asked_for_and_nothing_is_reached_from_outside():
    found = file_of("kuberay")["spec"]["rayClusterSpec"]
    assert found["authOptions"] == {"mode": "token"}
    assert found["headGroupSpec"]["serviceType"] == "ClusterIP"
    pods = [found["headGroupSpec"], *found["workerGroupSpecs"]]
    containers = [one for pod in pods for one in pod["template"]["spec"]["containers"]]
    assert not [one for one in containers if any("hostPort" in port for port in one.get("ports", ()))]


def test_versions_are_pinned_once():
    constraints = (HOUSE / "constraints.txt").read_text()
    recipe = (HOUSE / "clusters" / "Dockerfile").read_text()
    assert f"\nray=={RAY_VERSION}\n" in constraints
    assert f"rayproject/ray:{RAY_VERSION}-py311" in recipe
    assert all(values["image"].endswith(f"-ray{RAY_VERSION}") for values in DEFAULTS.values())


@pytest.mark.parametrize(
    ("name", "wanted"), [("Qwen3_A+b", "qwen3-a-b"), ("3.5", "s-3-5"), ("a" * 64, "a" * 40), ("+", "s")]
)
def test_names_are_what_kubernetes_takes(name, wanted):
    assert dns_name(name) == wanted
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", wanted)


def call(*arguments):
    return CliRunner().invoke(cli.app, ["clusters", "render", *map(str, arguments)])


def test_the_command_writes_the_file_with_the_settings_given(tmp_path):
    out = tmp_path / "mine.yaml"
    done = call(EXAMPLE, "--provider", "aws", "--set", "region=eu-west-1", "--set", "nodes=2", "--out", out)
    assert (done.exit_code, done.stdout) == (0, f"{out}: written\n")
    found = yaml.safe_load(out.read_text())
    assert found["provider"]["region"] == "eu-west-1" and found["max_workers"] == 4


@pytest.mark.parametrize("given", ["nodes=0", "nodes=many", "colour=red", "region", "region="])
def test_a_setting_that_is_none_is_one_line(given):
    done = call(EXAMPLE, "--provider", "aws", "--set", given)
    assert done.exit_code == guard.BAD_INPUT
    assert done.stderr.startswith("error: --set") and done.stderr.count("\n") == 1
