"""Jobs around the bank: each runs again safely, whatever killed it before."""

from __future__ import annotations

from procrastinate import RetryStrategy

from storefront.bank import automatic, returns
from storefront.books.disputes import Disputed
from storefront.extensions import db, defer, jobs
from storefront.media.storage import private_files
from storefront.refunds.refunds import NothingLeft, RefundDecided


@jobs.task(name="bank.match_lines", retry=RetryStrategy(max_attempts=20, wait=2, linear_wait=30))
def match_lines_job(bank_account_id: int) -> None:
    """Match an account's open lines: a file was taken in."""
    automatic.match_lines(bank_account_id)


@jobs.periodic(cron="23 * * * *")
@jobs.task(name="bank.match_all", queueing_lock="bank.match_all")
def match_all_job(timestamp: int) -> None:
    """Every hour: what was booked since may now be found among the lines."""
    for account_id in automatic.accounts_with_open_lines():
        defer("bank.match_lines", bank_account_id=account_id, lock=f"bank:{account_id}")
    db.session.commit()


@jobs.task(name="bank.delete_content", retry=RetryStrategy(max_attempts=20, wait=5, linear_wait=60))
def delete_content_job(key: str) -> None:
    """Delete the content of a file that was discarded."""
    private_files().delete(key)


@jobs.task(name="bank.return_by_bank", retry=RetryStrategy(max_attempts=20, wait=5, linear_wait=60))
def return_by_bank_job(refund_id: int) -> None:
    """Give a refund back by bank whose way of paying knows none."""
    try:
        returns.of_refund(refund_id)
    except (RefundDecided, NothingLeft, Disputed):
        # It stays refused: finance sees it, with its reason, and decides.
        db.session.rollback()
        return
    db.session.commit()


@jobs.periodic(cron="41 * * * *")
@jobs.task(name="bank.erase_accounts", queueing_lock="bank.erase_accounts")
def erase_accounts_job(timestamp: int) -> None:
    """Every hour: shoppers' accounts that lie here for 30 days are deleted."""
    while returns.erase_old():
        db.session.commit()
