"""What would a study with these effects look like? Whole studies drawn with known gains, slopes, retention and noise.

    evidence, truth = draw(planted, seed=0)          # what a finished study is to the analysis, and what is true of it
    found = findings.find(evidence)

Used by the tests and the coverage benchmark (do the intervals hold?), by `study simulate` (what will my report look
like?) and by `study plan --power` (what could my study see?).
"""
