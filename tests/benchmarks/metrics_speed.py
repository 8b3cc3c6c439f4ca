"""How long does it take to score a million tags, and twelve thousand answers?

python -m tests.benchmarks.metrics_speed
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from tests.benchmarks.synthetic_text import Voice
from trainables.data.conllu import UPOS
from trainables.metrics import chunks, mlqa, squad

TAGS, SENTENCE, ANSWERS = 1_000_000, 20, 12_000


def main() -> None:
    """Print seconds of each."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    voice = Voice("en")
    gold, predicted = ([UPOS[number] for number in voice.numbers(TAGS, len(UPOS))] for _ in range(2))
    sentences = [(gold[at : at + SENTENCE], predicted[at : at + SENTENCE]) for at in range(0, TAGS, SENTENCE)]
    answers = list(zip(voice.texts(ANSWERS, 4), voice.texts(ANSWERS, 4), strict=True))
    timed(f"{TAGS:,} tags", lambda: [chunks.count(*pair) for pair in sentences])
    timed(f"{ANSWERS:,} answers, SQuAD", lambda: [(squad.exact(p, [g]), squad.f1(p, [g])) for p, g in answers])
    timed(f"{ANSWERS:,} answers, MLQA", lambda: [(mlqa.exact(p, [g], "zh"), mlqa.f1(p, [g], "zh")) for p, g in answers])


def timed(what: str, run: Callable[[], object]) -> None:
    started = time.perf_counter()
    run()
    print(f"{what}: {time.perf_counter() - started:.2f} s")


if __name__ == "__main__":
    main()
