"""Step 5, servicing: payments, delinquency, advances, remittance, buyouts, losses, transfers."""

from __future__ import annotations
