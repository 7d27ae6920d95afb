"""Backup: the record first, then the segments it names.

In that order a backup is whole whatever is committed meanwhile: files are only ever added. It is
made beside its place and renamed when complete, so a backup that exists is a whole one. A
PostgreSQL book is backed up as a folder: an open book, anywhere, with no server.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from sqlalchemy import insert, select

from poolhouse.book import record
from poolhouse.book.place import place, writer_engine
from poolhouse.book.reader import Reader
from poolhouse.book.segments import fsync_folder, segment_path, write_durably
from poolhouse.findings import Refused

_BATCH = 10_000


def backup(book: Reader, to: Path) -> Path:
    """Copy a book to a new folder. Refused when there is something, or when a segment isn't what the record says."""
    to = to.expanduser().absolute()
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise Refused(f"{to}: there is something already; a backup goes to a new folder")
    temp = to.with_name(to.name + ".tmp")
    if temp.exists():
        shutil.rmtree(temp)  # of a backup that was killed
    temp.mkdir(parents=True)
    _copy_record(book, temp)
    _copy_segments(book, temp)
    if to.exists():
        to.rmdir()
    temp.rename(to)
    fsync_folder(to.parent)
    return to


def _copy_record(book: Reader, to: Path) -> None:
    target = writer_engine(place(to))
    with book._engine.begin() as source, target.begin() as copy:
        record.METADATA.create_all(copy)
        for table in record.METADATA.sorted_tables:
            for rows in source.execute(select(table)).partitions(_BATCH):
                copy.execute(insert(table), [dict(row._mapping) for row in rows])
    target.dispose()


def _copy_segments(book: Reader, to: Path) -> None:
    copied = Reader(place(to))
    folders = set()
    for row in copied.segment_rows():
        data = segment_path(book.folder, row.table, row.month, row.sha256).read_bytes()
        if hashlib.sha256(data).hexdigest() != row.sha256:
            raise Refused(f"segment {row.path.name} of {row.table} is not what the record says; run `verify`")
        write_durably(row.path, data)
        folders.add(row.path.parent)
    copied.close()
    for folder in sorted(folders):
        fsync_folder(folder)
