"""How is a mistake in a YAML file said in one line? `<file>: <path>: found <value>, allowed: <what is>`."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import Any

MAX_PROBLEMS = 8

_ALLOWED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "literal_error": "{expected}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "too_short": "at least {min_length} entry",
    "too_long": "at most {max_length} entries",
    "value_error": "{error}",
    "string_pattern_mismatch": "letters, digits, dot, dash, underscore, plus (64 at most, the first a letter or digit)",
}


def allowed(error: Any) -> str:
    """What may stand where pydantic found something else."""
    template = _ALLOWED.get(error["type"])
    if template is None:
        return " ".join(error["msg"].split())
    limits = {name: f"{value:g}" if isinstance(value, float) else value for name, value in error.get("ctx", {}).items()}
    return template.format(**limits)


def lines(source: str, found: list[str]) -> str:
    """One line per problem, each naming the file; the first few of many."""
    shown = [f"{source}: {line}" for line in found[:MAX_PROBLEMS]]
    if len(found) > MAX_PROBLEMS:
        shown.append(f"{source}: and {len(found) - MAX_PROBLEMS} more problems")
    return "\n".join("".join(c if c.isprintable() else ascii(c)[1:-1] for c in line) for line in shown)


def show(value: Any) -> str:
    """A value in at most 60 characters."""
    text = "null" if value is None else json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def repeated(path: str, values: tuple[Any, ...]) -> str:
    """That a value is given twice; empty when none is."""
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    return f"{path}: {', '.join(twice)} given more than once; remove the repetition" if twice else ""


def unknown(path: str, name: str, what: str, known: Any) -> str:
    """That a name is not among those that are known, with the nearest; empty when it is."""
    if name in known:
        return ""
    near = get_close_matches(name, list(known), n=1)
    hint = f"did you mean {near[0]}?" if near else f"allowed: {', '.join(known) or 'none'}"
    return f"{path}: {name[:60]!r} is not a known {what}; {hint}"
