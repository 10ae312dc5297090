"""Charts drawn as SVG: what stands in every column is written here, where a template would look each of hundreds of values up."""

from collections.abc import Iterator

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from common.charts import Chart, Column

register = template.Library()

LINE = (
    '<line class="chart__line" x1="{0}" x2="100%" y1="{2}" y2="{2}"/><text x="{1}" y="{3}" text-anchor="end">{4}</text>'
)
BAR = '<rect class="chart__bar{}" x="{}" y="{}" width="{}" height="{}" rx="2"><title>{}</title></rect>'
TEXT = '<text{} x="{}" y="{}" text-anchor="middle">{}</text>'
WIDE, NARROW = SafeString(' class="wide-only"'), SafeString(' class="narrow-only"')
LABEL_Y, BELOW_Y = 176, 192


@register.simple_tag
def columns_of(chart: Chart) -> SafeString:
    """The lines and columns of a chart, for inside its `<svg>`."""
    lines = ((chart.left, chart.scale, one.y, one.text_y, one.label) for one in chart.lines)
    bars = (
        (" chart__bar--negative" if one.is_negative else "", one.x, one.y, one.width, one.height, one.datum.says)
        for one in chart.columns
    )
    texts = (text for one in chart.columns for text in _texts(one))
    return format_html(
        "{}{}{}",
        format_html_join("\n", LINE, lines),
        format_html_join("\n", BAR, bars),
        format_html_join("\n", TEXT, texts),
    )


def _texts(column: Column) -> Iterator[tuple[str, str, int, str]]:
    """Under the axis: the label, on narrow screens the short one where there is one, and the second line."""
    datum = column.datum
    if datum.label == datum.short_label:
        yield "", column.middle, LABEL_Y, datum.label
    else:
        yield WIDE, column.middle, LABEL_Y, datum.label
        yield NARROW, column.middle, LABEL_Y, datum.short_label
    if datum.below:
        yield "", column.middle, BELOW_Y, datum.below
