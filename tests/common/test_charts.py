"""The geometry of column charts."""

from decimal import Decimal

import pytest

from common.charts import Datum, columns, tick


def _chart(*values, scale=str):
    data = [Datum(str(number), str(number), Decimal(value), f"{value}") for number, value in enumerate(values)]
    return columns("Sales", data, scale)


@pytest.mark.parametrize(
    ("highest", "lowest", "step"),
    [("58000", "0", "20000"), ("100", "0", "25"), ("0.9", "0", "0.25"), ("0", "-400", "100"), ("0", "0", "1")],
)
def test_lines_stand_at_round_numbers(highest, lowest, step):
    assert tick(Decimal(highest), Decimal(lowest)) == Decimal(step)


def test_columns_stand_on_zero_and_hang_from_it():
    up, nothing, down = _chart(100, 0, -100).columns
    assert (up.y, up.height, up.is_negative) == ("18.0", "70.0", False)
    assert nothing.height == "0.0"
    assert (down.y, down.height, down.is_negative) == ("88.0", "70.0", True)


def test_a_small_amount_is_still_seen():
    assert _chart(1_000_000, 1).columns[1].height == "2.0"


def test_the_scale_has_room_for_its_longest_label():
    assert (_chart(10).left, _chart(10).scale) == ("12.0%", "11.0%")
    french = _chart(60_000, scale=lambda value: f"{value / 1000:.0f} k $US")
    assert (french.left, french.columns[0].x) == ("17.6%", "32.432%")


def test_no_sale_is_an_empty_chart_not_an_error():
    assert len(_chart().lines) == 2
