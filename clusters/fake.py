"""How does an autoscaling cluster run on one machine? Ray's real autoscaler v2, with fake machines that are processes.

    with cluster({"small": {"CPU": 1, "GPU": 1, "size-xs": 1}}, most=2, idle_seconds=10) as head:
        ...     # submit jobs by head.env; the cluster grows from its head alone, and shrinks again

Its GPUs are numbers that Ray counts; nothing of a GPU is there. The provider is almost that of Ray's own tests
(`clusters.fake_nodes`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ray.util import get_node_ip_address

from clusters.own_head import OwnHead, running
from study.placement import PREFIX, head_resources

HEAD = "ray.head.default"
"""The fake provider's own name for the head's type."""
HEAD_ID = "f" * 51 + "00000"
"""The fake provider knows its head by an id that is given to it."""
PROVIDER = "clusters.fake_nodes.OwnFolders"
ENVIRONMENT = {
    "RAY_FAKE_CLUSTER": "1",
    "RAY_enable_autoscaler_v2": "1",
    "RAY_CLOUD_INSTANCE_ID": HEAD_ID,
    "RAY_OVERRIDE_NODE_ID_FOR_TESTING": HEAD_ID,
    "AUTOSCALER_UPDATE_INTERVAL_S": "1",
    # A node that is killed is noticed within seconds.
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
}


@contextmanager
def cluster(groups: Mapping[str, Mapping[str, int]], most: int, idle_seconds: float) -> Iterator[OwnHead]:
    """A head that starts and ends fake nodes as its work asks for them. `groups`: name -> resources of a node.

    `most`: nodes of a group, and of all together. The head says what real ones do (`study.placement.head_resources`).
    """
    gpus: Counter[tuple[str, ...]] = Counter()
    for has in groups.values():
        gpus[tuple(name.removeprefix(PREFIX) for name in has if name.startswith(PREFIX))] += most * has.get("GPU", 0)
    offered = head_resources(gpus)

    def autoscaling(folder: Path, port: int) -> Sequence[str]:
        path = folder / "cluster.json"
        path.write_text(json.dumps(config(groups, offered, port, most, idle_seconds, folder)))
        return [f"--autoscaling-config={path}"]

    own = {name: amount for name, amount in offered.items() if name != "CPU"}
    options = ["--num-cpus=0", "--num-gpus=0", f"--resources={json.dumps(own)}"]
    with running(options, ENVIRONMENT, autoscaling) as head:
        yield head


def config(
    groups: Mapping[str, Mapping[str, int]],
    head: Mapping[str, int],
    port: int,
    most: int,
    idle_seconds: float,
    folder: Path,
) -> dict[str, Any]:
    """The cluster file of a fake cluster whose head listens on `port`, and whose nodes write into `folder`."""
    workers = {
        name: {"resources": dict(resources), "node_config": {}, "min_workers": 0, "max_workers": most}
        for name, resources in groups.items()
    }
    return {
        "cluster_name": "fake",
        "max_workers": most,
        "upscaling_speed": 1.0,
        "idle_timeout_minutes": idle_seconds / 60,
        "provider": {
            "type": "external",
            "module": PROVIDER,
            "use_node_id_as_ip": True,
            "disable_node_updaters": True,
            "disable_launch_config_check": True,
            "launch_multiple": True,
            "head_node_id": HEAD_ID,
            "folder": str(folder),
            # The machine's own address: Ray rewrites 127.0.0.1.
            "gcs_address": f"{get_node_ip_address()}:{port}",
        },
        "auth": {},
        "docker": {},
        "head_node_type": HEAD,
        "available_node_types": {HEAD: {"resources": dict(head), "node_config": {}, "max_workers": 0}, **workers},
        "file_mounts": {},
        "cluster_synced_files": [],
        "initialization_commands": [],
        "setup_commands": [],
        "head_setup_commands": [],
        "worker_setup_commands": [],
        "head_start_ray_commands": [],
        "worker_start_ray_commands": [],
    }
