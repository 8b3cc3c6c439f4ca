"""What does the page show of scores? The benchmark's own numbers, and curves over the sizes."""

from __future__ import annotations

from study.report.answers.curves import curves
from study.report.sections import Chapter, Table, benchmark_overview, benchmark_tasks

BENCHMARKS = Chapter(
    "benchmarks",
    "XTREME-R",
    (),
    "",
    (
        Table(
            "benchmark",
            "Overall and group scores",
            "Unweighted mean of the ten task scores, of a group's tasks, and of a task's languages; means over "
            "seeds. Partial: some languages are missing, so the number is not the benchmark's. Without a task "
            "there is no number.",
            benchmark_overview,
            traced="scores",
            paper=True,
        ),
        Table(
            "benchmark_tasks",
            "Task and group scores",
            "Unweighted means over the benchmark's languages, English included where it is one of them; beside "
            "them the same means of predictors that do not look, and of English where all tasks test it.",
            benchmark_tasks,
            csv="benchmark",
            traced="scores",
            paper=True,
        ),
    ),
)

CURVES = Chapter(
    "curves",
    "Scaling curves",
    ("scaling",),
    "Mean over test languages. Rings: single seeds. Bars: 95 % intervals over test examples and, with two "
    "seeds or more, over seeds. Dotted: predictors that do not look.",
    (
        Table(
            "scaling",
            "Change with size",
            "Contrasts between sizes first; the slope is a summary, not a law.",
            "quantity target arm change points low high like_low like_high p",
            traced="scores",
            paper=True,
        ),
        Table(
            "scores",
            "Scores by cell",
            "Unweighted mean over test languages; English and the others apart; predictors that do not look "
            "beside them.",
            "target arm size seed score english others majority random languages key",
        ),
        Table(
            "missing",
            "Missing cells",
            "Asked for by the spec, not scored yet, and not filled in.",
            "target arm size seed",
        ),
    ),
)

FITS = Chapter(
    "fitted",
    "Scaling fits",
    ("fits",),
    curves,
    (
        Table(
            "fits",
            "Curves and their parameters",
            "log-linear: a + b log10 N. power: a − b (N / smallest N)^−c with a at most 100; a belongs to the "
            "curve and is no forecast. Left out: error in points of predicting each inner size from the others. "
            "Only with four sizes or more, never an exponent from three points.",
            "target arm sizes model chosen a a_low a_high b b_low b_high c c_low c_high determined left_out aicc",
            paper=True,
        ),
    ),
)
