"""How long does it take to search a million candidates for Mewsli-X's test mentions, and in how much memory?

python -m tests.benchmarks.million_candidates [--candidates 1003893] [--queries 14624] [--width 256] [--depth 20]

The vectors are random; the pool is written to a temporary folder in shards and searched from there.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time

import numpy as np

from trainables.index import SHARD, Shards, search


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("candidates", 1_003_893), ("queries", 14_624), ("width", 256), ("depth", 20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()

    def embed(start: int, stop: int) -> np.ndarray:
        return np.random.default_rng(start).standard_normal((stop - start, asked.width), np.float32)

    queries = np.random.default_rng(-1 % 2**32).standard_normal((asked.queries, asked.width), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        pool = Shards(folder, asked.candidates, embed)
        started = time.perf_counter()
        shards = sum(1 for _ in pool)
        written = time.perf_counter()
        _, numbers = search(queries, pool, asked.depth)
        found = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{asked.candidates} candidates of width {asked.width} in {shards} shards of {SHARD}; {asked.queries} queries"
    )
    print(f"written {written - started:.1f} s, searched {found - written:.1f} s for the nearest {numbers.shape[1]}")
    print(f"peak memory {peak:.2f} GiB")


if __name__ == "__main__":
    main()
