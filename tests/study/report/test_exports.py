"""Can the tables be put into a paper and onto a page of Markdown, whatever their texts hold?"""

import re
from pathlib import Path

import pytest

from study.report import write
from study.report.latex import escaped, latex
from study.report.markdown import escaped as escaped_markdown
from study.report.view import View
from tests.study.report.synthetic import Plan, build
from tests.study.report.test_report import NOW

VIEW = View(("arm", "gain, %", "key"), ("text", "number", "keys"), (("a_b", "−3.1", "k1 k2"), ("c&d", "×1.7", "")))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("50 % of a_b & c", r"50 \% of a\_b \& c"),
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("~^#$", r"\textasciitilde{}\textasciicircum{}\#\$"),
        ("−3.1 × ∞ > ρ", r"$-$3.1 $\times$ $\infty$ \textgreater{} $\rho$"),
        ("two\nlines", "two lines"),
        ("plain 1.5", "plain 1.5"),
    ],
)
def test_latex_reads_what_was_written(text, wanted):
    assert escaped(text) == wanted


def test_a_table_is_one_tabular_without_its_keys():
    assert latex(VIEW, "Gains", "A note\nin lines.") == (
        "% Gains. A note in lines.\n"
        "% needs \\usepackage{booktabs}\n"
        "\\begin{tabular}{lr}\n\\toprule\n"
        "arm & gain, \\% \\\\\n\\midrule\n"
        "a\\_b & $-$3.1 \\\\\nc\\&d & $\\times$1.7 \\\\\n"
        "\\bottomrule\n\\end{tabular}\n"
    )


def test_markdown_is_not_read_as_markup():
    assert escaped_markdown("a|b_c *d* [e](f)\n`g`") == r"a\|b\_c \*d\* \[e\](f) \`g\`"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    store = build(tmp_path_factory.mktemp("exports") / "toy", Plan(sizes=("xs", "s"), resamples=50))
    return Path(write(store, NOW)["tables"])


def test_every_main_table_is_latex_of_even_rows(folder):
    texts = {path.stem: path.read_text(encoding="utf-8") for path in (folder / "tex").glob("*.tex")}
    assert {"gains", "scaling", "equivalent_size", "retention", "cost_by_kind"} <= set(texts)
    for name, text in texts.items():
        width = len(re.search(r"\\begin\{tabular\}\{([lr]+)\}", text)[1])
        rows = [line for line in text.splitlines() if line.endswith(r"\\")]
        assert len(rows) > 1, name
        assert all(len(re.findall(r"(?<!\\)&", row)) == width - 1 for row in rows), name
        assert not re.search(r"(?<!\\)[%#]|[−×∞→]", "".join(rows)), name


def test_markdown_has_answers_and_whole_tables(folder):
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert text.count("\n### ") >= 10 and text.startswith("# Study toy\n")
    for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.M):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
    for name in re.findall(r"\]\(([^)]+)\)", text):
        assert (folder / name).is_file(), name


def test_what_an_earlier_report_left_is_cleared_away(tmp_path):
    store = build(tmp_path / "toy", Plan(sizes=("xs", "s"), targets=("xcopa",), resamples=20))
    old = [Path(store.join("report", "figures", "gain-gone.png")), Path(store.join("report", "tex", "gone.tex"))]
    for path in old:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"old")
    write(store, NOW)
    assert not any(path.exists() for path in old) and list(old[0].parent.glob("gain-siqa.png"))
