"""What of a cluster file is yours and not the study's? Names of your account; each has a default that shows its form.

site("aws", ["region=eu-west-1", "ami=ami-0abc..."])["region"]      # eu-west-1
"""

from __future__ import annotations

from collections.abc import Sequence

from trainables.errors import StudyError

RAY_VERSION = "2.60.0"
"""As in constraints.txt and clusters/Dockerfile; a test holds them together."""
IMAGE = f"registry.example.com/stilts-study:0.1.0-ray{RAY_VERSION}"

DEFAULTS: dict[str, dict[str, str]] = {
    "aws": {
        "image": IMAGE,
        "region": "us-west-2",
        "zones": "us-west-2a,us-west-2b,us-west-2c",
        "ami": "ami-00000000000000000",
        "instance_profile": "stilts-study-worker",
        "nodes": "8",
    },
    "gcp": {
        "image": IMAGE,
        "project": "my-project",
        "region": "us-central1",
        "zone": "us-central1-a",
        "vm_image": "projects/deeplearning-platform-release/global/images/family/common-cu128-ubuntu-2204-nvidia-570",
        "service_account": "stilts-study-worker",
        "nodes": "8",
    },
    "kuberay": {
        "image": IMAGE,
        "study": "clusters/example.yaml",
        "storage": "s3://my-bucket/runs",
        "nodes": "8",
    },
}
"""nodes: the most machines of one size class."""


def site(provider: str, given: Sequence[str]) -> dict[str, str]:
    """The defaults of a provider with NAME=VALUE laid over them. Raises `StudyError` for an unknown or empty one."""
    values = dict(DEFAULTS[provider])
    for one in given:
        name, equals, value = one.partition("=")
        if name not in values or not equals or not value.strip() or not value.isprintable():
            known = ", ".join(f"{key}={default}" for key, default in values.items())
            raise StudyError(f"--set {one[:60]!r}: not a setting of {provider}; there are {known}")
        values[name] = value.strip()
    if not values["nodes"].isdigit() or not 1 <= int(values["nodes"]) <= 1000:
        raise StudyError(f"--set nodes: found {values['nodes']}, allowed: 1 to 1000")
    return values
