"""The audit of the pins: a known hole fails unless it is accepted with a reason, and silence is never called safe."""

from __future__ import annotations

import datetime

import pytest

from tests import audit

HOLE = {"id": "CVE-2026-1", "fix_versions": ["2.61.0"], "aliases": ["GHSA-x"]}
REPORT = {
    "dependencies": [
        {"name": "ray", "version": "2.60.0", "vulns": [HOLE]},
        {"name": "rich", "version": "15.0.0", "vulns": []},
    ],
    "fixes": [],
}
"""As pip-audit 2.10.1 writes it."""
WHY = {"package": "ray", "date": datetime.date(2026, 1, 31), "why": "it listens on loopback only"}


def test_a_hole_is_a_line_that_names_the_version_that_mends_it() -> None:
    assert audit.judge(REPORT, {}) == [
        "ray 2.60.0: CVE-2026-1 GHSA-x; raise the pin to 2.61.0, or accept it in tests/audit_accepted.yaml"
    ]


@pytest.mark.parametrize("name", ["CVE-2026-1", "GHSA-x"])
def test_an_accepted_hole_is_silent_by_any_of_its_names(name: str) -> None:
    assert audit.judge(REPORT, {name: WHY}) == []


def test_accepted_for_another_package_or_no_longer_there_is_told() -> None:
    lines = audit.judge(REPORT, {"CVE-2026-1": {**WHY, "package": "rich"}})
    assert lines[0].startswith("ray 2.60.0: CVE-2026-1") and "no longer there" in lines[1]


def test_what_the_database_does_not_know_is_not_called_safe() -> None:
    skipped = {"name": "ray", "skip_reason": "Dependency not found on PyPI and could not be audited: ray (2.60.0)"}
    with pytest.raises(audit.NotAudited, match=r"does not know 1 of the packages \(ray"):
        audit.judge({"dependencies": [skipped]}, {})
    assert len(audit.judge({"dependencies": [skipped, *REPORT["dependencies"]]}, {"CVE-2": WHY})) == 1


def test_without_the_database_one_line_says_so_and_nothing_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "PROBE", "http://127.0.0.1:1/pypi/ray/json")
    assert audit.main() == 0
    said = capsys.readouterr().out
    assert said.startswith("not audited: http://127.0.0.1:1") and said.count("\n") == 1


@pytest.mark.parametrize(
    "entry", ["{package: ray, why: it listens on loopback}", "{package: ray, date: 2026-01-31, why: because}"]
)
def test_an_entry_without_date_or_reason_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="CVE-1: "):
        audit.read_accepted(f"CVE-1: {entry}")


def test_the_list_that_is_there_can_be_read() -> None:
    audit.read_accepted(audit.ACCEPTED.read_text())
