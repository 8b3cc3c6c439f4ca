"""What does the page show of domain text, and beside published numbers?"""

from __future__ import annotations

from study.report.sections import Chapter, Table

TEXT = Chapter(
    "text",
    "Domain text",
    ("domain",),
    "Filled: zero is ruled out with all numbers of the same kind counted (Holm).",
    (
        Table(
            "domain",
            "What text adds",
            "The arm with running text minus the same arm without it, paired by test example; mean over the sizes, "
            "each size, and the change from the smallest to the largest. Stands: zero is ruled out with all numbers "
            "of the same kind counted (Holm).",
            "arm base where size added low high p holm clear",
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
            "Mean over targets and sizes. Stands: zero is ruled out with all languages and arms counted (Holm).",
            "arm base language in_language added low high p holm clear",
        ),
    ),
)

REPLICATION = Chapter(
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
)
