"""What does the page show of cost, and of the searches and trials that it pays for?"""

from __future__ import annotations

from study.report.sections import Chapter, Table, lost_trials, phases

COST = Chapter(
    "cost",
    "Cost",
    ("cost", "prices"),
    "Complete (size, arm) only. Grey stair and full markers: nothing scores as much for less. Arrows: the gain "
    "may be zero, so its price has no upper limit.",
    (
        Table(
            "prices",
            "Price of a point with an arm",
            "Shares of the intermediate phases with their search, per seed, over the gain. Alone: were this the "
            "only target. No price where the interval of the gain holds zero, only a least one.",
            "arm target size gain low high flops hours money flops_per_point flops_per_point_low "
            "flops_per_point_high winner_flops_per_point hours_per_point money_per_point alone_flops_per_point",
            paper=True,
        ),
        Table(
            "next_size",
            "Price of a point with the next size",
            "Target phases without an intermediate one at the larger size minus at the smaller, over the points "
            "between them. A target that is scored without tuning costs nothing at any size. No price where a target "
            "phase has no record.",
            "target size larger gain low high flops hours money flops_per_point flops_per_point_low "
            "flops_per_point_high hours_per_point money_per_point lacking",
            paper=True,
        ),
        Table(
            "cheapest",
            "Cheapest way to a score",
            "Mean score over all targets; chance: share of joint draws in which that way reaches the score asked for.",
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
            "kind size phases trials seconds winner_seconds lost_seconds hours flops winner_flops lost_flops tokens",
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
)

SEARCHES = Chapter(
    "searching",
    "Searches and trials",
    (),
    "",
    (
        Table(
            "fairness",
            "Was every arm searched as hard?",
            "Least and most over the arms of a size: trials per search, tokens per trial. Narrowed: around the winner "
            "of the smallest size, with half the trials (search.transfer). Pruned: trials that were stopped early "
            "(search.early_stopping), and the steps that this saved, of all that the trials would have taken.",
            "kind target size arms trials most_trials equal tokens most_tokens narrowed pruned steps_saved",
        ),
        Table(
            "regret",
            "What narrowed searches lost",
            "Dev score of a full search minus that of the narrowed one of the same phase, where the store holds both. "
            "Above zero: the narrowed search's winner scores less on dev. In part by selection alone: the best of more "
            "trials looks better than it is.",
            "kind size arm target search_seed full narrowed_score regret full_trials trials full_flops flops",
        ),
        Table(
            "searches",
            "Searches of the learning rate",
            "An optimum on the edge has no worse trial on one of its sides: a better rate may lie outside.",
            "key window_low window_high learning_rate dev_score verdict extended trials diverged failed pruned "
            "narrowed_by",
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
)
