"""Reading what the bank sends, without a database: both kinds, any version, and what is refused."""

from datetime import date
from decimal import Decimal

import pytest

from payouts.bank_status import Kind, Notice, Outcome, StatusFileError, read

D = Decimal

PAIN = (
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"><CstmrPmtStsRpt><GrpHdr><MsgId>M1</MsgId>'
    "<CreDtTm>2026-04-08T10:00:00+02:00</CreDtTm></GrpHdr>{group}{blocks}</CstmrPmtStsRpt></Document>"
)
GROUP = "<OrgnlGrpInfAndSts><OrgnlMsgId>O1</OrgnlMsgId>{inside}</OrgnlGrpInfAndSts>"


def pain(group: str, blocks: str = "", version: str = "10") -> tuple[Notice, ...]:
    found = read(PAIN.format(version=version, group=GROUP.format(inside=group), blocks=blocks).encode())
    assert (found.kind, found.message_id) == (Kind.PAIN_002, "M1")
    return found.notices


def camt(entries: str, version: str = "08") -> tuple[Notice, ...]:
    text = (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.{version}"><BkToCstmrDbtCdtNtfctn>'
        f"<GrpHdr><MsgId>C1</MsgId></GrpHdr><Ntfctn>{entries}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    )
    found = read(text.encode())
    assert (found.kind, found.message_id) == (Kind.CAMT_054, "C1")
    return found.notices


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("ACSC", "paid"), ("ACCC", "paid"), ("RJCT", "failed"), ("CANC", "failed"), ("ACCP", "under_way"),
     ("ACSP", "under_way"), ("PDNG", "under_way")],
)  # fmt: skip
@pytest.mark.parametrize("version", ["03", "10"])
def test_the_status_of_a_whole_order(status: str, outcome: str, version: str) -> None:
    inside = f"<OrgnlNbOfTxs>2</OrgnlNbOfTxs><OrgnlCtrlSum>30.00</OrgnlCtrlSum><GrpSts>{status}</GrpSts>"
    (notice,) = pain(inside, version=version)
    assert notice == Notice("", "O1", Outcome(outcome), D("30.00"), "", 2, date(2026, 4, 8))


def test_payments_speak_for_themselves_and_take_the_blocks_reason_where_they_have_none() -> None:
    block = (
        "<OrgnlPmtInfAndSts><OrgnlPmtInfId>B1</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts>"
        "<StsRsnInf><Rsn><Cd>AM04</Cd></Rsn><AddtlInf>No</AddtlInf><AddtlInf>cover</AddtlInf></StsRsnInf>"
        "<TxInfAndSts><OrgnlEndToEndId>E1</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>"
        '<AccptncDtTm>2026-04-07T09:00:00</AccptncDtTm><AcctSvcrRef>R1</AcctSvcrRef><OrgnlTxRef><Amt><InstdAmt Ccy="EUR">10.00'
        "</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>"
        "<TxInfAndSts><OrgnlEndToEndId>E2</OrgnlEndToEndId></TxInfAndSts>"
        "<TxInfAndSts><OrgnlEndToEndId>E3</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts></OrgnlPmtInfAndSts>"
    )
    assert pain("<GrpSts>PART</GrpSts>", block) == (
        Notice("E1", "O1", Outcome.FAILED, D("10.00"), "EUR", on=date(2026, 4, 7), reason="AC04", bank_reference="R1"),
        Notice("E2", "O1", Outcome.FAILED, on=date(2026, 4, 8), reason="AM04", text="No cover"),
        Notice("E3", "O1", Outcome.PAID, on=date(2026, 4, 8)),
    )


def test_a_block_without_payments_is_spoken_of_as_a_whole() -> None:
    block = "<OrgnlPmtInfAndSts><OrgnlPmtInfId>B1</OrgnlPmtInfId><PmtInfSts>ACSC</PmtInfSts></OrgnlPmtInfAndSts>"
    assert pain("", block) == (Notice("", "B1", Outcome.PAID, on=date(2026, 4, 8)),)


ENTRY = (
    '<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{reversal}<Sts>{status}</Sts>'
    "<BookgDt><Dt>2026-04-09</Dt></BookgDt><AcctSvcrRef>A1</AcctSvcrRef><NtryDtls>{details}</NtryDtls></Ntry>"
)
TX = "<TxDtls><Refs><EndToEndId>{id}</EndToEndId><AcctSvcrRef>T1</AcctSvcrRef></Refs>{more}</TxDtls>"


@pytest.mark.parametrize(
    ("side", "reversal", "status", "outcome"),
    [
        ("DBIT", "", "<Cd>BOOK</Cd>", "paid"),
        ("DBIT", "", "BOOK", "paid"),  # as versions before 08 write it
        ("DBIT", "", "<Cd>PDNG</Cd>", "under_way"),
        ("CRDT", "", "<Cd>BOOK</Cd>", "returned"),
        ("CRDT", "<RvslInd>true</RvslInd>", "<Cd>BOOK</Cd>", "returned"),
        ("DBIT", "<RvslInd>true</RvslInd>", "<Cd>BOOK</Cd>", "under_way"),
    ],
)
def test_a_booking(side: str, reversal: str, status: str, outcome: str) -> None:
    entry = ENTRY.format(
        amount="10.00", side=side, reversal=reversal, status=status, details=TX.format(id="E1", more="")
    )
    (notice,) = camt(entry)
    assert (notice.end_to_end_id, notice.outcome, notice.amount, notice.currency, notice.on, notice.bank_reference) == (
        "E1", Outcome(outcome), D("10.00"), "EUR", date(2026, 4, 9), "T1",
    )  # fmt: skip


def test_a_booking_of_several_gives_each_its_own_amount() -> None:
    rows = "".join(
        TX.format(id=name, more=f'<AmtDtls><TxAmt><Amt Ccy="EUR">{amount}</Amt></TxAmt></AmtDtls>')
        for name, amount in (("E1", "10.00"), ("E2", "20.00"))
    )
    found = camt(ENTRY.format(amount="30.00", side="DBIT", reversal="", status="BOOK", details=rows), version="02")
    assert [(one.end_to_end_id, one.amount) for one in found] == [("E1", D("10.00")), ("E2", D("20.00"))]


def test_a_return_has_its_reason() -> None:
    more = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>Closed in May</AddtlInf></RtrInf>"
    entry = ENTRY.format(amount="10", side="CRDT", reversal="", status="BOOK", details=TX.format(id="E1", more=more))
    (notice,) = camt(entry)
    assert (notice.outcome, notice.reason, notice.text) == (Outcome.RETURNED, "AC04", "Closed in May")


def test_an_order_booked_in_one_sum() -> None:
    details = "<Btch><PmtInfId>B1</PmtInfId><NbOfTxs>2</NbOfTxs></Btch>"
    (notice,) = camt(ENTRY.format(amount="30.00", side="DBIT", reversal="", status="BOOK", details=details))
    assert notice == Notice("", "B1", Outcome.PAID, D("30.00"), "EUR", 2, date(2026, 4, 9), bank_reference="A1")


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    "<Document><CstmrPmtStsRpt><GrpHdr><MsgId>&b;</MsgId></GrpHdr></CstmrPmtStsRpt></Document>"
)
OUTSIDE = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]><Document>&x;</Document>'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (LAUGHS, "declares_a_type"),
        (OUTSIDE, "declares_a_type"),
        ("<!DOCTYPE d><Document/>", "declares_a_type"),
        ("<Document>", "not_xml"),
        ("id;amount\n1;2", "not_xml"),
        ("", "not_xml"),
        ('<?xml version="1.0" encoding="nonsense"?><Document/>', "not_xml"),
        ('<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn/></Document>', "other_kind"),
        ("<Envelope/>", "other_kind"),
        (PAIN.format(version="10", group=GROUP.format(inside="<GrpSts>DONE</GrpSts>"), blocks=""), "unknown_status"),
        (PAIN.format(version="10", group=GROUP.format(inside="<OrgnlCtrlSum>x</OrgnlCtrlSum><GrpSts>ACSC</GrpSts>"), blocks=""), "not_an_amount"),
        (PAIN.format(version="10", group=GROUP.format(inside="<OrgnlNbOfTxs>x</OrgnlNbOfTxs><GrpSts>ACSC</GrpSts>"), blocks=""), "not_a_number"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, problem: str) -> None:
    with pytest.raises(StatusFileError) as refused:
        read(text.encode())
    assert refused.value.problem == problem
