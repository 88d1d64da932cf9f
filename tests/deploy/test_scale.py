"""The plan for many sessions follows the figures that were measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tools.scale import BENCHMARKS, Assumptions, measured, plan, scale_page


def test_every_figure_is_found_in_the_benchmarks() -> None:
    figures = measured()
    assert 1 <= figures.sessions_per_core <= 50
    assert 20 <= figures.cpu_ms <= 500
    assert figures.session_mib < figures.server_mib


def test_a_row_that_is_gone_is_named() -> None:
    text = BENCHMARKS.read_text(encoding="utf-8").replace("ten JPEGs a second", "many JPEGs")
    with pytest.raises(ValueError, match="frame_kib"):
        measured(text)


def test_twice_as_many_sessions_need_twice_as_much() -> None:
    figures, given = measured(), Assumptions()
    one, two = (plan(figures, replace(given, sessions=n)) for n in (50_000, 100_000))
    assert two.servers == pytest.approx(2 * one.servers, rel=0.01)
    assert two.media_gbit == pytest.approx(2 * one.media_gbit)
    assert two.cells == pytest.approx(2 * one.cells, abs=1)


def test_no_database_writes_more_than_is_planned_for_and_servers_carry_all_sessions() -> None:
    figures, given = measured(), Assumptions()
    made = plan(figures, given)
    most = figures.transactions * given.database_speedup * given.database_use
    assert made.transactions_per_cell <= most
    assert made.servers * made.sessions_per_server >= given.sessions
    carried = figures.sessions_per_core * given.cores_per_server
    assert made.sessions_per_server <= carried * (1 - given.spare)


def test_a_session_that_costs_half_the_processor_time_costs_half_the_servers() -> None:
    figures, given = measured(), Assumptions()
    cheaper = replace(figures, sessions_per_core=2 * figures.sessions_per_core)
    assert plan(cheaper, given).servers == pytest.approx(plan(figures, given).servers / 2, rel=0.2)


def test_the_page_has_every_assumption() -> None:
    page = scale_page()
    for name in Assumptions.__dataclass_fields__:
        assert f"`--{name.replace('_', '-')}`" in page
