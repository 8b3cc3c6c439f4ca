"""How does a test get a storage that speaks S3? A real server in this process, on loopback, empty.

    with serving() as bucket:                 # "s3://bucket"; s3fs and boto3 find the server by the environment
        Store(f"{bucket}/runs/tiny")

Child processes that inherit the environment find it, too.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

BUCKET = "bucket"
ACCOUNT = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def serving() -> Iterator[str]:
    """Skips the test where moto or s3fs are not installed."""
    why = "needs moto and s3fs: pip install -c constraints.txt -e '.[dev]'"
    pytest.importorskip("s3fs", reason=why)
    server_of = pytest.importorskip("moto.server", reason=why).ThreadedMotoServer
    import boto3

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = server_of(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    mine = {**ACCOUNT, "AWS_ENDPOINT_URL": f"http://{host}:{port}", "NO_PROXY": "127.0.0.1"}
    before = {name: os.environ.get(name) for name in mine}
    os.environ.update(mine)
    try:
        _forget_clients()
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield f"s3://{BUCKET}"
    finally:
        _forget_clients()
        server.stop()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _forget_clients() -> None:
    """fsspec keeps a client per set of options, and the address of the server is none of them."""
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()


def put_behind(path: str, data: bytes) -> None:
    """Write an object by another client than s3fs, as another driver would."""
    import boto3

    bucket, _, key = path.removeprefix("s3://").partition("/")
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=data)
