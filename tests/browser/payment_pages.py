"""The pages of payments: the bank's files and lines, money on hold or on its way back, and the provider beside us."""

from __future__ import annotations

from playwright.sync_api import Response

from tests.browser.sights import Sight, Way, at, found
from tests.browser.visitor import Visitor

FINANCE = "finance@demo.test"
SECOND = "finance2@demo.test"

LINE = "SELECT id FROM bank_lines WHERE {} ORDER BY id DESC LIMIT 1"
FILE = "SELECT id FROM bank_files WHERE state = '{}' ORDER BY id DESC LIMIT 1"
BACK = "SELECT b.id, o.number FROM bank_returns b JOIN orders o ON o.id = b.order_id WHERE b.state = '{}' LIMIT 1"


def order_of(query: str, part: str = "") -> Way:
    """Open an order by its link, then a page below it; the columns of `query` are `number` and those `part` names."""

    def go(visitor: Visitor) -> Response:
        row = visitor.shop.rows(query)[0]
        response = visitor.go(visitor.shop.order_link(row["number"]))
        return visitor.go(f"/orders/{row['number']}{part.format(**row)}") if part else response

    return go


def waiting(gateway: str, state: str) -> str:
    """An order that waits for a payment of the gateway in that state."""
    return f"""SELECT o.number FROM orders o JOIN payments p ON p.order_id = o.id
        WHERE p.gateway = '{gateway}' AND p.state = '{state}' AND o.state = 'awaiting_payment' ORDER BY o.id LIMIT 1"""


OF_SHOPPERS = [
    Sight(
        "transfer",
        "checkout.transfer",
        found(
            "/transfer/{}", "SELECT id FROM transfers WHERE state = 'open' ORDER BY created_at DESC LIMIT 1"
        ),
    ),
    Sight(
        "transfer-paid",
        "checkout.transfer",
        found("/transfer/{}", "SELECT id FROM transfers WHERE state = 'succeeded' LIMIT 1"),
    ),
    Sight("order-awaits-transfer", "checkout.show_order", order_of(waiting("transfer", "pending"))),
    Sight("order-held", "checkout.show_order", order_of(waiting("sandbox", "held"))),
    Sight("order-returned-by-bank", "checkout.show_order", order_of(BACK.format("asked"))),
    Sight("return-asked", "checkout.return_account", order_of(BACK.format("asked"), "/returns/{id}")),
    Sight("return-given", "checkout.return_account", order_of(BACK.format("proposed"), "/returns/{id}")),
]
OF_FINANCE = [
    Sight("finance-bank-files", "finance.bank_file_list", at("/finance/bank-files"), FINANCE),
    Sight(
        "finance-bank-file-read",
        "finance.bank_file",
        found("/finance/bank-files/{}", FILE.format("read")),
        FINANCE,
    ),
    Sight(
        "finance-bank-file-taken",
        "finance.bank_file",
        found("/finance/bank-files/{}", FILE.format("taken")),
        SECOND,
    ),
    Sight("finance-bank-lines", "finance.bank_line_list", at("/finance/bank-lines"), FINANCE),
    Sight(
        "finance-bank-lines-all", "finance.bank_line_list", at("/finance/bank-lines?state=matched"), FINANCE
    ),
    Sight(
        "finance-bank-line-open",
        "finance.bank_line",
        found("/finance/bank-lines/{}", LINE.format("state = 'open'")),
        FINANCE,
    ),
    Sight(
        "finance-bank-line-matched",
        "finance.bank_line",
        found("/finance/bank-lines/{}", LINE.format("state = 'matched'")),
        FINANCE,
    ),
    Sight(
        "finance-bank-line-set-aside",
        "finance.bank_line",
        found("/finance/bank-lines/{}", LINE.format("state = 'set_aside'")),
        FINANCE,
    ),
    Sight("finance-held-transfers", "finance.held_list", at("/finance/held-transfers"), FINANCE),
    Sight("finance-returns", "finance.return_list", at("/finance/returns"), FINANCE),
    Sight(
        "finance-return-batch",
        "finance.return_batch",
        found("/finance/returns/batches/{}", "SELECT max(id) FROM return_batches"),
        SECOND,
    ),
    Sight("finance-reconciliation", "finance.reconciliation", at("/finance/reconciliation"), FINANCE),
    Sight(
        "finance-reconciliation-month",
        "finance.reconciliation_month",
        found("/finance/reconciliation/sandbox/{}", "SELECT to_char(now(), 'YYYY-MM')"),
        FINANCE,
    ),
    Sight(
        "finance-reconciliation-run",
        "finance.reconciliation_run",
        found("/finance/reconciliation/runs/{}", "SELECT max(id) FROM reconciliation_runs"),
        FINANCE,
    ),
    Sight(
        "finance-differences", "finance.difference_list", at("/finance/reconciliation/differences"), FINANCE
    ),
    Sight(
        "finance-difference",
        "finance.difference_page",
        found("/finance/reconciliation/differences/{}", "SELECT max(id) FROM reconciliation_differences"),
        FINANCE,
    ),
]
PAYMENT_PAGES = [*OF_SHOPPERS, *OF_FINANCE]

#: Files, fragments, and addresses of refused forms that lead back to their page.
NO_PAYMENT_PAGES = {
    "finance.bank_file_content", "finance.reconciliation_progress",
    "mailbox.letter_as_html",
}  # fmt: skip
