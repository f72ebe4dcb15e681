"""Jobs of the books: fees, disputes and transfers, as the provider tells of them or is told."""

from __future__ import annotations

from procrastinate import RetryStrategy

from storefront.books.disputes import record_dispute
from storefront.books.fees import book_fee, learn_fee
from storefront.books.transfer_back import reverse_transfer
from storefront.books.transfer_send import send_transfers
from storefront.books.transfer_sweep import ask_again
from storefront.days import told
from storefront.extensions import db, jobs


@jobs.task(name="books.book_fee", retry=RetryStrategy(max_attempts=40, wait=1, linear_wait=15))
def book_fee_job(payment_id: str, amount: int) -> None:
    """Book what the provider said that it keeps of a payment."""
    book_fee(payment_id, amount)
    db.session.commit()


@jobs.task(name="books.learn_fee", retry=RetryStrategy(max_attempts=40, wait=2, linear_wait=60))
def learn_fee_job(payment_id: str) -> None:
    """Ask the provider what it keeps of a payment, until it says so."""
    learn_fee(payment_id)


@jobs.task(name="books.record_dispute", retry=RetryStrategy(max_attempts=40, wait=1, linear_wait=15))
def record_dispute_job(
    payment_id: str, reference: str, amount: int, outcome: str, happened_at: str | None = None
) -> None:
    """Record what the provider said of a dispute."""
    record_dispute(payment_id, reference, amount, outcome, happened_at=told(happened_at))
    db.session.commit()


@jobs.task(name="books.send_transfers", retry=RetryStrategy(max_attempts=40, wait=5, linear_wait=30))
def send_transfers_job(settlement_id: int) -> None:
    """Transfer a settlement's working capital to the facility's account at the provider."""
    send_transfers(settlement_id)


@jobs.task(name="books.reverse_transfer", retry=RetryStrategy(max_attempts=40, wait=5, linear_wait=30))
def reverse_transfer_job(reversal_id: int) -> None:
    """Take back what of a transfer a refund or a lost dispute took."""
    reverse_transfer(reversal_id)


@jobs.periodic(cron="37 */4 * * *")
@jobs.task(name="books.ask_again_for_transfers", queueing_lock="books.ask_again_for_transfers")
def ask_again_for_transfers_job(timestamp: int) -> None:
    """Every four hours: what still waits is asked for again."""
    ask_again()
    db.session.commit()
