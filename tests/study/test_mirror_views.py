"""Do the ready-made views ask for what the runs hold, and do they fit into a tag?"""

import json

from study.mirror_views import address, views

TARGETS = ["xcopa", "udpos"]


def test_curves_have_a_log_axis_and_sizes_are_compared_target_by_target():
    scaling, sizes = (json.loads(views(TARGETS)[name]) for name in ("scaling", "sizes"))
    assert scaling["searchFilter"] == "tags.kind = 'scaling'" and sizes["searchFilter"] == "tags.kind = 'cell'"
    assert [(chart["metricKey"], chart["xAxisScaleType"]) for chart in scaling["compareRunCharts"]] == [
        ("score", "log"),
        ("gain", "log"),
    ]
    assert [chart["metricKey"] for chart in sizes["compareRunCharts"]] == ["xcopa", "udpos", "retention"]
    assert [key["groupByData"] for key in sizes["groupBy"]["groupByKeys"]] == ["size", "arm"]
    for view in (scaling, sizes):
        (section,) = view["compareRunSections"]
        assert {chart["metricSectionId"] for chart in view["compareRunCharts"]} == {section["uuid"]}


def test_a_view_of_all_targets_fits_into_a_tag():
    assert max(len(view) for view in views([f"target-{number:02}" for number in range(20)]).values()) < 5000


def test_an_address_has_no_filter_of_its_own():
    """MLflow leaves a shared view aside when the address filters or sorts."""
    assert address("http://host/#/experiments/1/runs", "sizes") == (
        "http://host/#/experiments/1/runs?compareRunsMode=CHART&viewStateShareKey=sizes"
    )
