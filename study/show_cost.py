"""How does a budget look? A table that fits 100 columns, the same as JSON, and what the figures rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from study.budget import Budget, SizeBudget
from study.gpus import Card
from study.show import table
from trainables.measured import Calibration

COLUMNS = ("size", "gpu", "peak GB", "micro", "recompute", "passes", "GPUs", "tokens", "FLOPs", "GPU-hours", "price")


def budget_json(found: Sequence[Budget], tokens: str) -> dict[str, Any]:
    """Everything of the table, unrounded; bytes, tokens, operations, hours."""
    return {"tokens": tokens, "gpus": [_card_json(one) for one in found]}


def _card_json(one: Budget) -> dict[str, Any]:
    return {
        "gpu": one.card.name,
        "hours": one.hours,
        "price": one.price,
        "sizes": [asdict(size) for size in one.sizes],
    }


def budget_text(found: Sequence[Budget], tokens: str) -> None:
    rows = [_row(size, one.card) for one in found for size in one.sizes]
    rows += [_total(one) for one in found if len(one.sizes) > 1]
    table(COLUMNS, sorted(rows, key=lambda row: row[0] == "all") if len(found) > 1 else rows)
    print(f"\ntokens: {tokens}")
    for basis in dict.fromkeys(f"{size.basis}" for one in found for size in one.sizes if size.basis):
        print(f"speed: {basis}")
    for size in (size for one in found for size in one.sizes if size.refusal):
        print(f"does not fit: {size.refusal}")


def _row(size: SizeBudget, card: Card) -> tuple[str, ...]:
    fit = size.fit
    if fit is None:
        return (size.size, card.name, "no fit", "", "", "", "", _short(size.tokens), f"{size.flops:.1e}", "", "")
    return (
        size.size,
        card.name,
        f"{fit.peak / 1e9:.1f}",
        str(fit.micro_tokens),
        "yes" if fit.recompute else "no",
        str(fit.accumulation),
        str(fit.gpus),
        _short(size.tokens),
        f"{size.flops:.1e}",
        _hours(size.hours),
        _price(size.price),
    )


def _total(one: Budget) -> tuple[str, ...]:
    tokens, flops = sum(size.tokens for size in one.sizes), sum(size.flops for size in one.sizes)
    blank = ("",) * 5
    return ("all", one.card.name, *blank, _short(tokens), f"{flops:.1e}", _hours(one.hours), _price(one.price))


def _short(count: float) -> str:
    """Four digits at most, with k, M, G or T."""
    for unit in ("", "k", "M", "G"):
        if count < 1000:
            return f"{count:.3g}{unit}"
        count /= 1000
    return f"{count:.3g}T"


def _hours(hours: float | None) -> str:
    return "" if hours is None else f"{hours:.2f}" if hours < 10 else f"{hours:,.0f}"


def _price(price: float | None) -> str:
    return "" if price is None else f"{price:,.2f}"


def calibration_text(path: str, found: Calibration) -> None:
    table(
        ("size", "rows x tokens", "recompute", "tokens/s", "step s", "spread", "peak GB", "base GB"),
        [
            (
                point.size,
                f"{point.shape.rows} x {point.shape.width}",
                "yes" if point.shape.recompute else "no",
                f"{point.tokens_per_second:,.0f}",
                f"{point.seconds:.4f}",
                f"{point.spread:.0%}",
                f"{point.peak_bytes / 1e9:.3f}",
                f"{point.base_bytes / 1e9:.3f}",
            )
            for point in found.points
        ],
    )
    print(f"\n{found.device.name}: {path}")
