"""What do the fitted curves say, in words? Nothing beyond the ladder, and no exponent that is not determined."""

from __future__ import annotations

from study.analysis.fits import FEWEST, Fitted
from study.analysis.gains import POOLED
from study.report.findings import Findings


def curves(found: Findings) -> str:
    """Sentences for the caption of the fits."""
    sizes = len(found.design.sizes)
    if sizes < FEWEST:
        return f"{sizes} size{'s' * (sizes != 1)}: no curve is fitted, and never an exponent from three points."
    if not found.fits.get(POOLED):
        return f"No arm has {FEWEST} sizes with every target and a known error yet, so no curve is fitted."
    told = " ".join(_curve(arm, both) for arm, both in found.fits[POOLED].items())
    return (
        "Mean over targets, with the band of refits on joint draws. Whole line: power law; dashed: straight line over "
        f"log10 of the parameters; the one that predicts left-out inner sizes better. {told}"
    )


def _curve(arm: str, both: Fitted) -> str:
    errors = f"left-out error {both.power.left_out:.1f} points against {both.line.left_out:.1f}"
    if both.chosen is both.line:
        slope = both.line.b
        return (
            f"{arm}: a straight line ({errors} of the line), {slope.point:.1f} points ({slope.low:.1f} to "
            f"{slope.high:.1f}) per tenfold parameters."
        )
    c = both.power.c
    assert c is not None
    exponent = f"exponent {c.point:.2f} ({c.low:.2f} to {c.high:.2f})"
    told = exponent if both.power.determined else "its exponent is not determined by these scores"
    return f"{arm}: it bends ({errors} of the straight line), {told}."
