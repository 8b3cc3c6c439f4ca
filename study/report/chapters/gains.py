"""What does the page show of gains? What an arm adds, how that changes with size, and size as the other lever."""

from __future__ import annotations

from study.report.sections import Chapter, Table

GAINS = Chapter(
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
            "Degenerate pairs are in none. Stands: zero is ruled out with the whole family counted (Holm).",
            "level arm target size gain low high like_low like_high p holm fdr clear seeds degenerate",
            traced="scores",
            paper=True,
        ),
        Table(
            "changes",
            "Change of the gain with size",
            "Largest minus smallest size, or with four sizes or more the slope over log10(parameters). Last but "
            "one: the smallest true change that this study would have shown with 80 % power, looked at alone. "
            "Stands: zero is ruled out with all changes of the kind counted (Holm).",
            "arm target change points low high like_low like_high p holm fdr detectable clear",
            traced="scores",
            paper=True,
        ),
        Table(
            "slope_checks",
            "The slope of the mean gain, reckoned in other ways",
            "Points per tenfold parameters. A mixed model has a random intercept for every language and every "
            "checkpoint, where there are enough of them; least squares has errors clustered by it. The bootstrap "
            "draws seeds and test examples again or, for languages like these, seeds and languages; its error "
            "can be too large by a factor of 1.4. Two agree when they differ by less than half a standard error, "
            "and their errors by less than a factor of 1.5.",
            "arm method scope slope low high error agrees",
            traced="scores",
            paper=True,
        ),
    ),
)

LEVERS = Chapter(
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
            "difference with its interval, and the arm against the next size of the ladder. Stands: zero is ruled out "
            "with all arms counted (Holm); told of the means over targets only.",
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
)
