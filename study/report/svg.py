"""What becomes of the SVG that matplotlib wrote? One form for the page, and one that opens by itself.

Both carry the marks' tips as titles (a browser shows them when a mark is pointed at, without any script). In the
page's form colours are CSS variables, so that a figure follows light and dark, and ids are kept apart by the
figure's name; a mark's keys stand there as places in the list of evaluations under the figure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from study.report.marks import PREFIX, Mark


def marked(svg: str, marks: Sequence[Mark], keys: Sequence[str] = ()) -> str:
    """Write arms, tips and (as places in `keys`) evaluations into the groups of the marks.

    Raises `ValueError` when a mark has tips but not one for each of its points.
    """
    places = {key: str(place) for place, key in enumerate(keys)}
    head, *groups = re.split(rf'<g id="{PREFIX}(?=\d)', svg)
    parts = [head]
    for group in groups:
        number, rest = group.split('"', 1)
        mark = marks[int(number)]
        own, cut, others = rest.partition('<g id="')
        parts.append(f'<g id="{PREFIX}{number}"{_attribute("arm", mark.arm)}{_tipped(own, mark, places)}{cut}{others}')
    return "".join(parts)


def _tipped(group: str, mark: Mark, places: Mapping[str, str]) -> str:
    """Titles for the points of one group, in their order."""
    if not mark.tips:
        return group
    pieces = re.split(r"<use\b([^>]*)/>", group)
    if len(pieces) // 2 != len(mark.tips):
        raise ValueError(f"a mark of {mark.arm or 'no arm'} has {len(pieces) // 2} points and {len(mark.tips)} tips")
    for index, tip in enumerate(mark.tips):
        keys = _attribute("keys", " ".join(places[key] for key in tip.keys if key in places))
        pieces[2 * index + 1] = (
            f'<use class="mark"{keys}{pieces[2 * index + 1]}><title>{escape(tip.text)}</title></use>'
        )
    return "".join(pieces)


def _attribute(name: str, value: str) -> str:
    return f" data-{name}={quoteattr(value)}" if value else ""


def plain(svg: str) -> str:
    """Without prologue and metadata, coordinates to a hundredth of a point."""
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.S)
    return re.sub(r"<[^>]+>", lambda tag: re.sub(r"\d+\.\d{3,}", _hundredth, tag.group()), svg)


def _hundredth(number: re.Match[str]) -> str:
    return f"{float(number.group()):.2f}".rstrip("0").rstrip(".")


def for_page(svg: str, name: str, alt: str, variables: Mapping[str, str]) -> str:
    """Inline form. Namespaces go (they are addresses); `variables` are {colour: name of a CSS variable}."""
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r'\s(width|height)="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\1{name}-", svg)
    svg = re.sub("|".join(variables), lambda colour: f"var(--{variables[colour.group().lower()]})", svg, flags=re.I)
    svg = re.sub(r"font-family: [^;\"]*", "font-family: var(--sans)", svg)
    return svg.replace("<svg", f'<svg role="group" aria-label={quoteattr(alt)}', 1)


def alone(svg: str, alt: str, paper: str) -> str:
    """A file of its own, on `paper`, named by `alt`."""
    opening, rest = svg.split(">", 1)
    ground = f'<rect width="100%" height="100%" fill="{paper}"/>'
    return f'<?xml version="1.0" encoding="utf-8"?>\n{opening} role="img"><title>{escape(alt)}</title>{ground}{rest}'
