"""How is YAML read so that nothing in it can surprise? As plain data: what JSON can say, and nothing else.

Stricter than PyYAML where that hides mistakes (a key given twice), laxer where YAML 1.1 does (1e-3 is a number
here, a date is text), and safe against files made to exhaust the memory.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

from trainables.errors import SpecError

MAX_BYTES = 1_000_000
MAX_NODES = 100_000
"""Values in a file once every alias is written out."""

_MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """SafeLoader that knows 1e-3, leaves dates alone and refuses a key given twice."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":float"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != _MERGE and isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} is given twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^[-+]?(?:[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+"
        r"|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$"
    ),
    list("-+0123456789."),
)


def read_yaml(text: bytes, source: str, start: str = "name: my-study") -> dict[str, Any]:
    """The mapping in a YAML text. Raises `SpecError` (one line, naming `source`) for anything else.

    `start`: how one may begin, for that line.
    """
    if len(text) > MAX_BYTES:
        raise SpecError(f"{source}: {len(text)} bytes, a study is at most {MAX_BYTES}; is this the right file?")
    try:
        decoded = text.decode("utf-8-sig")
        loader = _Loader(decoded)
        node = loader.get_single_node()
        if node is not None:
            _size(node, source)
        value = loader.construct_document(node) if node is not None else None
    except UnicodeDecodeError as error:
        raise SpecError(f"{source}: not a text file (byte {error.start} is not UTF-8); give a YAML file") from error
    except RecursionError as error:
        raise SpecError(f"{source}: nested too deeply for a study") from error
    except yaml.YAMLError as error:
        raise SpecError(f"{source}: not valid YAML: {_one_line(error)}") from error
    except (ValueError, TypeError, OverflowError) as error:
        raise SpecError(f"{source}: holds a value that cannot be read ({str(error).splitlines()[0]})") from error
    if not isinstance(value, dict):
        raise SpecError(f"{source}: found {_kind(value)}, wanted a mapping that starts like `{start}`")
    _plain(value, source, "")
    return value


def _size(root: yaml.Node, source: str) -> None:
    """Refuse aliases that contain themselves or that unfold to more than `MAX_NODES` values."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: yaml.Node) -> int:
        if id(node) in open_nodes:
            raise SpecError(f"{source}: an alias contains itself (line {node.start_mark.line + 1}); write it out")
        if id(node) not in sizes:
            open_nodes.add(id(node))
            children: list[yaml.Node] = []
            if isinstance(node, yaml.MappingNode):
                children = [part for pair in node.value for part in pair]
            elif isinstance(node, yaml.SequenceNode):
                children = node.value
            sizes[id(node)] = 1 + sum(size(child) for child in children)
            open_nodes.discard(id(node))
        return sizes[id(node)]

    if size(root) > MAX_NODES:
        raise SpecError(f"{source}: its aliases unfold to more than {MAX_NODES} values; write a shorter study")


def _plain(value: Any, source: str, path: str) -> None:
    """Refuse what JSON cannot say: sets, bytes, keys that are not text, infinities."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise SpecError(f"{source}: {path or 'top level'}: found the key {key!r}, allowed: text; quote it")
            shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in key)
            _plain(item, source, f"{path}.{shown}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _plain(item, source, f"{path}.{index}")
    elif isinstance(value, float) and not math.isfinite(value):
        raise SpecError(f"{source}: {path}: found {value}, allowed: a finite number")
    elif value is not None and not isinstance(value, str | bool | int | float):
        raise SpecError(f"{source}: {path}: found {_kind(value)}, allowed: text, numbers, true/false, lists, mappings")


def _kind(value: Any) -> str:
    names = {type(None): "nothing", str: "text", list: "a list", bytes: "binary data", set: "a set", dict: "a mapping"}
    return names.get(type(value), f"{type(value).__name__} {str(value)[:40]!r}")


def _one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    text = getattr(error, "problem", None) or str(error).splitlines()[0]
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return place + " ".join(str(text).split())
