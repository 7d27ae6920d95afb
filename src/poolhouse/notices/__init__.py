"""Notices to borrowers: who must be told of a new owner or servicer, by when, and the letters themselves."""

from __future__ import annotations

from poolhouse.notices.deadlines import due
from poolhouse.notices.letters import letter

__all__ = ["due", "letter"]
