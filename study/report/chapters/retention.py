"""What does the page show of retention?"""

from __future__ import annotations

from study.report.sections import Chapter, Table

RETENTION = Chapter(
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
)
