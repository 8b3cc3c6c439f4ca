"""The script for bare CUDA machines runs on a CPU too, with a tiny shape, and needs none of the driver's systems."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    out = tmp_path_factory.mktemp("bare") / "facts.json"
    code = "import sys, runpy; "
    code += "runpy.run_module('tests.benchmarks.gpu_bare', run_name='__main__'); "
    code += "print(sorted({'ray', 'mlflow', 'optuna', 'faiss', 'study.spec'} & set(sys.modules)))"
    options = "--shape tiny --rows 2 4 --width 32 --seconds 0.1 --mixed 32 --turns 1 --out"
    command = [sys.executable, "-c", code, *options.split(), str(out)]
    house = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=house, timeout=120)
    return json.loads(out.read_text()), done.stdout.splitlines()[-1]


def test_it_needs_no_driver_s_library(facts):
    assert facts[1] == "[]"


def test_it_names_the_machine_and_says_what_was_measured(facts):
    value = facts[0]
    assert value["machine"]["name"] and value["matmul_tflops"] > 0 and value["versions"]["torch"]
    (shape,) = value["shapes"]
    assert [(one["rows"], one["recompute"]) for one in shape["passes"]] == [
        (2, False),
        (4, False),
        (2, True),
        (4, True),
    ]
    for one in shape["passes"]:
        assert 0 < one["share_of_roofline"] < 1
        assert one["planned_base_bytes"] == pytest.approx(one["base_bytes"], rel=0.02)
        assert one["planned_over_measured"] == pytest.approx(1, abs=0.25)
    assert not shape["out_of_memory"]


def test_both_loops_run_on_the_same_rows(facts):
    mixed = facts[0]["shapes"][0]["mixed"]
    assert mixed["rows"] == 32 and len(mixed["bucketed"]) == len(mixed["hf_trainer"]) == 1
    assert mixed["ratio"] == mixed["bucketed"][0] / mixed["hf_trainer"][0] > 0
