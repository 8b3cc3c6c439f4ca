"""Which figures and tables does the page show, in what order and words? Chapters, each with figures and tables.

To add a table: a `Table` in the chapter that it belongs to; its name is that of a table of `study.report.tables`.
To add figures: the name of their family (`study.report.figures.FAMILIES`) in the chapter's `families`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from study.report.answers.curves import curves
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
    ),
    Chapter(
        "gain",
        "Gains over the arm none",
        ("gain", "interaction"),
        "Bars: 95 % intervals, not corrected for their number. Filled: zero is ruled out with all gains, or all "
        "changes, of the kind counted (Holm). Thin grey bars: for languages like these, where a target has three or "
        "more.",
        (
            Table(
                "gains",
                "Gains",
                "Score of the arm minus score of none: same size, target and seed, paired by test example; unweighted "
                "means over languages, over the targets of a group (with two or more) or of the study, over sizes. "
                "The 95 % intervals are not corrected for their number. The corrected p values are: Holm's keeps "
                "false claims out of a whole family 19 times in 20, Benjamini and Hochberg's (BH) keeps the false "
                "ones below a twentieth of the claims. A family is one level, over all sizes or at single ones. "
                "Degenerate pairs are in none. Clear of 0: with the whole family counted (Holm).",
                "level arm target size gain low high like_low like_high p holm fdr clear seeds degenerate",
                traced="scores",
                paper=True,
            ),
            Table(
                "changes",
                "Change of the gain with size",
                "Largest minus smallest size, or with four sizes or more the slope over log10(parameters). Last but "
                "one: the smallest true change that this study would have shown with 80 % power, looked at alone. "
                "Clear of 0: with all changes of the kind counted (Holm).",
                "arm target change points low high like_low like_high p holm fdr detectable clear",
                traced="scores",
                paper=True,
            ),
            Table(
                "slope_checks",
                "The slope of the mean gain, reckoned in other ways",
                "Points per tenfold parameters. A mixed model has a random intercept for every language and every "
                "checkpoint; with too few of them, least squares with errors clustered by checkpoint. The bootstrap "
                "draws seeds and test examples again or, for languages like these, seeds and languages; its error "
                "can be too large by a factor of 1.4. Two agree when they differ by less than half a standard error, "
                "and their errors by less than a factor of 1.5.",
                "arm method scope slope low high error agrees",
                traced="scores",
                paper=True,
            ),
        ),
    ),
    Chapter(
        "levers",
        "Two levers: size and the intermediate phase",
        ("levers",),
        "Means over targets. Left: the arm's gain beside what twice the parameters buy. Right: the factor on "
        "parameters that gives the arm's score without the arm; arrows leave the ladder.",
        (
            Table(
                "arm_against_size",
                "The arm against size",
                "Points over the sizes: the arm, twice the parameters without it (slope over log2 of them), the "
                "difference with its interval, and the arm against the next size of the ladder. Clear of 0: for the "
                "means over targets only, with all arms counted (Holm).",
                "arm target gain doubling more low high clear next next_low next_high next_clear",
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
                traced="scores",
                paper=True,
            ),
            Table(
                "language_gains",
                "Gains by language",
                "Means over the targets that test the language and over the sizes, the largest first. Clear: p value "
                "adjusted for the number of languages (Benjamini and Hochberg) at most 5 %.",
                language_gains,
                traced="scores",
                paper=True,
            ),
            Table(
                "transfer_gap",
                "Transfer gap",
                "English minus the mean of the other languages, and what the arm changes of it against none, paired: "
                "negative where the gap becomes narrower. Only targets that test English.",
                "target arm size english others majority random gap gap_low gap_high gap_change gap_change_low "
                "gap_change_high",
                traced="scores",
                paper=True,
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
                paper=True,
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
        ("retention", "relation"),
        "Mean over target tasks; rings: single seeds; bars: 95 % intervals over seeds and dev examples. Gain against "
        "retention: one mark per (arm, size, target, seed).",
        (
            Table(
                "retention_by_size",
                "Retention by size",
                "Score after the target phase in per cent of the score before it; differences in percentage points. "
                "Means over the tasks that had been learned wherever any had. Classification: XNLI, PAWS-X, XCOPA.",
                "arm after_targets what per_cent per_low per_high",
            ),
            Table(
                "retention",
                "Retention by cell",
                "English dev scores of the arm's own tasks before and after the target phase. Rows less than 5 "
                "points above the better blind predictor before have little to retain and are left out of the "
                "means.",
                "arm task target size seed before after retention learned key",
                paper=True,
            ),
        ),
    ),
    Chapter(
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
    ),
    Chapter(
        "cost",
        "Cost",
        ("cost", "prices"),
        "Complete (size, arm) only. Grey stair and full markers: nothing scores as much for less. Arrows: the gain is "
        "not clear of zero, so its price has no upper limit.",
        (
            Table(
                "prices",
                "Price of a point with an arm",
                "Shares of the intermediate phases with their search, per seed, over the gain. Alone: were this the "
                "only target. No price where the gain is not clear of zero, only a least one.",
                "arm target size gain low high flops hours money flops_per_point flops_per_point_low "
                "flops_per_point_high winner_flops_per_point hours_per_point money_per_point alone_flops_per_point",
                paper=True,
            ),
            Table(
                "next_size",
                "Price of a point with the next size",
                "Target phases without an intermediate one at the larger size minus at the smaller, over the points "
                "between them. A target that is scored without tuning costs nothing at any size.",
                "target size larger gain low high flops hours money flops_per_point flops_per_point_low "
                "flops_per_point_high hours_per_point money_per_point",
                paper=True,
            ),
            Table(
                "cheapest",
                "Cheapest way to a score",
                "Mean score over all targets; chance: share of joint draws in which that way reaches the score asked "
                "for.",
                "score unit arm size flops hours money reached chance",
                traced="phases",
                paper=True,
            ),
            Table(
                "ways",
                "Every way",
                "Intermediate and target phases of all targets per seed, search included. Often: share of joint draws "
                "in which nothing scores as much for less.",
                "size arm flops winner_flops hours money score score_low score_high on_flops often_flops on_hours "
                "often_hours",
            ),
            Table(
                "cost_by_kind",
                "Where it went",
                "Searches, scoring and lost trials (diverged or failed) included; the winners' part is what one run "
                "per phase would have cost.",
                "kind size phases trials seconds winner_seconds lost_seconds hours flops winner_flops lost_flops "
                "tokens",
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
        "text",
        "Domain text",
        ("domain",),
        "Filled: the 95 % interval leaves zero out.",
        (
            Table(
                "domain",
                "What text adds",
                "The arm with running text minus the same arm without it, paired by test example; mean over the sizes, "
                "each size, and the change from the smallest to the largest.",
                "arm base where size added low high clear",
                paper=True,
            ),
            Table(
                "domain_tokens",
                "Were the tokens equal?",
                "Tokens of the winning intermediate run with text over those without, at the same size and seed.",
                "arm base ratio_low ratio_high pairs equal",
            ),
            Table(
                "domain_languages",
                "What text adds by language",
                "Mean over targets and sizes; clear after Holm's correction for the number of languages.",
                "arm base language in_language added low high clear",
            ),
        ),
    ),
    Chapter(
        "replicated",
        "Beside Phang et al. (2020)",
        (),
        "",
        (
            Table(
                "replication",
                "Published claims and ours",
                "Theirs: XLM-R Large, fully tuned, XTREME, points. Ours: gain over none at the size nearest to theirs. "
                "A number agrees when our interval holds theirs and is narrow enough to say so; the best arm per "
                "target is chosen by English dev scores, not by test scores. Mark: where theirs was read (abstract, "
                "the README of mT5, or later syntheses of the paper).",
                "claim theirs ours low high verdict reason size mark",
                paper=True,
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
    """All chapters with their figures and tables, but those of what this study does not ask.

    `tables` are those of `csv_tables(found)`.
    """
    asked = {"benchmarks": len(found.benchmark) > 0, "text": bool(found.domain.arms)}
    made = []
    for chapter in CHAPTERS:
        if not asked.get(chapter.anchor, True):
            continue
        shown = tuple(drawing for family in chapter.families for drawing in drawings.get(family, ()))
        caption = chapter.caption if shown else "Nothing to draw yet."
        if not isinstance(chapter.caption, str):
            caption = chapter.caption(found)
        sections = tuple(section(table, found, tables) for table in chapter.tables)
        made.append(Shown(chapter.anchor, chapter.title, str(caption), bool(chapter.families), shown, sections))
    return made
