"""What did the benchmarks find? A table of a results file, printed or put into a page.

    python -m tests.benchmarks.table build/bench.json
    python -m tests.benchmarks.table tests/benchmarks/results.json README.md     # between the two markers of the page

A row is a ratio: how many times as fast ours is, with the least and the greatest of the rounds. Below stands how often
the report's intervals hold what was planted into simulated studies, and what `search.transfer` and
`search.early_stopping` lose and save.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from tests.benchmarks import coverage, early_stopping, lr_transfer

BEGIN, END = "<!-- benchmarks -->\n", "<!-- end of benchmarks -->\n"
ORDER = ("training", "scoring", "snapshot")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="what the benchmarks left")
    parser.add_argument("pages", type=Path, nargs="*", help="pages that the table is put into")
    options = parser.parse_args()
    text = markdown(json.loads(options.results.read_text()))
    print(text)
    for page in options.pages:
        page.write_text(inserted(page.read_text(), text))


def markdown(found: dict[str, Any]) -> str:
    """The table, and a line for the machine."""
    lines = ["| | ours | against | there | times as fast |", "|---|---|---|---|---|"]
    for name in (one for one in ORDER if one in found):
        result = found[name]
        [mine] = result["rates"].keys() - result["ratios"].keys()
        for other, ratio in sorted(result["ratios"].items()):
            spread = f"**{ratio['median']:.2f}** ({ratio['least']:.2f}-{ratio['greatest']:.2f})"
            lines.append(f"| {name} | {_rate(result, mine)} | {other} | {_rate(result, other)} | {spread} |")
    names = [name for name in ORDER if name in found]
    one = found[names[0]]["machine"]
    loads = "; ".join(_conditions(name, found[name]) for name in names)
    lines += [
        "",
        f"Medians (least-greatest) on {one['processor']}, {one['threads']} thread of {one['cores']}: {loads}. "
        f"torch {one['torch']}, transformers {one['transformers']}, peft {one['peft']}, "
        f"bitsandbytes {one['bitsandbytes']}.",
        "",
    ]
    for one in (coverage, lr_transfer, early_stopping):
        lines += one.markdown(found[one.NAME]) if one.NAME in found else []
    return "\n".join(lines)


def _conditions(name: str, result: dict[str, Any]) -> str:
    on = result["machine"]
    load = f"{on['load_before']}-{on['load_after']}"
    return f"{name} {result['rounds']} rounds on {on['measured']} at a load of {load}"


def inserted(page: str, text: str) -> str:
    """The page with the table between its markers. Raises `ValueError` when it has none."""
    start, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    return page[:start] + text + page[end:]


def _rate(result: dict[str, Any], name: str) -> str:
    return f"{float(format(result['rates'][name]['median'], '.3g')):,g} {result['unit']}"


if __name__ == "__main__":
    main()
