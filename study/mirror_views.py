"""Which views of a study does MLflow open ready-made? Scaling curves on a log axis, and cells compared by size.

MLflow keeps a shared view as a tag of the experiment, `mlflow.sharedViewState.<key>`, and opens it when its key
stands in the address (`viewStateShareKey`); what the view holds is the state of its runs page as JSON. Without such
a view the same charts are there, with a linear axis.

    address("http://127.0.0.1:5000/#/experiments/1/runs", "sizes")
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

TAG = "mlflow.sharedViewState."


def views(targets: Sequence[str]) -> dict[str, str]:
    """{name: JSON of the view}. Sizes are compared on every target by itself: means over targets would mix levels."""
    section = {"display": True, "isReordered": True, "deleted": False, "isGenerated": False}
    curves = [_chart("score", "score by parameters, log axis"), _chart("gain", "gain by parameters, log axis")]
    bars = [{**_card(name, name), "type": "BAR", "metricKey": name} for name in (*targets, "retention")]
    scaling: dict[str, Any] = {
        "searchFilter": _filter("scaling"),
        "compareRunSections": [{"uuid": "main", "name": "Scaling curves", **section}],
        "compareRunCharts": curves,
    }
    sizes: dict[str, Any] = {
        "searchFilter": _filter("cell"),
        "compareRunSections": [{"uuid": "main", "name": "Sizes and arms: means over seeds", **section}],
        "compareRunCharts": bars,
        "groupBy": {
            "aggregateFunction": "average",
            "groupByKeys": [{"mode": "tag", "groupByData": name} for name in ("size", "arm")],
        },
        "useGroupedValuesInCharts": True,
    }
    common = {"runsHiddenMode": "SHOW_ALL", "hideEmptyCharts": True, "isAccordionReordered": True}
    return {name: json.dumps({**common, **state}) for name, state in (("scaling", scaling), ("sizes", sizes))}


def address(page: str, name: str) -> str:
    """Address of a view; `page` is that of the experiment's runs. A filter in the address would switch it off."""
    return f"{page}?compareRunsMode=CHART&viewStateShareKey={name}"


def _filter(kind: str) -> str:
    return f"tags.kind = '{kind}'"


def _card(name: str, title: str) -> dict[str, Any]:
    return {"uuid": name, "metricSectionId": "main", "deleted": False, "isGenerated": False, "displayName": title}


def _chart(metric: str, title: str) -> dict[str, Any]:
    """A line chart of one metric over its steps, which are parameters."""
    return {
        **_card(metric, title),
        "type": "LINE",
        "metricKey": metric,
        "selectedMetricKeys": [metric],
        "xAxisKey": "step",
        "xAxisScaleType": "log",
        "scaleType": "linear",
        "lineSmoothness": 0,
        "displayPoints": True,
        "range": {},
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "useGlobalXaxisKey": False,
        "useGlobalLineSmoothing": True,
        "runsCountToCompare": 100,
    }
