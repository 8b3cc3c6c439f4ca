"""How do several fake nodes share one machine, and each still have a disk of its own? A folder for every node.

Ray's own fake provider puts all nodes into the session folder of the head. There each new node unpacks a job's working
directory again and first removes what is there: the programs of the others lose their code and their directory while
they run, as no real machine would do to another.
"""

from __future__ import annotations

import json
from typing import Any

from ray._private import ray_constants
from ray._private.node import Node
from ray._private.parameter import RayParams
from ray.autoscaler._private.fake_multi_node.node_provider import FakeMultiNodeProvider
from ray.autoscaler.tags import (
    NODE_KIND_WORKER,
    STATUS_UP_TO_DATE,
    TAG_RAY_NODE_KIND,
    TAG_RAY_NODE_NAME,
    TAG_RAY_NODE_STATUS,
    TAG_RAY_USER_NODE_TYPE,
)


class OwnFolders(FakeMultiNodeProvider):  # type: ignore[misc]
    """Ray's provider of fake nodes (ray 2.60); node 3 keeps its files in `<provider.folder>/3`."""

    def __init__(self, provider_config: dict[str, Any], cluster_name: str) -> None:
        super().__init__(provider_config, cluster_name)
        self._folder: str = provider_config["folder"]

    def _create_node_with_resources_and_labels(
        self, node_config: Any, tags: dict[str, str], count: int, resources: dict[str, Any], labels: dict[str, str]
    ) -> None:
        with self.lock:
            name, kind = self._next_hex_node_id(), tags[TAG_RAY_USER_NODE_TYPE]
            rest = {what: amount for what, amount in resources.items() if what not in ("CPU", "GPU")}
            params = RayParams(
                gcs_address=self._gcs_address,
                redis_address=self._gcs_address,
                temp_dir=f"{self._folder}/{self._next_node_id}",
                min_worker_port=0,
                max_worker_port=0,
                dashboard_agent_listen_port=0,
                num_cpus=resources.get("CPU", 0),
                num_gpus=resources.get("GPU", 0),
                resources=rest,
                labels=labels,
                env_vars={
                    "RAY_OVERRIDE_NODE_ID_FOR_TESTING": name,
                    "RAY_CLOUD_INSTANCE_ID": name,
                    "RAY_NODE_TYPE_NAME": kind,
                    ray_constants.RESOURCES_ENVIRONMENT_VARIABLE: json.dumps(rest),
                    ray_constants.LABELS_ENVIRONMENT_VARIABLE: json.dumps(labels),
                },
            )
            ours = {
                TAG_RAY_NODE_KIND: NODE_KIND_WORKER,
                TAG_RAY_USER_NODE_TYPE: kind,
                TAG_RAY_NODE_NAME: name,
                TAG_RAY_NODE_STATUS: STATUS_UP_TO_DATE,
            }
            node = Node(params, head=False, shutdown_at_exit=False, spawn_reaper=False)
            self._nodes[name] = {"tags": ours | tags, "node": node}
