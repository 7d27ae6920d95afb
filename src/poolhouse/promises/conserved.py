"""2, Conserved: every cent that comes in for a loan goes out, or is still held for it.

Each month, for each pool and each owner of loans outside pools:

    payments accepted - refunds, claims, the buyer's money, advances, guaranty, the servicer's make-up
      = what the pool's register received, or the owner got + guaranty fee + servicing + advances repaid
      + what is held more than before

and the same against the bank: the postings of each servicer's custodial cash, of the trusts' and the
holders' cash, of guarantors' and insurers' cash; and the custodial balance again by what it is made of.
Postings have no pool, so bank and loans meet by servicer; the composition joins the two.
"""

from __future__ import annotations

import polars as pl

from poolhouse.dates import month_name
from poolhouse.promises.evidence import Evidence, PartMonth, amount, trusts
from poolhouse.promises.sums import Sums
from poolhouse.promises.tally import Tally, beside


def conserved_loans(view: PartMonth, evidence: Evidence) -> Tally:
    """A fact per payment (its loan is there to take it), per loan that owed or held money, and per buyout."""
    tally = Tally()
    orphans = view.payments.filter(pl.col("disposition") != "exception").join(
        view.rows.select("loan_id", row=pl.lit(True)), on="loan_id", how="left", maintain_order="left"
    )
    tally.expect(
        orphans, pl.col("row").is_not_null(),
        lambda r: f"{view.name}, {evidence.loan(r['loan_id'])}: payment {r['reference']} of {amount(r['amount_cents'])} was "
        "accepted; expected a row of the loan that takes it, found none",
    )  # fmt: skip
    tally.checked += view.rows.height
    tally.expect(
        view.gone, pl.lit(False),
        lambda r: f"{view.name}, {evidence.loan(r['loan_id'])}: owed money or had {amount(r['held_cents'])} in custody the month "
        "before; expected a row, found none",
    )  # fmt: skip
    bought = evidence.assignments.filter(
        (pl.col("role") == "owner") & (pl.col("reason") == "buyout")
        & (pl.col("effective_date").dt.year() * 12 + pl.col("effective_date").dt.month() - 1 == view.month)
    ).select("loan_id", "consideration_cents")  # fmt: skip
    tally.expect(
        view.rows.join(bought, on="loan_id"), pl.col("buyout_cents") == pl.col("consideration_cents"),
        lambda r: f"{view.name}, {evidence.loan(r['loan_id'])}: bought out for {amount(r['consideration_cents'])} by the assignment; "
        f"found {amount(r['buyout_cents'])} paid in",
    )  # fmt: skip
    return tally


class Conserved:
    """Custodial balances carried from month to month; months are given in order."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._custody = pl.DataFrame(schema={"party_id": pl.Int32, "bank_cents": pl.Int64})

    def month(self, month: int, sums: Sums, evidence: Evidence) -> None:
        """Facts per pool and owner, per servicer, and per posting of cash of the month."""
        book, name = evidence.book, month_name(month)
        register = book.segment("pool_months", month)
        holders = book.segment("holder_months", month)
        factors = book.segment("pool_factors", month)
        lines = evidence.month_lines[month]
        self._groups(name, sums, register, evidence)
        self._servicers(name, sums, lines, evidence)
        self._receipts(name, sums, lines, evidence)
        self._trusts(name, register, holders, factors, lines, evidence)
        for kind, mine, party in (
            ("FeesDrafted", sums.fees, "guaranty fees of guarantor"),
            ("ClaimsPaid", sums.servicers, "claims at"),
        ):
            column = "fee_cents" if kind == "FeesDrafted" else "claim_cents"
            account = "cash" if kind == "FeesDrafted" else "custodial_cash"
            posted = _posted(lines.filter((pl.col("kind") == kind) & (pl.col("account") == account)), ["party_id"])
            wanted = mine.select("party_id", wanted_cents=column)
            self._same(beside(posted, wanted, ["party_id"]), name, f"{party} {{}}", evidence)

    def _groups(self, name: str, sums: Sums, register: pl.DataFrame, evidence: Evidence) -> None:
        received = register.group_by("pool_id").agg(received_cents=pl.col("received_cents").sum()).with_columns(
            owner_id=pl.lit(0, pl.Int32)
        )  # fmt: skip
        facts = beside(sums.flows, received, ["pool_id", "owner_id"]).with_columns(
            uses=pl.col("received_cents") + pl.col("to_others_cents") + pl.col("held_more_cents")
        )
        self.tally.expect(
            facts, pl.col("sources_cents") == pl.col("uses"),
            lambda r: f"{name}, {_whose(r, evidence)}: sources {amount(r['sources_cents'])}; expected "
            f"{amount(r['uses'])} = {amount(r['received_cents'])} to the pool + {amount(r['to_others_cents'])} to owner, guarantor and "
            f"servicer + {amount(r['held_more_cents'])} held more",
        )  # fmt: skip

    def _servicers(self, name: str, sums: Sums, lines: pl.DataFrame, evidence: Evidence) -> None:
        """Bank postings of custodial cash against what moved for the loans, and against what is held for them."""
        bank = (
            lines.filter(pl.col("account") == "custodial_cash")
            .group_by("party_id")
            .agg(moved_bank=pl.col("cents").sum())
        )
        facts = beside(bank, sums.servicers, ["party_id"]).with_columns(
            wanted_cents=pl.col("moved_cents") + pl.col("transferred_cents")
        )
        self.tally.expect(
            facts, pl.col("moved_bank") == pl.col("wanted_cents"),
            lambda r: f"{name}, custodial cash of {evidence.party(r['party_id'])}: changed by {amount(r['moved_bank'])} in the ledger; "
            f"expected {amount(r['wanted_cents'])}, sources less uses of its loans",
        )  # fmt: skip
        moved = bank.select("party_id", bank_cents="moved_bank")
        self._custody = pl.concat([self._custody, moved]).group_by("party_id").sum().filter(pl.col("bank_cents") != 0)
        self.tally.expect(
            beside(self._custody, sums.servicers, ["party_id"]), pl.col("bank_cents") == pl.col("custody_cents"),
            lambda r: f"{name}, custodial cash of {evidence.party(r['party_id'])}: {amount(r['bank_cents'])} in the ledger; expected "
            f"{amount(r['custody_cents'])} by composition (prepaid, suspense, pending)",
        )  # fmt: skip

    def _receipts(self, name: str, sums: Sums, lines: pl.DataFrame, evidence: Evidence) -> None:
        keys = ["party_id", "value_date"]
        banked = lines.filter((pl.col("kind") == "PaymentsReceived") & (pl.col("account") == "custodial_cash"))
        wanted = sums.receipts.select(*keys, wanted_cents="accepted_cents")
        self._same(beside(_posted(banked, keys), wanted, keys), name, "payments received by {}", evidence)

    def _trusts(
        self, name: str, register: pl.DataFrame, holders: pl.DataFrame, factors: pl.DataFrame, lines: pl.DataFrame,
        evidence: Evidence,
    ) -> None:  # fmt: skip
        """The trusts' cash, each holder's cash, and the three registers of what went through a pool."""
        paid = holders.with_columns(cash=pl.col("principal_cents") + pl.col("interest_cents"))
        left = int(register["received_cents"].sum()) - int(paid["cash"].sum())
        bank = int(lines.filter((pl.col("party_id") == trusts()) & (pl.col("account") == "cash"))["cents"].sum())
        self.tally.fact(
            left == bank,
            lambda: (
                f"{name}, the trusts' cash: changed by {amount(bank)} in the ledger; expected {amount(left)}, received less paid"
            ),
        )
        keys = ["party_id", "value_date"]
        banked = lines.filter(
            (pl.col("kind") == "HoldersPaid") & (pl.col("account") == "cash") & (pl.col("party_id") != trusts())
        )
        wanted = paid.group_by(party_id="holder_id", value_date="pay_date").agg(wanted_cents=pl.col("cash").sum())
        self._same(beside(_posted(banked, keys), wanted, keys), name, "payments to holder {}", evidence)
        by_pool = paid.group_by(pool_id="security_id").agg(got_cents=pl.col("cash").sum())
        received = register.group_by("pool_id").agg(sent_cents=pl.col("received_cents").sum())
        facts = beside(
            factors.select("pool_id", "received_cents", "paid_cents"),
            beside(by_pool, received, ["pool_id"]),
            ["pool_id"],
        )
        self.tally.expect(
            facts, (pl.col("received_cents") == pl.col("sent_cents")) & (pl.col("paid_cents") == pl.col("got_cents")),
            lambda r: f"{name}, {evidence.pool(r['pool_id'])}: received {amount(r['received_cents'])} and paid {amount(r['paid_cents'])}; "
            f"expected {amount(r['sent_cents'])} remitted and {amount(r['got_cents'])} in the holders' register",
        )  # fmt: skip

    def _same(self, facts: pl.DataFrame, name: str, what: str, evidence: Evidence) -> None:
        self.tally.expect(
            facts, pl.col("posted_cents") == pl.col("wanted_cents"),
            lambda r: f"{name}, {what.format(evidence.party(r['party_id']))}{_on(r)}: expected {amount(r['wanted_cents'])}, found "
            f"{amount(r['posted_cents'])} in the ledger",
        )  # fmt: skip


def _posted(lines: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    return lines.group_by(keys).agg(posted_cents=pl.col("cents").sum())


def _on(row: dict[str, object]) -> str:
    return f" on {row['value_date']}" if "value_date" in row else ""


def _whose(row: dict[str, int], evidence: Evidence) -> str:
    return evidence.pool(row["pool_id"]) if row["pool_id"] else f"whole loans of {evidence.party(row['owner_id'])}"
