"""How do worker groups become a RayJob for KubeRay? One job with a cluster of its own, which is deleted behind it.

The fields are those of KubeRay 1.7's CRD (`ray.io/v1`); `tests/clusters/kuberay_rules.py` holds what it demands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from clusters.machine_files import IDLE_MINUTES
from clusters.machines import SPOT, Group, Machine, offers, pools
from clusters.site import RAY_VERSION
from study.placement import head_resources, resource

SECRET = "study-secrets"  # noqa: S105
"""Kubernetes secret whose entries become environment variables of all pods: HF_TOKEN, storage credentials."""
NAME_LENGTH = 40
"""Of a RayJob's name; KubeRay takes 47 at most."""


def config(name: str, found: Sequence[Group], site: dict[str, str]) -> Any:
    """The RayJob. `found`: the study's groups."""
    workers = [_group(group, market, priority, site) for group, market, priority in pools(found)]
    head = offers()["kuberay"].head
    offered = head_resources({group.sizes: int(site["nodes"]) * group.gpus for group in found})
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": {"name": dns_name(name)},
        "spec": {
            "entrypoint": f"python -m study run {site['study']} --storage {site['storage']}",
            # The cluster goes with the job, also when it failed: applying the file again resumes.
            "shutdownAfterJobFinishes": True,
            "ttlSecondsAfterFinished": 60,
            "backoffLimit": 0,
            "rayClusterSpec": {
                "rayVersion": RAY_VERSION,
                "authOptions": {"mode": "token"},
                "enableInTreeAutoscaling": True,
                "autoscalerOptions": {"version": "v2", "idleTimeoutSeconds": 60 * IDLE_MINUTES},
                "headGroupSpec": {
                    "serviceType": "ClusterIP",
                    "rayStartParams": {"disable-usage-stats": "true"},
                    "resources": {name: str(amount) for name, amount in offered.items()},
                    "template": _pod("ray-head", head, site, {}, []),
                },
                "workerGroupSpecs": workers,
            },
        },
    }


def dns_name(name: str) -> str:
    """A study's name as Kubernetes wants it: lower case, dashes, a letter first."""
    text = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")[:NAME_LENGTH].strip("-")
    return text if text[:1].isalpha() else f"s-{text}".strip("-")


def _group(group: Group, market: str, priority: int, site: dict[str, str]) -> dict[str, Any]:
    selector = {"cloud.google.com/gke-accelerator": group.machine.type}
    tolerations = [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    if market == SPOT:
        selector["cloud.google.com/gke-spot"] = "true"
        tolerations.append({"key": "cloud.google.com/gke-spot", "operator": "Exists", "effect": "NoSchedule"})
    sizes = {resource(size): "1" for size in group.sizes}
    return {
        "groupName": f"{group.card}-{market}",
        "replicas": 0,
        "minReplicas": 0,
        "maxReplicas": int(site["nodes"]),
        "priority": priority,
        "idleTimeoutSeconds": 60 * IDLE_MINUTES,
        "rayStartParams": {},
        "labels": {"ray.io/market-type": market, "study/card": group.card},
        "resources": {"CPU": str(group.machine.cpus), "GPU": str(group.machine.gpus), **sizes},
        "template": _pod("ray-worker", group.machine, site, selector, tolerations),
    }


def _pod(
    name: str, machine: Machine, site: dict[str, str], selector: dict[str, str], tolerations: list[dict[str, str]]
) -> dict[str, Any]:
    amounts = {"cpu": str(machine.cpus), "memory": f"{machine.memory}Gi"}
    if machine.gpus:
        amounts["nvidia.com/gpu"] = str(machine.gpus)
    container = {
        "name": name,
        "image": site["image"],
        "envFrom": [{"secretRef": {"name": SECRET, "optional": True}}],
        "resources": {"requests": amounts, "limits": dict(amounts)},
    }
    pod: dict[str, Any] = {"restartPolicy": "Never", "containers": [container]}
    if selector:
        pod["nodeSelector"] = selector
    if tolerations:
        pod["tolerations"] = tolerations
    return {"spec": pod}
