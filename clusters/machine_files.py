"""How do worker groups become a cluster file for `ray up` on AWS or GCP? As plain data for Ray's cluster launcher.

Every size class has two node types, spot and on-demand (`clusters.machines.pools`). No secret stands in the file: the
cluster's token is a file that the launcher copies from `~/.study/token`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clusters.machines import SPOT, Group, Machine, offers, pools
from study.placement import head_resources, resource

START_MINUTES = 10
"""What a node takes from its order to its first task at most: machine, image, Ray."""
IDLE_MINUTES = START_MINUTES + 5
"""A node that was just paid for must not go before the next phase can reach it."""
DISK_GB = 200
HEAD = "head"
TOKEN_FOLDER = "~/.study"  # noqa: S105
"""Holds the file `token`: readable by its owner only, mounted on every node, never in a command line."""
PORTS = "--port=6379 --object-manager-port=8076"


def config(name: str, found: Sequence[Group], provider: str, site: dict[str, str]) -> Any:
    """A whole cluster file. `found`: the study's groups."""
    nodes = int(site["nodes"])
    head = offers()[provider].head
    node = {"aws": _aws, "gcp": _gcp}[provider]
    types: dict[str, dict[str, Any]] = {
        HEAD: {
            "resources": head_resources({group.sizes: nodes * group.gpus for group in found}),
            "node_config": node(head, False, site),
        }
    }
    for group, market, priority in pools(found):
        amounts = {"CPU": group.machine.cpus, "GPU": group.machine.gpus}
        types[f"{group.card}-{market}"] = {
            "min_workers": 0,
            "max_workers": nodes,
            "priority": priority,
            "resources": {**amounts, **{resource(size): 1 for size in group.sizes}},
            "labels": {"ray.io/market-type": market, "study/card": group.card},
            "node_config": node(group.machine, market == SPOT, site),
        }
    return {
        "cluster_name": name,
        "max_workers": nodes * len(found),
        "upscaling_speed": 1.0,
        "idle_timeout_minutes": IDLE_MINUTES,
        "provider": _provider(provider, site),
        "auth": {"ssh_user": "ubuntu"},
        "docker": {
            "image": site["image"],
            "container_name": "study",
            "pull_before_run": True,
            "run_options": [
                "--ulimit nofile=65536:65536",
                "-e RAY_AUTH_MODE=token",
                "-e RAY_AUTH_TOKEN_PATH=/home/ray/.study/token",
            ],
        },
        "head_node_type": HEAD,
        "available_node_types": types,
        "file_mounts": {TOKEN_FOLDER: TOKEN_FOLDER},
        # The image has everything: a node runs nothing but Ray, and Ray's own default would install a nightly.
        "initialization_commands": [],
        "setup_commands": [],
        "head_setup_commands": [],
        "worker_setup_commands": [],
        "head_start_ray_commands": [
            "ray stop",
            f"ray start --head {PORTS} --autoscaling-config=~/ray_bootstrap_config.yaml"
            " --dashboard-host=127.0.0.1 --disable-usage-stats",
        ],
        "worker_start_ray_commands": ["ray stop", f"ray start --address=$RAY_HEAD_IP:6379 {PORTS.split()[1]}"],
    }


def _provider(provider: str, site: dict[str, str]) -> dict[str, Any]:
    if provider == "aws":
        zones = {"region": site["region"], "availability_zone": site["zones"]}
        return {"type": "aws", **zones, "cache_stopped_nodes": False}
    return {
        "type": "gcp",
        "region": site["region"],
        "availability_zone": site["zone"],
        "project_id": site["project"],
        "cache_stopped_nodes": False,
    }


def _aws(machine: Machine, spot: bool, site: dict[str, str]) -> dict[str, Any]:
    disk = {"VolumeSize": DISK_GB, "VolumeType": "gp3", "DeleteOnTermination": True}
    found: dict[str, Any] = {
        "InstanceType": machine.type,
        "ImageId": site["ami"],
        "BlockDeviceMappings": [{"DeviceName": "/dev/sda1", "Ebs": disk}],
        # Tokens only (IMDSv2), two hops because of the container.
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
    }
    if machine.gpus:
        found["IamInstanceProfile"] = {"Name": site["instance_profile"]}
    if spot:
        found["InstanceMarketOptions"] = {"MarketType": "spot"}
    return found


def _gcp(machine: Machine, spot: bool, site: dict[str, str]) -> dict[str, Any]:
    disk = {"diskSizeGb": DISK_GB, "sourceImage": site["vm_image"]}
    found: dict[str, Any] = {
        "machineType": machine.type,
        "disks": [{"boot": True, "autoDelete": True, "type": "PERSISTENT", "initializeParams": disk}],
    }
    if machine.gpus:
        account = f"{site['service_account']}@{site['project']}.iam.gserviceaccount.com"
        found["serviceAccounts"] = [
            {"email": account, "scopes": ["https://www.googleapis.com/auth/devstorage.read_write"]}
        ]
        found["metadata"] = {"items": [{"key": "install-nvidia-driver", "value": "True"}]}
        # A list of single settings is how Ray's launcher takes them.
        found["scheduling"] = [{"onHostMaintenance": "TERMINATE"}]
    if spot:
        found["scheduling"] += [{"provisioningModel": "SPOT"}, {"instanceTerminationAction": "DELETE"}]
    return found
