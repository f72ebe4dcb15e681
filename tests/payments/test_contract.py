"""What every gateway promises, whoever is behind it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from storefront.days import today
from storefront.payments.gateway import (
    BadSignature,
    EventKind,
    ProviderEvent,
    ProviderRefused,
    ProviderStatus,
)
from storefront.payments.provider_books import BalanceLine, LineKind
from tests.payments.providers import Provider, request_for, that_know

DAY = datetime.timedelta(days=1)


def started(provider: Provider, **values: object) -> str:
    return provider.gateway.start(request_for(**values)).reference  # type: ignore[arg-type]


def paid(provider: Provider) -> ProviderStatus:
    reference = started(provider)
    provider.pays(reference)
    return provider.gateway.look_up(reference)


def said(provider: Provider, about: ProviderStatus | str) -> list[ProviderEvent]:
    """What the provider's webhooks say of a payment, read after they were verified."""
    read = []
    for headers, body in provider.posts():
        provider.gateway.verify(headers, body)
        read.append(provider.gateway.read(body))
    if isinstance(about, str):
        about = provider.gateway.look_up(about)
    own = {about.payment_id, about.capture_reference} - {None}
    return [event for event in read if {event.payment_id, event.capture_reference} & own]


def kinds(events: list[ProviderEvent]) -> list[EventKind]:
    """Each kind once, in the order in which it was said first."""
    return list(dict.fromkeys(event.kind for event in events))


def lines(provider: Provider, status: ProviderStatus) -> list[BalanceLine]:
    """The provider's books of a payment, from a day before to a day after today."""
    found = provider.gateway.balance_lines(today() - DAY, today() + DAY)
    return [line for line in found if line.capture_reference == status.capture_reference]


# ── a payment ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_is_open_until_something_happens(provider: Provider) -> None:
    request = request_for()
    page = provider.gateway.start(request)
    assert page.url.startswith("http")
    status = provider.gateway.look_up(page.reference)
    assert (status.state, status.reference, status.amount, status.currency) == (
        "open", page.reference, 805_001, "IDR",
    )  # fmt: skip
    assert status.payment_id == request.id
    assert (status.fee, status.succeeded_at, status.capture_reference) == (None, None, None)


def test_asked_twice_it_is_the_same_page(provider: Provider) -> None:
    request = request_for()
    assert provider.gateway.start(request) == provider.gateway.start(request)
    other = provider.gateway.start(replace(request, id=request_for().id))
    assert other.reference != provider.gateway.start(request).reference


def test_a_page_is_found_by_our_id_alone(provider: Provider) -> None:
    request = request_for()
    page = provider.gateway.start(request)
    now = datetime.datetime.now(datetime.UTC)
    assert provider.gateway.look_up(request.id, since=now).reference == page.reference
    assert provider.gateway.look_up(request.id).reference == page.reference


def test_nobody_knows_a_payment_that_was_never_started(provider: Provider) -> None:
    for reference in (request_for().id, "cs_test_none", "pi_none", "ch_none"):
        with pytest.raises(LookupError):
            provider.gateway.look_up(reference)
        with pytest.raises(LookupError):
            provider.gateway.expire(reference)


def test_money_that_came_is_said_with_amount_fee_and_moment(provider: Provider) -> None:
    begun = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=2)
    status = paid(provider)
    assert (status.state, status.amount, status.currency) == ("succeeded", 805_001, "IDR")
    assert status.fee is not None
    assert 0 < status.fee < 50_000 if "fees" in provider.knows else status.fee == 0
    assert status.succeeded_at is not None
    assert begun <= status.succeeded_at <= datetime.datetime.now(datetime.UTC)
    assert status.capture_reference
    assert status.can_refund is ("refunds" in provider.knows)
    (event,) = [event for event in said(provider, status) if event.kind is EventKind.PAYMENT_SUCCEEDED]
    assert (event.payment_id, event.reference, event.amount, event.currency, event.capture_reference) == (
        status.payment_id, status.reference, 805_001, "IDR", status.capture_reference,
    )  # fmt: skip
    assert event.fee in (None, status.fee)


def test_a_payment_is_found_by_its_captured_money(provider: Provider) -> None:
    status = paid(provider)
    assert status.capture_reference
    assert provider.gateway.look_up(status.capture_reference) == status


@pytest.mark.parametrize("provider", that_know("later"), indirect=True)
def test_money_on_its_way_is_pending_and_then_there(provider: Provider) -> None:
    reference = started(provider)
    provider.does_their_part(reference)
    status = provider.gateway.look_up(reference)
    assert (status.state, status.fee, status.succeeded_at) == ("pending", None, None)
    assert kinds(said(provider, status)) == [EventKind.PAYMENT_PENDING]
    provider.money_arrives(reference)
    assert provider.gateway.look_up(reference).state == "succeeded"
    assert kinds(said(provider, reference)) == [EventKind.PAYMENT_PENDING, EventKind.PAYMENT_SUCCEEDED]


@pytest.mark.parametrize("provider", that_know("later"), indirect=True)
def test_money_that_stays_away_has_failed(provider: Provider) -> None:
    reference = started(provider)
    provider.does_their_part(reference)
    provider.money_stays_away(reference)
    assert provider.gateway.look_up(reference).state == "failed"
    assert kinds(said(provider, reference)) == [EventKind.PAYMENT_PENDING, EventKind.PAYMENT_FAILED]


# ── closing ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_closed_page_stays_closed(provider: Provider) -> None:
    reference = started(provider)
    assert provider.gateway.expire(reference).state == "expired"
    assert provider.gateway.expire(reference).state == "expired"
    assert provider.gateway.look_up(reference).state == "expired"


def test_a_page_is_closed_by_our_id_alone(provider: Provider) -> None:
    request = request_for()
    reference = provider.gateway.start(request).reference
    assert provider.gateway.expire(request.id).state == "expired"
    assert provider.gateway.look_up(reference).state == "expired"


def test_closing_a_paid_page_says_that_it_was_paid(provider: Provider) -> None:
    status = paid(provider)
    assert provider.gateway.expire(status.reference) == status


# ── refunds ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("provider", that_know("refunds"), indirect=True)
def test_a_refund_happens_once_for_each_key(provider: Provider) -> None:
    status = paid(provider)
    assert status.capture_reference
    first = provider.gateway.refund(status.capture_reference, 100_000, f"refund:{status.payment_id}")
    for reference in (status.capture_reference, status.reference):
        assert provider.gateway.refund(reference, 100_000, f"refund:{status.payment_id}") == first
    assert provider.gateway.refund(status.reference, 5_001, f"refund:{status.payment_id}:2") != first
    given_back = [line for line in lines(provider, status) if line.kind is LineKind.REFUND]
    assert sorted(line.amount for line in given_back) == [-100_000, -5_001]


@pytest.mark.parametrize("provider", that_know("refunds"), indirect=True)
def test_a_refund_is_said_with_our_key(provider: Provider) -> None:
    status = paid(provider)
    key = f"refund:{status.payment_id}"
    reference = provider.gateway.refund(status.reference, 100_000, key)
    found = provider.gateway.look_up_refund(status.reference, key)
    assert (found.state, found.reference, found.amount, found.idempotency_key) == (
        "succeeded", reference, 100_000, key,
    )  # fmt: skip
    event = next(event for event in said(provider, status) if event.kind is EventKind.REFUND_SUCCEEDED)
    assert (event.refund_reference, event.refund_key, event.amount) == (reference, key, 100_000)


@pytest.mark.parametrize("provider", that_know("refunds"), indirect=True)
def test_there_is_no_refund_by_another_key(provider: Provider) -> None:
    status = paid(provider)
    provider.gateway.refund(status.reference, 100_000, f"refund:{status.payment_id}")
    with pytest.raises(LookupError):
        provider.gateway.look_up_refund(status.reference, "refund:0")


@pytest.mark.parametrize("provider", that_know("refunds"), indirect=True)
def test_no_more_is_given_back_than_was_taken(provider: Provider) -> None:
    status = paid(provider)
    provider.gateway.refund(status.reference, 805_001, f"refund:{status.payment_id}")
    with pytest.raises(ProviderRefused) as refused:
        provider.gateway.refund(status.reference, 1, f"refund:{status.payment_id}:2")
    assert refused.value.code == "already_refunded"


@pytest.mark.parametrize("provider", that_know("without_refunds"), indirect=True)
def test_a_way_of_paying_that_knows_no_refunds_says_so(provider: Provider) -> None:
    reference = started(provider)
    provider.pays_without_refunds(reference)
    assert provider.gateway.look_up(reference).can_refund is False
    with pytest.raises(ProviderRefused) as refused:
        provider.gateway.refund(reference, 100_000, "refund:7")
    assert refused.value.code == "cannot_refund"


@pytest.mark.parametrize("provider", that_know("refuse"), indirect=True)
def test_a_refund_that_comes_back_has_failed_and_its_money_is_there_again(provider: Provider) -> None:
    status = paid(provider)
    key = f"refund:{status.payment_id}"
    provider.refund_comes_back(provider.gateway.refund(status.reference, 100_000, key))
    found = provider.gateway.look_up_refund(status.reference, key)
    assert (found.state, bool(found.failure)) == ("failed", True)
    event = next(event for event in said(provider, status) if event.kind is EventKind.REFUND_FAILED)
    assert (event.refund_key, event.failure) == (key, found.failure)
    moved = [line.amount for line in lines(provider, status) if line.kind is LineKind.REFUND]
    assert moved == [-100_000, 100_000]


# ── disputes ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("provider", that_know("disputes"), indirect=True)
@pytest.mark.parametrize(("outcome", "comes_back"), [("won", True), ("lost", False)])
def test_a_dispute_takes_the_money_until_it_is_decided(
    provider: Provider, outcome: str, comes_back: bool
) -> None:
    status = paid(provider)
    dispute = provider.disputes(status.reference, 200_000)
    provider.decides(status.reference, dispute, outcome)
    events = [event for event in said(provider, status) if event.dispute_reference]
    assert {(event.dispute_reference, event.amount) for event in events} == {(dispute, 200_000)}
    assert kinds(events) == [EventKind.DISPUTE_OPENED, EventKind(f"dispute_{outcome}")]
    of_dispute = [line for line in lines(provider, status) if line.kind is LineKind.DISPUTE]
    assert [line.amount for line in of_dispute] == [-200_000, *([200_000] if comes_back else [])]
    assert {line.dispute_reference for line in of_dispute} == {dispute}


# ── the provider's own books ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("provider", that_know("refunds"), indirect=True)
def test_a_payments_lines_name_it(provider: Provider) -> None:
    status = paid(provider)
    key = f"refund:{status.payment_id}"
    refund = provider.gateway.refund(status.reference, 100_000, key)
    payment, given_back = lines(provider, status)
    assert (payment.kind, payment.amount, payment.fee) == (LineKind.PAYMENT, 805_001, status.fee)
    assert payment.net == 805_001 - (status.fee or 0)
    assert payment.payment_id == given_back.payment_id == status.payment_id
    assert (given_back.kind, given_back.amount, given_back.fee) == (LineKind.REFUND, -100_000, 0)
    assert (given_back.refund_key, given_back.refund_reference) == (key, refund)


def test_a_day_has_its_own_lines_only(provider: Provider) -> None:
    status = paid(provider)
    for first, last in ((today() - 9 * DAY, today() - 2 * DAY), (today() + 2 * DAY, today() + 3 * DAY)):
        assert list(provider.gateway.balance_lines(first, last)) == []
    assert lines(provider, status)


@pytest.mark.parametrize("provider", that_know("payouts"), indirect=True)
def test_a_payout_is_the_sum_of_its_lines(provider: Provider) -> None:
    status = paid(provider)
    paid(provider)
    provider.gateway.refund(status.reference, 100_000, f"refund:{status.payment_id}")
    reference = provider.pays_out()
    payout = next(p for p in provider.gateway.payouts(today() - DAY) if p.reference == reference)
    assert (payout.state, payout.is_explained) == ("paid", True)
    made_of = list(provider.gateway.payout_lines(reference))
    exact = sum(100 * line.net + line.hundredths for line in made_of)
    assert abs(100 * payout.amount - exact) <= 50
    assert status.capture_reference in {line.capture_reference for line in made_of}
    assert reference not in {line.payout_reference for line in made_of}
    (out,) = [
        line
        for line in provider.gateway.balance_lines(today() - DAY, today() + DAY)
        if line.payout_reference == reference
    ]
    assert (out.kind, out.amount) == (LineKind.PAYOUT, -payout.amount)


@pytest.mark.parametrize("provider", that_know("payouts"), indirect=True)
def test_a_payout_that_the_bank_sends_back_has_failed(provider: Provider) -> None:
    paid(provider)
    reference = provider.pays_out()
    provider.payout_comes_back(reference)
    payout = next(p for p in provider.gateway.payouts(today() - DAY) if p.reference == reference)
    assert (payout.state, bool(payout.failure)) == ("failed", True)
    read = [provider.gateway.read(body) for _, body in provider.posts()]
    own = [event for event in read if event.payout_reference == reference]
    assert {event.kind for event in own} >= {EventKind.PAYOUT_PAID, EventKind.PAYOUT_FAILED}
    assert {event.amount for event in own} == {payout.amount}


@pytest.mark.parametrize("provider", that_know("payouts"), indirect=True)
def test_nobody_knows_a_payout_that_never_was(provider: Provider) -> None:
    with pytest.raises(LookupError):
        provider.gateway.payout_lines("po_none")


# ── events ────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_no_webhook_brought_can_be_fetched_and_reads_the_same(provider: Provider) -> None:
    begun = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=2)
    status = paid(provider)
    fetched = list(provider.gateway.events(begun))
    posted = [provider.gateway.verify(headers, body) for headers, body in provider.posts()]
    assert {(event.id, event.type) for event in fetched} <= {(event.id, event.type) for event in posted}
    assert sorted(event.at for event in fetched) == [event.at for event in fetched]
    read = [provider.gateway.read(event.body) for event in fetched]
    assert [event for event in read if event.payment_id == status.payment_id] == said(provider, status)


def test_events_begin_where_they_are_asked_from(provider: Provider) -> None:
    paid(provider)
    assert (
        list(provider.gateway.events(datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1))) == []
    )


def a_post(provider: Provider) -> tuple[dict[str, str], bytes]:
    paid(provider)
    headers, body = provider.posts()[-1]
    return dict(headers), body


ODD: list[Callable[[dict[str, str], bytes], tuple[dict[str, str], bytes]]] = [
    lambda headers, body: ({}, body),
    lambda headers, body: (dict.fromkeys(headers, ""), body),
    lambda headers, body: (dict.fromkeys(headers, "t=1"), body),
    lambda headers, body: (dict.fromkeys(headers, "t=1,v1=00"), body),
    lambda headers, body: (dict.fromkeys(headers, "t=x,v1=" + "é" * 64), body),
    lambda headers, body: ({name: value.replace("t=", "t=-") for name, value in headers.items()}, body),
    lambda headers, body: ({name: value.replace("t=", "t=9") for name, value in headers.items()}, body),
    lambda headers, body: ({name: value.replace("v1", "v0") for name, value in headers.items()}, body),
    lambda headers, body: ({name: value[:-1] for name, value in headers.items()}, body),
    lambda headers, body: (headers, body + b" "),
    lambda headers, body: (headers, body.replace(b"805001", b"005001")),
    lambda headers, body: (headers, b""),
    lambda headers, body: (headers, b"\xff\xfe"),
]


@pytest.mark.parametrize("spoil", ODD)
def test_what_is_not_signed_as_it_stands_is_refused(
    provider: Provider, spoil: Callable[[dict[str, str], bytes], tuple[dict[str, str], bytes]]
) -> None:
    headers, body = a_post(provider)
    assert provider.gateway.verify(headers, body).id
    spoiled = spoil(headers, body)
    assert spoiled != (headers, body)
    with pytest.raises(BadSignature):
        provider.gateway.verify(*spoiled)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"1", b'"x"', b"{", b"{}", b"[" * 100_000, b"\xff", b"\x00",
        b'{"id": 1, "type": "x"}', b'{"id": "x", "type": null}', b'{"id": "", "type": "x"}',
        b'{"id": "a\\u0000b", "type": "x"}', b'{"id": "\\ud800", "type": "x"}', b'{"id": "evt_1", "type": "a b"}',
        b'{"id": "evt_1", "type": "x", "n": ' + b"9" * 5_000 + b"}",
        json.dumps({"id": "x" * 201, "type": "x"}).encode(),
    ],
)  # fmt: skip
def test_what_is_signed_and_yet_no_event_is_refused(provider: Provider, body: bytes) -> None:
    with pytest.raises(BadSignature):
        provider.gateway.verify(provider.signs(body), body)


def test_an_event_of_a_kind_that_nobody_knows_says_nothing(provider: Provider) -> None:
    body = b'{"id": "evt_1", "type": "something.else", "livemode": false, "data": {"object": {"id": "x"}}}'
    assert provider.gateway.verify(provider.signs(body), body).type == "something.else"
    event = provider.gateway.read(body)
    assert (event.kind, event.payment_id, event.capture_reference) == (EventKind.UNKNOWN, "", None)


# ── what is said beforehand ───────────────────────────────────────────────────────────────────────────────


def test_ways_to_pay_are_named_with_fee_and_limit(provider: Provider) -> None:
    assert provider.gateway.methods
    for method in provider.gateway.methods:
        assert str(method.label)
        assert str(method.fee)
        assert method.takes(method.minimum)
        assert not method.takes(method.minimum - 1)
        assert method.maximum is None or not method.takes(method.maximum + 1)


def test_a_page_lives_no_longer_than_the_pieces_are_held(provider: Provider) -> None:
    # Money that people carry to a bank takes longer than a card; nobody holds pieces for weeks.
    longest = 14 * DAY if provider.gateway.name == "transfer" else DAY
    assert provider.gateway.shortest_page < provider.gateway.hold <= longest
