"""The house rules that a test can hold: who may import whom, how large a file or a function may be."""

import ast
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
FILES = sorted(path for room in ("study", "trainables", "clusters") for path in (HOUSE / room).rglob("*.py"))
ALLOWED = {
    "ray": {"study/execute.py", "study/search.py", "trainables/hosts.py"},
    "mlflow": {"study/tracking.py"},
}


def imports(path: Path) -> set[str]:
    """Full names of the modules a file imports, at any depth."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def name(path: Path) -> str:
    return str(path.relative_to(HOUSE))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_arrows_point_from_study_to_trainables_and_outer_systems_have_one_door(path):
    tops = {module.split(".")[0] for module in imports(path)}
    if name(path).startswith("trainables/"):
        assert "study" not in tops
    for library, doors in ALLOWED.items():
        if library in tops:
            assert name(path) in doors or name(path).startswith("clusters/")


@pytest.mark.parametrize("path", [p for p in FILES if "analysis" in p.parts or "metrics" in p.parts], ids=name)
def test_analysis_and_metrics_are_pure(path):
    tops = {module.split(".")[0] for module in imports(path)}
    assert not tops & {"os", "fsspec", "pathlib", "requests", "torch", "ray", "mlflow", "subprocess"}
    assert not any("storage" in module or module == "study.store" for module in imports(path))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_files_and_functions_stay_readable(path):
    text = path.read_text()
    assert text.count("\n") <= 400
    tree = ast.parse(text)
    assert not text.strip() or ast.get_docstring(tree), "a module says which question it answers"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= 60, f"{node.name} has {lines} lines"


PICKLING = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
"""Loading what these wrote runs whatever it says."""
BANNED = {
    "torch": {"load", "hub"},
    "pandas": {"read_pickle"},
    "yaml": {"unsafe_load", "full_load"},
    "os": {"system", "popen"},
    "builtins": {"eval", "exec", "compile", "__import__"},
}
REQUIRED = {"allow_pickle": False, "trust_remote_code": False, "use_safetensors": True}
"""Arguments by which a library is kept from unpickling, or from running a repository's code, and their values."""
NEEDS = {
    "np.load": "allow_pickle",
    "AutoConfig.from_pretrained": "trust_remote_code",
    "AutoTokenizer.from_pretrained": "trust_remote_code",
    "network.from_pretrained": "use_safetensors",
}
SAFE_BY_ITSELF = {"PeftModel.from_pretrained": "trainables/models/adapters.py"}
"""Where the file in use is looked at first."""


def unsafe(tree: ast.AST) -> list[str]:
    """Calls and imports by which foreign data could become code, by line."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            given = {one.arg: one.value.value for one in node.keywords if isinstance(one.value, ast.Constant)}
            top, _, last = called.rpartition(".")
            needed = NEEDS.get(called)
            wrong = [name for name in REQUIRED if name in given and given[name] is not REQUIRED[name]]
            if (
                called.startswith("torch.hub.")
                or last in BANNED.get(top or "builtins", ())
                or wrong
                or given.get("shell") is True
                or (needed and needed not in given)
                or (last == "load" and top in ("numpy", "yaml", "joblib"))
                or (last == "from_pretrained" and not needed and called not in SAFE_BY_ITSELF)
            ):
                found.append(f"line {node.lineno}: {called}")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            found += [f"line {node.lineno}: {name}" for name in names if name.split(".")[0] in PICKLING]
            if isinstance(node, ast.ImportFrom):
                taken = BANNED.get(node.module or "", set()) & {alias.name for alias in node.names}
                found += [f"line {node.lineno}: {node.module}.{name}" for name in sorted(taken)]
    return found


@pytest.mark.parametrize("path", FILES, ids=name)
def test_nothing_is_unpickled_and_no_remote_code_is_run(path):
    assert unsafe(ast.parse(path.read_text())) == []
    allowed = [call for call, door in SAFE_BY_ITSELF.items() if door != name(path)]
    assert not any(call in path.read_text() for call in allowed)


@pytest.mark.parametrize(
    "line",
    [
        "torch.load(path)",
        "torch.hub.load(x)",
        "import pickle",
        "from joblib import load",
        "from torch import load",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "pandas.read_pickle(path)",
        "AutoTokenizer.from_pretrained(x)",
        "AutoConfig.from_pretrained(x, trust_remote_code=True)",
        "AutoModel.from_pretrained(x)",
        "network.from_pretrained(x, use_safetensors=False)",
        "load_dataset(x, trust_remote_code=True)",
        "yaml.load(x, Loader)",
        "subprocess.run(x, shell=True)",
        "eval(x)",
    ],
)
def test_what_could_run_foreign_code_is_found(line):
    assert unsafe(ast.parse(line))
