"""The hash of a tape's content: its values, not its file.

Rows in key order, columns in contract order; integers as 64-bit little-endian, texts as lengths
and UTF-8 bytes, nulls as a mask. CSV or Parquet, gzip or not: the same loans give the same hash.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from blake3 import blake3

from poolhouse.tables import Table


def content_hash(table: Table, frame: pl.DataFrame) -> str:
    """Hex hash of a conforming frame's values, whatever the order of its rows."""
    digest = blake3(frame.height.to_bytes(8, "little"))
    for column in frame.sort(table.key).select(list(table.schema)).iter_columns():
        known = column.is_not_null()
        digest.update(np.packbits(known.to_numpy()).tobytes())
        if column.dtype == pl.String:
            text = column.fill_null("")
            digest.update(text.str.len_bytes().to_numpy().astype("<i8").tobytes())
            digest.update(str(text.str.join("").item()).encode())
        else:
            kind = pl.UInt64 if column.dtype == pl.UInt64 else pl.Int64
            whole = column.cast(pl.Int32).cast(kind) if column.dtype == pl.Date else column.cast(kind)
            digest.update(whole.fill_null(0).to_numpy().astype("<u8" if kind == pl.UInt64 else "<i8").tobytes())
    return str(digest.hexdigest())
