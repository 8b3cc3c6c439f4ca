"""Which figures and tables does the page show, in what order and words? Chapters, each with figures and tables.

To add a table: a `Table` in the chapter that it belongs to; its name is that of a table of `study.report.tables`.
To add figures: the name of their family (`study.report.figures.FAMILIES`) in the chapter's `families`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from study.report.findings import Findings
from study.report.sections import (
    Chapter,
    Shown,
    Table,
    Tables,
    benchmark_overview,
    benchmark_tasks,
    language_gains,
    language_groups,
    language_scores,
    lost_trials,
    phases,
    section,
)
from study.report.style import Drawing

CHAPTERS = (
    Chapter(
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
    ),
    Chapter(
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
                "quantity target arm change points low high clear",
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
    ),
    Chapter(
        "gain",
        "Gains over the arm none",
        ("gain",),
        "Filled: the 95 % interval leaves zero out.",
        (
            Table(
                "gains",
                "Gains",
                "Score of the arm minus score of none: same size, target and seed, paired by test example. 95 % "
                "intervals.",
                "arm target size gain low high seeds clear degenerate",
                traced="scores",
                paper=True,
            ),
            Table(
                "equivalent_size",
                "Equivalent size",
                "Factor on parameters that gives the arm's score without the arm; the ends of the ladder are named.",
                "arm target size factor factor_low factor_high",
                traced="scores",
                paper=True,
            ),
        ),
    ),
    Chapter(
        "language",
        "Languages",
        ("language-gains", "language-groups", "languages"),
        "English, the language of training, is in no group. By language, filled: clearly gains or loses, false "
        "discoveries among the languages held at 5 %; by group, filled: the 95 % interval of the gain leaves zero out "
        "(not corrected for the number of groups). Dashed: slope over distance within targets. Scores by target: means "
        "over seeds; against distance the largest size in full colour, smaller ones faint.",
        (
            Table(
                "language_groups",
                "Groups of languages",
                "Means over targets and sizes; single sizes and the languages of a group are in the CSV. Groups are "
                "not tested by the same targets. English minus the group's mean over the targets that test English. "
                "Resource classes: Joshi et al. (2020); unknown where nobody states the fact.",
                language_groups,
            ),
            Table(
                "language_gains",
                "Gains by language",
                "Means over the targets that test the language and over the sizes, the largest first. Clear: p value "
                "adjusted for the number of languages (Benjamini and Hochberg) at most 5 %.",
                language_gains,
            ),
            Table(
                "transfer_gap",
                "Transfer gap",
                "English minus the mean of the other languages, and what the arm changes of it against none, paired: "
                "negative where the gap becomes narrower. Only targets that test English.",
                "target arm size english others majority random gap gap_low gap_high gap_change gap_change_low "
                "gap_change_high",
            ),
            Table(
                "distance",
                "Fall with distance from English",
                "Points of score and of gain per unit of distance (0 to 1), over the languages other than English.",
                "quantity target arm size per_unit low high clear",
                traced="scores",
                paper=True,
            ),
            Table(
                "language_ranks",
                "What goes with a language's score and gain",
                "Spearman's rank correlation of languages with facts that have an order, each language against the "
                "means of its targets. Distances: URIEL; web text: CC-100 (Conneau et al. 2020). Facts go together, "
                "so none of these is a cause.",
                "quantity arm fact languages spearman",
            ),
            Table(
                "languages",
                "Scores by language",
                "Means over seeds, nearest language first where a distance is known, else by family.",
                language_scores,
                traced="scores",
            ),
        ),
    ),
    Chapter(
        "retained",
        "Retention of the intermediate task",
        ("retention",),
        "Mean over target tasks; rings: single seeds; bars: 95 % intervals over seeds.",
        (
            Table(
                "retention",
                "Retention",
                "English dev scores of the arm's own tasks before and after the target phase. Rows less than 5 "
                "points above the better blind predictor before have little to retain and are left out of the "
                "means.",
                "arm task target size seed before after retention learned key",
                paper=True,
            ),
        ),
    ),
    Chapter(
        "cost",
        "Cost",
        ("cost",),
        "Complete (size, arm) only; one line per arm from the smallest to the largest size.",
        (
            Table(
                "cost_by_kind",
                "Time and FLOPs by kind of phase",
                "Searches included; the winners' part is what one run per phase would have cost.",
                "kind size phases trials seconds winner_seconds flops winner_flops tokens",
                traced="phases",
                paper=True,
            ),
            Table(
                "prices",
                "Price of a point",
                "Intermediate phases with their search, divided by the seeds; no price where the gain is not clear "
                "of zero.",
                "arm size extra_seconds extra_flops gain low high seconds_per_point flops_per_point",
                traced="phases",
                paper=True,
            ),
            Table(
                "phases",
                "Every phase, with its lineage",
                "The lineage is the chain of phases behind a checkpoint.",
                phases,
            ),
        ),
    ),
    Chapter(
        "searching",
        "Searches and trials",
        (),
        "",
        (
            Table(
                "searches",
                "Searches of the learning rate",
                "An optimum on the edge has no worse trial on one of its sides: a better rate may lie outside.",
                "key window_low window_high learning_rate dev_score verdict extended trials diverged failed",
            ),
            Table(
                "lost",
                "Trials that diverged or failed",
                "They count as outcomes with the worst rank; they never win.",
                lost_trials,
                csv="trials",
            ),
            Table("trials", "Every trial", "", "key trial learning_rate status dev_score seconds overhead note"),
        ),
    ),
)
"""In the order of the page."""


def chapters(found: Findings, tables: Tables, drawings: Mapping[str, Sequence[Drawing]]) -> list[Shown]:
    """All chapters with their figures and tables; the benchmark's is left out where the benchmark was not run.

    `tables` are those of `csv_tables(found)`.
    """
    return [
        Shown(
            anchor=chapter.anchor,
            title=chapter.title,
            caption=chapter.caption,
            drawn=bool(chapter.families),
            drawings=tuple(drawing for family in chapter.families for drawing in drawings.get(family, ())),
            sections=tuple(section(table, found, tables) for table in chapter.tables),
        )
        for chapter in CHAPTERS
        if chapter.anchor != "benchmarks" or len(found.benchmark)
    ]
