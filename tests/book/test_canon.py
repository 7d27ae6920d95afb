"""The canonical hash: values count, and nothing else does."""

from __future__ import annotations

import io
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from book_samples import JANUARY, loan_months, rows_of
from poolhouse.book import canonical_hash
from poolhouse.book.canon import canonical_json

MIXED = pl.DataFrame(
    {
        "id": [1, 2, 3],
        "small": pl.Series([1, None, -3], dtype=pl.Int8),
        "key": pl.Series([2**63 + 5, 0, 7], dtype=pl.UInt64),
        "text": ["a", None, "long text that is no inline view: é"],
        "day": [date(2009, 1, 1), None, date(1900, 2, 28)],
        "flag": [True, None, False],
    }
)


def test_hash_is_fixed_for_all_time() -> None:
    # a constant: a Polars or NumPy release that changed a canonical byte would be seen here
    assert canonical_hash(MIXED) == "c9209ddbf93e2ec161c7e30d48685e328b52bc67e61272eb2823599424a63026"


def test_file_settings_chunks_and_column_order_do_not_count() -> None:
    frame = loan_months(JANUARY, range(1000))
    expected = canonical_hash(frame)
    for settings in (
        {"compression": "lz4"},
        {"compression": "uncompressed", "row_group_size": 77},
        {"statistics": False},
    ):
        buffer = io.BytesIO()
        frame.write_parquet(buffer, **settings)
        assert canonical_hash(pl.read_parquet(buffer.getvalue())) == expected
    assert canonical_hash(pl.concat([frame[:10], frame[10:11], frame[11:]], rechunk=False)) == expected
    assert canonical_hash(frame.select(sorted(frame.columns, reverse=True))) == expected
    assert canonical_hash(frame.sample(fraction=1, shuffle=True, seed=1), key=("loan_id",)) == expected


def test_what_lies_under_a_null_does_not_count() -> None:
    values = pl.DataFrame({"a": [1, 2, 3]}).with_columns(pl.when(pl.col("a") != 2).then("a"))
    assert canonical_hash(values) == canonical_hash(pl.DataFrame({"a": [1, None, 3]}))


@pytest.mark.parametrize(
    "other",
    [
        MIXED.with_columns(small=pl.Series([1, 0, -3], dtype=pl.Int8)),
        MIXED.with_columns(text=pl.Series(["a", "", "long text that is no inline view: é"])),
        MIXED.with_columns(small=pl.col("small").cast(pl.Int16)),
        MIXED.with_columns(flag=pl.col("flag").cast(pl.UInt8)),
        MIXED.with_columns(day=pl.col("day").cast(pl.Int32)),
        MIXED.rename({"text": "txet"}),
        MIXED.reverse(),
        MIXED[:2],
        MIXED.drop("flag"),
    ],
)
def test_any_change_of_values_counts(other: pl.DataFrame) -> None:
    assert canonical_hash(other) != canonical_hash(MIXED)


def test_texts_can_not_be_shifted_between_rows() -> None:
    assert canonical_hash(pl.DataFrame({"a": ["ab", "c"]})) != canonical_hash(pl.DataFrame({"a": ["a", "bc"]}))


@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=30), st.data())
def test_one_altered_value_alters_the_hash(values: list[int | None], data: st.DataObject) -> None:
    frame = pl.DataFrame({"v": pl.Series(values, dtype=pl.Int64)})
    i = data.draw(st.integers(0, len(values) - 1))
    values[i] = data.draw(st.integers(-(2**63), 2**63 - 1).filter(lambda v: v != values[i]))
    assert canonical_hash(pl.DataFrame({"v": pl.Series(values, dtype=pl.Int64)})) != canonical_hash(frame)


def test_every_contract_has_a_canonical_form() -> None:
    from poolhouse.tables import RECORDS, SEGMENTS

    hashes = {canonical_hash(rows_of(name, 5)) for name in SEGMENTS | RECORDS}
    empty = {canonical_hash(table.empty()) for table in (SEGMENTS | RECORDS).values()}
    assert len(hashes | empty) == 2 * len(SEGMENTS | RECORDS)


def test_floats_and_categoricals_are_refused() -> None:
    for column in (pl.Series([1.5]), pl.Series(["a"], dtype=pl.Categorical), pl.Series([[1]])):
        with pytest.raises(TypeError, match="no canonical form"):
            canonical_hash(pl.DataFrame({"x": column}))


def test_json_is_one_text_and_refuses_floats_by_their_place() -> None:
    assert canonical_json({"b": [1, True, None], "a": {"é": "x"}}) == '{"a":{"\\u00e9":"x"},"b":[1,true,null]}'
    with pytest.raises(TypeError, match=r"body\.a\[1\]\.c: 0\.5 is float"):
        canonical_json({"a": [1, {"c": 0.5}]})
    with pytest.raises(TypeError, match="keys are text"):
        canonical_json({1: 2})
    with pytest.raises(TypeError, match="date"):
        canonical_json({"d": date(2009, 1, 1)})
