"""From any chart to its drawing."""

from app.results.figures.charts import Chart, PanelChart, RowChart
from app.results.figures.drawings import Drawing
from app.results.figures.fourfold import fourfold
from app.results.figures.panels import panels
from app.results.figures.rows import rows


def laid_out(chart: Chart, *, narrow: bool = False) -> Drawing:
    """Return the drawing of a chart: for a page, or narrow for a phone."""
    if isinstance(chart, PanelChart):
        return panels(chart, narrow=narrow)
    if isinstance(chart, RowChart):
        return rows(chart, narrow=narrow)
    return fourfold(chart, narrow=narrow)
