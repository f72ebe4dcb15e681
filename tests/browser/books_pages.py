"""The pages of the books: what finance, auditors, heads and coordinators see of the money."""

from __future__ import annotations

from tests.browser.sights import Sight, Way, at, found, sent

FINANCE = "finance@demo.test"
SECOND = "finance2@demo.test"
ADMIN = "admin@demo.test"
HEAD = "head@demo.test"
COORDINATOR = "coordinator@demo.test"

#: The last month that is closed, and the one after it.
CLOSED = "SELECT to_char(max(month), 'YYYY-MM') FROM periods WHERE state = 'closed'"
OPEN = "SELECT to_char(max(month) + interval '1 month', 'YYYY-MM') FROM periods WHERE state = 'closed'"
#: A refund of a sale, in some state, with the number of its order.
REFUND = """SELECT r.id, o.number FROM refunds r JOIN orders o ON o.id = r.order_id
    WHERE r.state = '{}' AND r.reason <> 'paid_twice' ORDER BY r.id DESC LIMIT 1"""
#: A paid order of which nothing has gone back.
PAID = """SELECT o.number FROM orders o JOIN order_status s ON s.order_id = o.id
    WHERE s.status = 'paid' AND NOT EXISTS (SELECT FROM refunds r WHERE r.order_id = o.id) LIMIT 1"""
SETTLEMENT = "SELECT id FROM settlements WHERE state = '{}' ORDER BY id DESC LIMIT 1"
DEPOSIT = "SELECT id FROM deposits WHERE state = '{}' AND {} ORDER BY id DESC LIMIT 1"
#: A marketplace's file that waits to be booked.
BROUGHT = "SELECT id FROM marketplace_files WHERE state = 'ready' ORDER BY id DESC LIMIT 1"
OWN_RULE = "SELECT id FROM split_rules WHERE facility_id IS NOT NULL ORDER BY id LIMIT 1"


def head_of(thing: str, condition: str) -> Way:
    """A settlement or deposit of the head's own facility."""
    query = f"""SELECT t.id FROM {thing} t JOIN facilities f ON f.id = t.facility_id
        WHERE f.code = 'PKL' AND {condition} ORDER BY t.id DESC LIMIT 1"""
    return found(f"/seller/PKL/{thing}/{{}}", query)


def bad_rule() -> Way:
    """A rule whose shares sum to 9,999."""
    return sent(
        at("/finance/rules/new"),
        {
            "#f-fund-1": "1",
            "#f-percent-1": "66,66",
            "#f-fund-2": "2",
            "#f-percent-2": "33,33",
            "#f-legal_basis": "Keputusan",
        },
        "button[value=propose]",
    )


SALES = [
    Sight(
        "order-refunded", "finance.order", found("/finance/orders/{1}", REFUND.format("succeeded")), FINANCE
    ),
    Sight("order-paid", "finance.order", found("/finance/orders/{}", PAID), FINANCE),
    Sight("new-refund", "finance.new_refund", found("/finance/orders/{}/refund", PAID), FINANCE),
    Sight(
        "new-refund-refused",
        "finance.propose_refund",
        sent(found("/finance/orders/{}/refund", PAID), {"#f-goodwill": "999.999.999"}, "main .btn--main"),
        FINANCE,
        status=422,
    ),
    Sight("refunds", "finance.refund_list_page", at("/finance/refunds"), FINANCE),
    Sight("refunds-none", "finance.refund_list_page", at("/finance/refunds?state=failed"), FINANCE),
    Sight(
        "refund-proposed",
        "finance.refund_page",
        found("/finance/refunds/{0}", REFUND.format("proposed")),
        SECOND,
    ),
    Sight(
        "refund-done",
        "finance.refund_page",
        found("/finance/refunds/{0}", REFUND.format("succeeded")),
        FINANCE,
    ),
    Sight("payouts", "finance.payout_list", at("/finance/payouts"), FINANCE),
    Sight("marketplaces", "finance.marketplace_list", at("/finance/marketplaces"), FINANCE),
    Sight("marketplace-file", "finance.marketplace_file", found("/finance/marketplaces/files/{}", BROUGHT), FINANCE),
    Sight(
        "payouts-refused",
        "finance.record_payout",
        sent(at("/finance/payouts"), {"#f-amount": "0"}, "main form[method=post] button[type=submit]"),
        FINANCE,
        status=422,
    ),
    Sight("disputes", "finance.dispute_list", at("/finance/disputes"), FINANCE),
    Sight("corrections", "finance.correction_list", at("/finance/corrections"), FINANCE),
    Sight("new-correction", "finance.new_correction", at("/finance/corrections/new"), FINANCE),
]

STATEMENTS = [
    Sight("statements", "finance.statements", at("/finance/statements"), FINANCE),
    Sight("statement-open", "finance.statement_page", found("/finance/statements/PKL/{}", OPEN), FINANCE),
    Sight("statement-closed", "finance.statement_page", found("/finance/statements/PKL/{}", CLOSED), FINANCE),
    Sight("lines", "finance.lines", found("/finance/lines?period={}&facility=PKL", CLOSED), FINANCE),
    *(
        Sight(f"sales-by-{by}", "finance.sales_report", at(f"/finance/reports/sales?by={by}"), FINANCE)
        for by in ("facility", "workshop", "channel")
    ),
    Sight("balances", "finance.balances_report", at("/finance/reports/balances"), FINANCE),
    Sight("ageing", "finance.ageing", at("/finance/ageing"), FINANCE),
    Sight("ageing-layers", "finance.ageing_layers", at("/finance/ageing/PKL/premium"), FINANCE),
    Sight("cash-books", "finance.cash_book_list", found("/finance/cash-books?month={}", CLOSED), FINANCE),
    Sight("cash-book", "finance.cash_book_page", found("/finance/cash-books/PKL/{}", CLOSED), FINANCE),
    Sight(
        "cash-book-report",
        "finance.office_cash_book",
        found("/finance/cash-books/office/{}?book=lpj", CLOSED),
        FINANCE,
    ),
    Sight("periods", "finance.periods", at("/finance/periods"), FINANCE),
    Sight("period-closed", "finance.period", found("/finance/periods/{}", CLOSED), FINANCE),
    Sight("period-closed-administrator", "finance.period", found("/finance/periods/{}", CLOSED), ADMIN),
    Sight("period-open", "finance.period", found("/finance/periods/{}", OPEN), FINANCE),
    Sight(
        "period-running",
        "finance.period",
        found("/finance/periods/{}", "SELECT to_char(now(), 'YYYY-MM')"),
        FINANCE,
    ),
    Sight("audit", "finance.audit", at("/finance/audit"), FINANCE),
    Sight("audit-found", "finance.audit", at("/finance/audit?action=deposit"), ADMIN),
    Sight("audit-none", "finance.audit", at("/finance/audit?who=zzzzzz"), ADMIN),
]

MONEY_OUT = [
    Sight("settlements", "finance.settlement_list", at("/finance/settlements"), FINANCE),
    Sight(
        "settlements-proposed", "finance.settlement_list", at("/finance/settlements?state=proposed"), SECOND
    ),
    Sight(
        "settlement-proposed",
        "finance.settlement",
        found("/finance/settlements/{}", SETTLEMENT.format("proposed")),
        SECOND,
    ),
    Sight(
        "settlement-approved",
        "finance.settlement",
        found("/finance/settlements/{}", SETTLEMENT.format("approved")),
        FINANCE,
    ),
    Sight(
        "settlement-paid",
        "finance.settlement",
        found("/finance/settlements/{}", SETTLEMENT.format("paid")),
        SECOND,
    ),
    Sight("new-settlements", "finance.new_settlements", at("/finance/settlements/new"), FINANCE),
    Sight("payment-files", "finance.payment_file_list", at("/finance/payment-files"), FINANCE),
    Sight(
        "payment-file",
        "finance.payment_file",
        found("/finance/payment-files/{}", "SELECT id FROM payment_files ORDER BY id LIMIT 1"),
        FINANCE,
    ),
    Sight("payment-shape", "finance.payment_shape", at("/finance/payment-files/shape"), SECOND),
    Sight("paste-payments", "finance.paste_payments", at("/finance/settlements/paid"), FINANCE),
    Sight("simponi", "finance.simponi_forms", at("/finance/deposits/simponi"), FINANCE),
    Sight("deposits", "finance.deposit_list", at("/finance/deposits"), FINANCE),
    Sight(
        "deposit-proposed",
        "finance.deposit_page",
        found("/finance/deposits/{}", DEPOSIT.format("proposed", "true")),
        SECOND,
    ),
    Sight(
        "deposit-approved",
        "finance.deposit_page",
        found("/finance/deposits/{}", DEPOSIT.format("approved", "billing_code IS NULL")),
        FINANCE,
    ),
    Sight(
        "deposit-billed",
        "finance.deposit_page",
        found("/finance/deposits/{}", DEPOSIT.format("approved", "billing_code IS NOT NULL")),
        FINANCE,
    ),
    Sight(
        "deposit-paid",
        "finance.deposit_page",
        found("/finance/deposits/{}", DEPOSIT.format("paid", "true")),
        SECOND,
    ),
    Sight("satkers", "finance.satker_list", at("/finance/satkers"), FINANCE),
    Sight("distributions", "finance.distribution_list", at("/finance/distributions"), FINANCE),
    Sight("budget", "finance.budget_list", at("/finance/budget"), FINANCE),
    Sight("bank-accounts", "finance.bank_account_list", at("/finance/bank-accounts"), FINANCE),
]

RULES = [
    Sight("rules", "finance.rule_list_page", at("/finance/rules"), FINANCE),
    Sight("rule", "finance.rule_page", found("/finance/rules/{}", OWN_RULE), FINANCE),
    Sight("rule-preview", "finance.rule_preview_page", found("/finance/rules/{}/preview", OWN_RULE), FINANCE),
    Sight("new-rule", "finance.new_rule", at("/finance/rules/new"), FINANCE),
    Sight("new-rule-refused", "finance.propose_rule", bad_rule(), FINANCE, status=422),
    Sight("funds", "finance.fund_list", at("/finance/funds"), FINANCE),
    Sight("fees", "finance.fee_list", at("/finance/fees"), FINANCE),
]

OF_FACILITIES = [
    Sight("seller-money", "seller.money", at("/seller/PKL/money"), COORDINATOR),
    Sight("seller-money-head", "seller.money", at("/seller/PKL/money"), HEAD),
    Sight("seller-settlement", "seller.settlement", head_of("settlements", "t.state = 'proposed'"), HEAD),
    Sight("seller-settlement-paid", "seller.settlement", head_of("settlements", "t.state = 'paid'"), HEAD),
    Sight("seller-deposit", "seller.deposit_page", head_of("deposits", "true"), HEAD),
    Sight("seller-deposit-paid", "seller.deposit_page", head_of("deposits", "t.state = 'paid'"), HEAD),
    Sight("seller-bank-accounts", "seller.bank_account_list", at("/seller/PKL/bank-accounts"), HEAD),
    Sight("seller-distributions", "seller.distribution_list", at("/seller/PKL/distributions"), COORDINATOR),
    Sight("seller-distributions-head", "seller.distribution_list", at("/seller/PKL/distributions"), HEAD),
    Sight("seller-rules", "seller.rule_list", at("/seller/PKL/rules"), HEAD),
    Sight("seller-statements", "seller.statements", at("/seller/PKL/statements"), HEAD),
    Sight("seller-statement", "seller.statement_page", found("/seller/PKL/statements/{}", CLOSED), HEAD),
    Sight(
        "seller-statement-open",
        "seller.statement_page",
        found("/seller/PKL/statements/{}", OPEN),
        COORDINATOR,
    ),
    Sight("seller-lines", "seller.lines", at("/seller/PKL/lines"), HEAD),
    Sight(
        "seller-new-refund",
        "seller.new_refund",
        found(
            "/seller/PKL/parcels/{}/refund",
            """SELECT p.id FROM parcels p JOIN facilities f ON f.id = p.facility_id
                WHERE f.code = 'PKL' AND p.state = 'to_pack' ORDER BY p.id DESC LIMIT 1""",
        ),
        COORDINATOR,
    ),
]

BOOKS = [
    Sight(
        name if name.startswith("seller") else f"finance-{name}",
        sight.endpoint,
        sight.open,
        sight.account,
        sight.status,
    )
    for sight in [*SALES, *STATEMENTS, *MONEY_OUT, *RULES, *OF_FACILITIES]
    for name in [sight.name]
]

#: Files, addresses of refused forms that lead back to their page, and what is not there while transfers are off (it
#: is asked for in tests/payments/test_connect_pages.py and looked at in test_stripe.py).
NO_BOOK_PAGES = {
    "finance.connected_account_list",
    "finance.deposit_proof", "finance.download_payment_file", "finance.rule_document", "finance.statement_download",
    "seller.deposit_proof", "seller.rule_document",
    "seller.statement_download",
}  # fmt: skip
