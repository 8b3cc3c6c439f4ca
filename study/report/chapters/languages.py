"""What does the page show of languages?"""

from __future__ import annotations

from study.report.sections import Chapter, Table, language_gains, language_groups, language_scores

LANGUAGES = Chapter(
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
            "Means over the targets that test the language and over the sizes, the largest first. Stands: p value "
            "adjusted for the number of languages (Benjamini and Hochberg, the milder rule) at most 5 %.",
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
            "Points of score and of gain per unit of distance (0 to 1), over the languages other than English. "
            "Intervals are not corrected for their number.",
            "quantity target arm size per_unit low high without_zero",
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
)
