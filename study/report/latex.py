r"""How does a table get into a paper? As a booktabs tabular to be \input, without a float around it.

latex(view, "Gains", "95 % intervals.")     # "% Gains. ...\n\begin{tabular}{llr} ...\end{tabular}\n"
"""

from __future__ import annotations

import re

from study.report.view import View

SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "−": "$-$",
    "×": r"$\times$",
    "∞": r"$\infty$",
    "→": r"$\rightarrow$",
    "ρ": r"$\rho$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "–": "--",
    "…": r"\dots{}",
}
"""Every character that LaTeX reads otherwise, or that the page writes and its fonts lack."""


def escaped(text: str) -> str:
    """Text as LaTeX sets it, on one line."""
    return "".join(SPECIAL.get(letter, letter) for letter in re.sub(r"\s+", " ", text))


def latex(table: View, title: str, note: str) -> str:
    """One tabular with rules of booktabs; what it shows stands above as comments. Columns of keys are left out."""
    kept = [place for place, kind in enumerate(table.kinds) if kind != "keys"]
    columns = "".join("r" if table.kinds[place] == "number" else "l" for place in kept)
    lines = ["% " + " ".join(f"{title}. {note}".split()), r"% needs \usepackage{booktabs}"]
    lines += [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", _row(table.columns, kept), r"\midrule"]
    lines += [_row(row, kept) for row in table.rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _row(values: tuple[str, ...], kept: list[int]) -> str:
    return " & ".join(escaped(values[place]) for place in kept) + r" \\"
