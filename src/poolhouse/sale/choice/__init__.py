"""Best execution of a tape: offers become options of pools, rules and agreements limits, and the optimiser chooses."""

from __future__ import annotations

from poolhouse.sale.choice.choosing import Choice, choose
from poolhouse.sale.choice.limits import Rules, rules_of, with_rule

__all__ = ["Choice", "Rules", "choose", "rules_of", "with_rule"]
