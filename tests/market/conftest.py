"""Books that many tests read; none of them writes to it: a year of queries, and a private pool with losses."""

from __future__ import annotations

from pathlib import Path

import pytest

import kit_market as kit
from poolhouse.market.market import Market


@pytest.fixture(scope="session")
def queried(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """About 720 real loans of all programs and a year of their months."""
    return kit.build(tmp_path_factory.mktemp("queried") / "book", kit.sample(70), 12, seed=3)


@pytest.fixture(scope="session")
def lossy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`kit.lossy`, built once."""
    return kit.lossy(tmp_path_factory.mktemp("private"))
