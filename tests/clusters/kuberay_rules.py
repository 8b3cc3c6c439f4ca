"""What does KubeRay demand of a RayJob? Its rules as far as a file of ours can break them.

    assert problems(yaml.safe_load(text)) == []

Fields, types and values are those of the CRD `rayjobs.ray.io` (v1), the other rules those of the operator's
`ValidateRayJobSpec` and `ValidateRayClusterSpec`, both of KubeRay v1.7.0 (19 August 2026).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema

TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
"""A map of texts: the amounts of `resources` and all of `rayStartParams` are texts, also the numbers."""
LABELS = {
    "type": "object",
    "propertyNames": {"pattern": r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"},
    "additionalProperties": {"type": "string", "pattern": r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$"},
}
QUANTITY = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?([KMGTPE]i|[numkMGTPE])?$"}
AMOUNTS = {"type": "object", "additionalProperties": QUANTITY}


def mapping(required: list[str], **fields: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": fields, "additionalProperties": False}


CONTAINER = mapping(
    ["name", "image", "resources"],
    name={"type": "string"},
    image={"type": "string"},
    envFrom={"type": "array", "items": {"type": "object", "required": ["secretRef"]}},
    resources=mapping([], requests=AMOUNTS, limits=AMOUNTS),
)
TOLERATION = mapping(
    [],
    key={"type": "string"},
    operator={"enum": ["Exists", "Equal"]},
    value={"type": "string"},
    effect={"enum": ["NoSchedule", "PreferNoSchedule", "NoExecute"]},
)
POD = mapping(
    ["spec"],
    spec=mapping(
        ["containers"],
        containers={"type": "array", "minItems": 1, "items": CONTAINER},
        restartPolicy={"const": "Never"},  # with autoscaler v2
        nodeSelector=TEXTS,
        tolerations={"type": "array", "items": TOLERATION},
    ),
)
COUNT = {"type": "integer", "minimum": 0}
GROUP = mapping(
    ["groupName", "template"],
    groupName={"type": "string", "pattern": r"^[a-z]([-a-z0-9]*[a-z0-9])?$"},
    replicas=COUNT,
    minReplicas=COUNT,
    maxReplicas=COUNT,
    priority={"type": "integer"},
    idleTimeoutSeconds=COUNT,
    rayStartParams=TEXTS,
    labels=LABELS,
    resources=TEXTS,
    template=POD,
)
CLUSTER = mapping(
    ["headGroupSpec"],
    rayVersion={"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
    authOptions=mapping([], mode={"enum": ["disabled", "token"]}, secretName={"type": "string"}),
    enableInTreeAutoscaling={"type": "boolean"},
    autoscalerOptions=mapping([], version={"enum": ["v1", "v2"]}, idleTimeoutSeconds=COUNT),
    headGroupSpec=mapping(
        ["template"],
        serviceType={"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
        rayStartParams=TEXTS,
        labels=LABELS,
        resources=TEXTS,
        template=POD,
    ),
    workerGroupSpecs={"type": "array", "items": GROUP},
)
JOB = mapping(
    ["apiVersion", "kind", "metadata", "spec"],
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayJob"},
    metadata=mapping(["name"], name={"type": "string", "maxLength": 47, "pattern": r"^[a-z]([-a-z0-9]*[a-z0-9])?$"}),
    spec=mapping(
        ["rayClusterSpec"],
        entrypoint={"type": "string"},
        shutdownAfterJobFinishes={"type": "boolean"},
        ttlSecondsAfterFinished=COUNT,
        backoffLimit=COUNT,
        rayClusterSpec=CLUSTER,
    ),
)
LEAST = {"authOptions": (2, 52), "priority": (2, 56)}
"""Ray versions from which the operator takes them."""


def problems(job: Any) -> list[str]:
    """One line per broken rule."""
    found = [f"{one.json_path}: {one.message}" for one in jsonschema.Draft202012Validator(JOB).iter_errors(job)]
    return found or list(_rules(job["spec"]))


def _rules(spec: dict[str, Any]) -> Iterator[str]:
    cluster = spec["rayClusterSpec"]
    version = tuple(int(part) for part in re.findall(r"\d+", cluster.get("rayVersion", "0.0"))[:2])
    v2 = cluster.get("enableInTreeAutoscaling") and cluster.get("autoscalerOptions", {}).get("version") == "v2"
    if cluster.get("authOptions", {}).get("mode") == "token" and version < LEAST["authOptions"]:
        yield "authOptions.mode token needs Ray 2.52.0"
    if spec.get("ttlSecondsAfterFinished") and not spec.get("shutdownAfterJobFinishes"):
        yield "ttlSecondsAfterFinished needs shutdownAfterJobFinishes"
    names = [group["groupName"] for group in cluster.get("workerGroupSpecs", [])]
    if len(set(names)) != len(names):
        yield "two worker groups have one name"
    for group in [{"groupName": "head", **cluster["headGroupSpec"]}, *cluster.get("workerGroupSpecs", [])]:
        name, params = group["groupName"], group.get("rayStartParams", {})
        if group.get("resources") and {"num-cpus", "num-gpus", "memory", "resources"} & params.keys():
            yield f"{name}: resources both in rayStartParams and in resources"
        if "labels" in params:
            yield f"{name}: labels in rayStartParams"
        if group.get("minReplicas", 0) > group.get("maxReplicas", 2**31):
            yield f"{name}: minReplicas above maxReplicas"
        if group.get("idleTimeoutSeconds") is not None and not v2:
            yield f"{name}: idleTimeoutSeconds needs autoscaler v2"
        if group.get("priority") and (not v2 or version < LEAST["priority"]):
            yield f"{name}: priority needs autoscaler v2 and Ray 2.56.0"
