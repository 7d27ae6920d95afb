"""The rulebook: every number of a guide, a law or an assumption, dated and cited. Read once.

`rules/data/*.toml` is what aggregators and laws publish; `rules/assumptions/*.toml` is what we
invented (capital, mandates, thresholds, prices) and print in every report.
"""

from __future__ import annotations

from poolhouse.rules.counties import county_limits
from poolhouse.rules.mortgage_rate import mortgage_rate_e7
from poolhouse.rules.rulebook import DEFAULT_EDITION, Rulebook, Value, load, system_parties

__all__ = ["DEFAULT_EDITION", "Rulebook", "Value", "county_limits", "load", "mortgage_rate_e7", "system_parties"]
