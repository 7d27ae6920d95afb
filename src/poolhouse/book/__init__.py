"""The book: lock, record (SQL), segments (Parquet), commit. Knows no mortgage.

Everything one market knows, in a folder or a team's database. See `Book` for reading and
`writer.Txn` for what a command does.
"""

from __future__ import annotations

from poolhouse.book.book import Book
from poolhouse.book.canon import canonical_hash
from poolhouse.book.check import Problem, Report
from poolhouse.book.reader import SegmentRow
from poolhouse.book.segments import PART_ROWS
from poolhouse.book.writer import Txn

__all__ = ["PART_ROWS", "Book", "Problem", "Report", "SegmentRow", "Txn", "canonical_hash"]
