"""What `fit prepayment` answers, made small: for tests of how it is shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from poolhouse.valuation import prepayment_model

_SPEEDS = {"actual_cpr": 8.2, "predicted_cpr": 7.9, "low_cpr": 6.5, "high_cpr": 9.4}


def answer() -> dict[str, Any]:
    """Two months, one parameter estimated and one held."""
    row = {"loan_months": 400, "actual": 20, "predicted": 19.3, **_SPEEDS}
    return {
        "loans": 450, "loan_months": 800, "prepayments": 40, "months": ["2009-01", "2009-02"],
        "left_out": {"delinquent_loan_months": 12}, "split": "time", "holdout": 0.25, "lag_months": 2,
        "parameters": [
            {"name": "turnover", "meaning": "turnover, % a year", "estimate": 5.1, "standard_error": 0.7, "low": 3.9,
             "high": 6.7, "clustered_error": 1.4, "clustered_low": 2.9, "clustered_high": 8.8,
             "assumed": 6.5, "held": ""},
            {"name": "lock_in", "meaning": "turnover lost", "estimate": 0.5, "standard_error": None, "low": None,
             "high": None, "clustered_error": None, "clustered_low": None, "clustered_high": None, "assumed": 0.5,
             "held": "the data say too little of it"},
        ],
        "curtailment": {"estimate": 0.18, "standard_error": 0.01, "clustered_error": 0.03},
        "buyout": {"estimate": None, "standard_error": None, "clustered_error": None}, "month_shock": 0.123,
        "log_likelihood": -170.5, "explained": 0.05,
        "out_of_sample": {"loan_months": 400, "actual": 20, "predicted": 19.3, "actual_over_predicted": 1.036,
                          "standard_error": 4.5, "deviations": 0.16, "clustered_error": 7.0,
                          "clustered_deviations": 0.1},
        "by_month": [{"month": "2009-01", "tried": False, **row}, {"month": "2009-02", "tried": True, **row}],
        "by_incentive": [{"incentive": -0.125, "tried": False, **row}, {"incentive": 0.625, "tried": True, **row}],
        "model": {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(prepayment_model()).items()},
        "s_curve": [{"incentive": x / 4, "cpr": 7.0 + x} for x in range(8)],
        "notes": ["lock_in stays at 0.5: the data say too little of it"],
    }  # fmt: skip
