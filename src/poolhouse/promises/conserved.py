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

from poolhouse.promises.evidence import Evidence, PartMonth, index, trusts
from poolhouse.promises.sums import Sums
from poolhouse.promises.tally import Tally, beside


def conserved_loans(view: PartMonth, evidence: Evidence) -> Tally:
    """A fact per payment (its loan is there to take it), per loan that owed or held money, and per buyout."""
    tally = Tally()
    accepted = view.payments.filter(pl.col("disposition") != "exception").join(
        view.rows.select("loan_id", row=pl.lit(True)), on="loan_id", how="left", maintain_order="left"
    )
    tally.expect(
        accepted,
        pl.col("row").is_not_null(),
        evidence.say(
            "{m:month}, {loan_id:loan}: payment {reference} of {amount_cents:cents} was accepted, expected a row "
            "of the loan that "
            "takes it, found none",
            m=view.month,
        ),
    )
    tally.checked += view.rows.height
    tally.expect(
        view.gone,
        pl.lit(False),
        evidence.say(
            "{m:month}, {loan_id:loan}: owed money the month before or had {held_cents:cents} in custody, "
            "expected a row, found none",
            m=view.month,
        ),
    )
    bought = evidence.assignments.filter(
        (pl.col("role") == "owner") & (pl.col("reason") == "buyout") & (index("effective_date") == view.month)
    ).select("loan_id", "consideration_cents")
    tally.expect(
        view.rows.join(bought, on="loan_id", maintain_order="left"),
        pl.col("buyout_cents") == pl.col("consideration_cents"),
        evidence.say(
            "{m:month}, {loan_id:loan}: bought out, expected {consideration_cents:cents} by the assignment, found "
            "{buyout_cents:cents} paid in",
            m=view.month,
        ),
    )
    return tally


class Conserved:
    """Custodial balances carried from month to month; months are given in order."""

    def __init__(self, evidence: Evidence) -> None:
        self.tally = Tally()
        self._evidence = evidence
        self._custody = pl.DataFrame(schema={"party_id": pl.Int32, "bank_cents": pl.Int64})

    def month(self, month: int, sums: Sums) -> None:
        """Facts per pool and owner, per servicer, and per posting of cash of the month."""
        book, lines = self._evidence.book, self._evidence.lines_of(month)
        register = book.segment("pool_months", month)
        self._groups(month, sums, register)
        self._custodial(month, sums, lines)
        self._registers(
            month, register, book.segment("holder_months", month), book.segment("pool_factors", month), lines
        )
        for kind, account, keys, wanted in (
            ("PaymentsReceived", "custodial_cash", ["party_id", "value_date"], sums.receipts),
            ("FeesDrafted", "cash", ["party_id"], sums.fees.rename({"fee_cents": "wanted_cents"})),
            (
                "ClaimsPaid",
                "custodial_cash",
                ["party_id"],
                sums.servicers.select("party_id", wanted_cents="claim_cents"),
            ),
        ):
            posted = lines.filter((pl.col("kind") == kind) & (pl.col("account") == account))
            self._posted(month, kind, posted, wanted, keys)

    def _groups(self, month: int, sums: Sums, register: pl.DataFrame) -> None:
        """By pool and by owner: what came in for the loans against what the registers say went out."""
        received = register.group_by("pool_id").agg(received_cents=pl.col("received_cents").sum())
        received = received.with_columns(owner_id=pl.lit(0, pl.Int32))
        facts = beside(sums.flows, received, ["pool_id", "owner_id"]).with_columns(
            uses=pl.col("received_cents") + pl.col("to_others_cents") + pl.col("held_more_cents")
        )
        text = (
            ": sources {sources_cents:cents}, expected {uses:cents} = {received_cents:cents} to the pool + "
            "{to_others_cents:cents} to owner, guarantor, servicer + {held_more_cents:cents} more held"
        )
        pooled = pl.col("pool_id") > 0
        same = pl.col("sources_cents") == pl.col("uses")
        say = self._evidence.say
        self.tally.expect(facts.filter(pooled), same, say("{m:month}, {pool_id:pool}" + text, m=month))
        self.tally.expect(
            facts.filter(~pooled), same, say("{m:month}, whole loans of {owner_id:party}" + text, m=month)
        )

    def _custodial(self, month: int, sums: Sums, lines: pl.DataFrame) -> None:
        """Bank postings of custodial cash against what moved for the loans, and against what is held for them."""
        say = self._evidence.say
        bank = (
            lines.filter(pl.col("account") == "custodial_cash")
            .group_by("party_id")
            .agg(bank_cents=pl.col("cents").sum())
        )
        facts = beside(bank, sums.servicers, ["party_id"])
        self.tally.expect(
            facts.with_columns(wanted=pl.col("moved_cents") + pl.col("transferred_cents")),
            pl.col("bank_cents") == pl.col("wanted"),
            say(
                "{m:month}, custodial cash of {party_id:party}: expected a change of {wanted:cents}, sources "
                "less uses of its "
                "loans, found {bank_cents:cents} in the ledger",
                m=month,
            ),
        )
        self._custody = pl.concat([self._custody, bank]).group_by("party_id").sum().filter(pl.col("bank_cents") != 0)
        self.tally.expect(
            beside(self._custody, sums.servicers, ["party_id"]),
            pl.col("bank_cents") == pl.col("custody_cents"),
            say(
                "{m:month}, custodial cash of {party_id:party}: expected {custody_cents:cents}, its loans' "
                "prepaid, suspense and "
                "pending money, found {bank_cents:cents} in the ledger",
                m=month,
            ),
        )

    def _registers(
        self, month: int, register: pl.DataFrame, holders: pl.DataFrame, factors: pl.DataFrame, lines: pl.DataFrame
    ) -> None:
        """The trusts' cash, each holder's cash, and the three registers of what went through a pool."""
        paid = holders.with_columns(cash=pl.col("principal_cents") + pl.col("interest_cents"))
        trust = (pl.col("party_id") == trusts()) & (pl.col("account") == "cash")
        left = int(register["received_cents"].sum()) - int(paid["cash"].sum())
        bank = int(lines.filter(trust)["cents"].sum())
        say = self._evidence.say(
            "{m:month}, the trusts' cash: expected a change of {left:cents}, received less paid, found "
            "{bank:cents} in the ledger",
            m=month, left=left, bank=bank,
        )  # fmt: skip
        self.tally.fact(left == bank, say)
        keys = ["party_id", "value_date"]
        banked = lines.filter((pl.col("kind") == "HoldersPaid") & (pl.col("account") == "cash") & ~trust)
        wanted = paid.group_by(party_id="holder_id", value_date="pay_date").agg(wanted_cents=pl.col("cash").sum())
        self._posted(month, "HoldersPaid", banked, wanted, keys)
        by_pool = self._evidence.by_pool(paid).group_by("pool_id").agg(got_cents=pl.col("cash").sum())
        sent = register.group_by("pool_id").agg(sent_cents=pl.col("received_cents").sum())
        facts = beside(by_pool, sent, ["pool_id"])
        facts = beside(factors.select("pool_id", "received_cents", "paid_cents"), facts, ["pool_id"])
        self.tally.expect(
            facts,
            (pl.col("received_cents") == pl.col("sent_cents")) & (pl.col("paid_cents") == pl.col("got_cents")),
            self._evidence.say(
                "{m:month}, {pool_id:pool}: expected {sent_cents:cents} received and {got_cents:cents} paid by "
                "remittances and "
                "holders' register, found {received_cents:cents} and {paid_cents:cents} with the factor",
                m=month,
            ),
        )

    def _posted(self, month: int, kind: str, lines: pl.DataFrame, wanted: pl.DataFrame, keys: list[str]) -> None:
        """Cash postings of one kind of event against the sums that they stand for."""
        posted = lines.group_by(keys).agg(posted_cents=pl.col("cents").sum())
        on = ", {value_date}" if "value_date" in keys else ""
        self.tally.expect(
            beside(posted, wanted, keys),
            pl.col("posted_cents") == pl.col("wanted_cents"),
            self._evidence.say(
                f"{{m:month}}, {{kind}}, {{party_id:party}}{on}: expected {{wanted_cents:cents}}, "
                "found {posted_cents:cents} in the ledger",
                m=month, kind=kind,
            ),
        )  # fmt: skip
