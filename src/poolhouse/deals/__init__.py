"""Deals: securities cut from pools. A deal is data, its waterfall a list of rules out of a closed vocabulary.

`parse` reads a deal's TOML with `reading`, `vocabulary`, `schedules` and `checks`; `principal_rules` and `credit_rules`
are the rules as a prospectus states them; `deal` runs the months over `trust`, the only place where money moves;
`classes` knows rates, `collateral` what comes in, `measures` what each class is worth; `on_paths` runs a deal on each
path of rates. Amounts are whole cents.
"""

from poolhouse.deals.deal import Deal, Life, PaymentDate, Run, State, months_of, opened, run, step
from poolhouse.deals.parse import parse

__all__ = ["Deal", "Life", "PaymentDate", "Run", "State", "months_of", "opened", "parse", "run", "step"]
