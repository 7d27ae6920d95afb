"""A command's transaction: everything it says is committed in one SQL transaction, or nothing is.

Segments are written at once, each durably, and count only when the commit puts them into the
manifest. Killed before the commit: some orphan files. After it: the whole command. Never between.

What belongs to which event: segments and records given since the last event belong to the NEXT
event; what is left at `finish` belongs to the LAST one. Several threads may give segments; their
order doesn't count.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl
from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from poolhouse.book import record
from poolhouse.book.canon import canonical_hash, canonical_json, sha256_text
from poolhouse.book.chain import Draft, link, sorted_lines
from poolhouse.book.inbox import waiting
from poolhouse.book.lock import AdvisoryLock, FolderLock, Lock, actor, now
from poolhouse.book.orphans import collect_orphans
from poolhouse.book.place import Place
from poolhouse.book.reader import head
from poolhouse.book.segments import Written, arrange, fsync_folder, segment_path, write_segment
from poolhouse.book.storage import storage_refused
from poolhouse.findings import Refused
from poolhouse.tables import RECORDS


class Txn:
    """One command on one book, used as a `with` block. Made by `Book.command`."""

    def __init__(
        self,
        at: Place,
        engine: Engine,
        name: str,
        key: str,
        body: dict[str, Any],
        tables: Mapping[str, pl.DataFrame],
        *,
        collect: bool,
    ) -> None:
        self.replayed: dict[str, Any] | None = None
        """The stored answer when this key and body were committed before: return it, do nothing else."""
        self._place, self._name, self._key = at, name, key
        inputs = {name: canonical_hash(frame) for name, frame in tables.items()}
        self._body_sha256 = sha256_text(canonical_json({"name": name, "body": body, "tables": inputs}))
        self._engine, self._collect = engine, collect
        self._stack = ExitStack()
        self._guard = threading.Lock()
        self._drafts: list[Draft] = []
        self._segments: list[Written] = []
        self._records: dict[str, pl.DataFrame] = {}
        self._taken: list[int] = []
        self._new_files: list[Path] = []
        self._folders: set[Path] = set()
        self._open = self._committing = False

    def __enter__(self) -> Self:
        with storage_refused(self._name), ExitStack() as stack:
            self._connection = stack.enter_context(self._engine.connect())
            self.replayed = self._stored_answer()
            if self.replayed is None:
                lock: Lock = FolderLock(self._place.folder) if self._place.is_folder else AdvisoryLock(self._connection)
                lock.acquire(self._name)
                stack.callback(lock.release)
                self.replayed = self._stored_answer()  # it may have been committed while we came for the lock
                with self._connection.begin():
                    self._seq, self._head = head(self._connection)
                    if self._collect:
                        collect_orphans(self._place.folder, self._connection)
            self._stack = stack.pop_all()
        self._open = self.replayed is None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._open = False
        with self._stack:
            if not self._committing:  # once it began, a commit may have succeeded whatever was raised after it
                for path in self._new_files:  # ours alone: the lock is still held and no manifest row names them
                    path.unlink(missing_ok=True)

    def _stored_answer(self) -> dict[str, Any] | None:
        c = record.COMMANDS.c
        with self._connection.begin():
            query = select(c.name, c.body_sha256, c.answer).where(c.key == self._key)
            found = self._connection.execute(query).first()
        if found is None:
            return None
        if found[1] != self._body_sha256:
            raise Refused(
                f"{self._name}: the key {self._key!r} was used by {found[0]} with other inputs; "
                "what is committed is never changed"
            )
        answer: dict[str, Any] = json.loads(found[2])
        return answer

    def segment(self, table: str, frame: pl.DataFrame, *, month: int, part: int = 0) -> str:
        """Write rows of a segment table, durably, and give their content hash. Threads may call it.

        TypeError or ValueError when the frame breaks its contract; Refused when the disk is full.
        """
        self._must_be_open()
        with storage_refused(self._name):
            written = write_segment(self._place.folder, table, frame, month, part)
        path = segment_path(self._place.folder, table, month, written.sha256)
        with self._guard:
            self._segments.append(written)
            self._folders.add(path.parent)
            if written.is_new:
                self._new_files.append(path)
        return written.content_hash

    def record(self, table: str, frame: pl.DataFrame) -> None:
        """Add rows to a record table. Rows are only ever added: a key that is there already is refused at `finish`."""
        self._must_be_open()
        if table not in RECORDS:
            raise ValueError(f"no record table {table!r}; there are {', '.join(sorted(RECORDS))}")
        if table in self._records:
            frame = pl.concat([self._records[table], frame])
        self._records[table] = arrange(RECORDS[table], frame)

    def event(self, kind: str, market_date: date, body: dict[str, Any], lines: pl.DataFrame | None = None) -> int:
        """Say that something happened; gives its number. `lines`: party_id i32, account, value_date, cents i64."""
        self._must_be_open()
        canonical_json(body)
        draft = Draft(self._seq + len(self._drafts) + 1, kind, market_date, body, sorted_lines(lines))
        self._attach(draft)
        self._drafts.append(draft)
        return draft.seq

    def _attach(self, draft: Draft) -> None:
        with self._guard:
            draft.segments += self._segments
            self._segments = []
        for table, frame in self._records.items():
            earlier = [draft.records[table]] if table in draft.records else []
            draft.records[table] = arrange(RECORDS[table], pl.concat([*earlier, frame]))
        self._records = {}

    def inbox_take(self, kind: str) -> list[dict[str, Any]]:
        """Facts of that kind still waiting, oldest first, each with its `key`; this commit takes them out."""
        self._must_be_open()
        i = record.INBOX.c
        query = select(i.number, i.key, i.body).where(i.kind == kind, i.event_seq.is_(None)).order_by(i.number)
        with self._connection.begin():
            found = [r for r in self._connection.execute(query).fetchall() if r[0] not in self._taken]
        self._taken += [r[0] for r in found]
        return waiting([(r[1], r[2]) for r in found])

    def finish(self, answer: dict[str, Any], market_date: date) -> None:
        """Commit: events, lines, records, manifest, answer and the book's new clock, in one transaction."""
        self._must_be_open()
        self._open = False
        if not self._drafts and (self._segments or self._records or self._taken):
            raise ValueError(f"{self._name}: segments, records or inbox facts without an event to carry them")
        if self._drafts:
            self._attach(self._drafts[-1])
            self._drafts[-1].clock = market_date
        text = json.dumps(answer, sort_keys=True)
        with storage_refused(self._name):
            self._fsync_folders()
            self._committing = True
            with self._connection.begin():
                if head(self._connection) != (self._seq, self._head):
                    raise Refused(
                        f"{self._name}: another writer committed meanwhile; nothing was changed, run it again"
                    )
                self._insert_events(self._connection)
                self._insert_command(self._connection, text, market_date)

    def _fsync_folders(self) -> None:
        above = {parent for folder in self._folders for parent in (folder.parent, folder.parent.parent)}
        for folder in sorted(self._folders | above):
            fsync_folder(folder)

    def _insert_events(self, connection: Connection) -> None:
        events: list[dict[str, Any]] = []
        manifest: list[dict[str, Any]] = []
        prev = self._head
        for draft in self._drafts:
            stored = draft.envelope()
            this = link(prev, stored)
            events.append(
                {"seq": draft.seq, "kind": draft.kind, "market_date": draft.market_date, "stored": stored,
                 "prev_hash": prev, "hash": this}
            )  # fmt: skip
            manifest += [
                {**s.entry(), "event_seq": draft.seq, "number": i, "sha256": s.sha256}
                for i, s in enumerate(draft.segments, 1)
            ]
            prev = this
        if events:
            connection.execute(insert(record.EVENTS), events)
        if manifest:
            connection.execute(insert(record.SEGMENTS), manifest)
        self._insert_frames(connection)
        if self._taken:
            taken = update(record.INBOX).where(record.INBOX.c.number.in_(self._taken))
            connection.execute(taken.values(event_seq=self._drafts[-1].seq))

    def _insert_frames(self, connection: Connection) -> None:
        lines = [
            d.lines.with_row_index("line", offset=1).with_columns(pl.lit(d.seq).alias("event_seq"))
            for d in self._drafts
        ]
        if lines:
            record.insert_frame(connection, record.LINES, pl.concat(lines))
        for draft in self._drafts:
            for table, frame in draft.records.items():
                carried = frame.with_columns(pl.lit(draft.seq).alias("event_seq"))
                try:
                    record.insert_frame(connection, record.RECORD_TABLES[table], carried)
                except IntegrityError as error:
                    raise ValueError(f"{table}: a row's key is in the book already ({error.orig})") from error

    def _insert_command(self, connection: Connection, answer: str, market_date: date) -> None:
        c = record.COMMANDS.c
        last = connection.execute(select(c.number).order_by(c.number.desc()).limit(1)).scalar()
        connection.execute(
            insert(record.COMMANDS).values(
                number=(last or 0) + 1, key=self._key, name=self._name, body_sha256=self._body_sha256, answer=answer,
                answer_sha256=sha256_text(answer), market_date=market_date, first_seq=self._seq + 1,
                last_seq=self._seq + len(self._drafts), recorded_at=now(), actor=actor(),
            )
        )  # fmt: skip

    def _must_be_open(self) -> None:
        if not self._open:
            raise ValueError(f"{self._name}: not inside an open command (replayed, finished or left)")
