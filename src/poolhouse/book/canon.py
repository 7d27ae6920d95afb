"""The canonical form of what is hashed: JSON bodies and the values of a table.

Two books with the same facts must have the same hashes, whatever wrote their files. So a table is
hashed by its values alone, column by column in name order, and never by its Parquet bytes; a body
is hashed as JSON with sorted keys and without floats, whose text differs between writers.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import polars as pl
from blake3 import blake3


def canonical_json(value: Any) -> str:
    """The one text of a JSON value: sorted keys, no spaces, no floats. TypeError names what can't be."""
    _refuse_inexact(value, "body")
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _refuse_inexact(value: Any, where: str) -> None:
    if value is None or isinstance(value, str | bool | int):
        return
    if isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str):
                raise TypeError(f"{where}: the key {name!r} is {type(name).__name__}, keys are text")
            _refuse_inexact(item, f"{where}.{name}")
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            _refuse_inexact(item, f"{where}[{i}]")
    else:
        raise TypeError(f"{where}: {value!r} is {type(value).__name__}; only text, whole numbers, true/false, lists")


def sha256_text(text: str) -> str:
    """SHA-256 of the text's UTF-8 bytes, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


_FIXED: dict[pl.DataType, str] = {
    pl.Int8(): "<i1", pl.Int16(): "<i2", pl.Int32(): "<i4", pl.Int64(): "<i8", pl.UInt8(): "<u1", pl.UInt16(): "<u2",
    pl.UInt32(): "<u4", pl.UInt64(): "<u8",
}  # fmt: skip


def canonical_hash(frame: pl.DataFrame, key: tuple[str, ...] = ()) -> str:
    """BLAKE3 of a table's values, in hex.

    Rows count in the order given, or sorted by `key`; columns by name, so their order doesn't count.
    Per column: its name, type, rows and nulls, then which rows are null (if any are), then the values
    as little-endian bytes (text: byte lengths, then all bytes), nulls as zero. Parquet settings,
    chunks and what lies under a null don't count. Floats, categoricals and nested columns: TypeError.
    """
    if key:
        frame = frame.sort(key)
    hasher = blake3()
    hasher.update(_header([frame.height, frame.width]))
    for name in sorted(frame.columns):
        _hash_column(hasher, frame[name])
    return hasher.hexdigest()


def _hash_column(hasher: blake3, column: pl.Series) -> None:
    nulls = column.null_count()
    hasher.update(_header([column.name, str(column.dtype), nulls]))
    if nulls:
        hasher.update(_raw(np.packbits(column.is_null().to_numpy()), "<u1"))
    dtype = column.dtype
    if dtype == pl.String:
        text = column.fill_null("") if nulls else column
        hasher.update(_raw(text.str.len_bytes().to_numpy(), "<u4"))
        hasher.update(text.str.join("").item().encode())
        return
    if dtype == pl.Date:
        column, dtype = column.cast(pl.Int32), pl.Int32()
    elif dtype == pl.Boolean:
        column, dtype = column.cast(pl.UInt8), pl.UInt8()
    if dtype not in _FIXED:
        raise TypeError(
            f"column {column.name}: {column.dtype} has no canonical form; use integers, text, dates, true/false"
        )
    hasher.update(_raw((column.fill_null(0) if nulls else column).to_numpy(), _FIXED[dtype]))


def _raw(values: Any, dtype: str) -> Any:
    return np.ascontiguousarray(values).astype(dtype, copy=False).view(np.uint8)


def _header(fields: list[Any]) -> bytes:
    # the length in front keeps one column's bytes from being read as the next one's header
    text = json.dumps(fields).encode()
    return len(text).to_bytes(4, "little") + text
