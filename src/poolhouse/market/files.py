"""Users' small files: CSV or Parquet with a few named columns, all read as text."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from poolhouse.findings import Refused


def read_table(path: Path | str, columns: list[str]) -> pl.DataFrame:
    """The named columns as strings, rows in file order. Refused with one clear sentence otherwise."""
    path = Path(path)
    if not path.is_file():
        raise Refused(f"{path}: there is no such file")
    if not path.stat().st_size:
        raise Refused(f"{path}: the file is empty; it needs the columns {', '.join(columns)}")
    try:
        if path.read_bytes()[:4] == b"PAR1":
            frame = pl.read_parquet(path)
        else:
            frame = pl.read_csv(path, infer_schema=False, encoding="utf8")
    except (pl.exceptions.PolarsError, OSError, UnicodeError) as error:
        raise Refused(f"{path}: can't be read as CSV or Parquet: {str(error).splitlines()[0][:200]}") from error
    names = [c.strip().lower() for c in frame.columns]
    # Polars gives a repeated column this name.
    twice = [c for c in columns if names.count(c) > 1 or f"{c}_duplicated_0" in names]
    if twice:
        raise Refused(f"{path}: column {', '.join(twice)} stands twice; keep one of each")
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    missing = [c for c in columns if c not in frame.columns]
    if missing:
        raise Refused(f"{path}: column {', '.join(missing)} is missing; it needs {', '.join(columns)}")
    return frame.select(pl.col(c).cast(pl.String).fill_null("").str.strip_chars() for c in columns)
