"""A book of one year that many tests of queries read; none of them writes to it."""

from __future__ import annotations

import pytest

import kit_market as kit
from poolhouse.market.market import Market


@pytest.fixture(scope="session")
def queried(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """About 720 real loans of all programs and a year of their months."""
    return kit.build(tmp_path_factory.mktemp("queried") / "book", kit.sample(70), 12, seed=3)
