"""All invariants, in the order in which they are checked and printed."""

from __future__ import annotations

from storefront.verify import (
    bank,
    books,
    brought,
    clearing,
    counter,
    facts,
    guards,
    imports,
    listed,
    orders,
    passed_on,
    periods,
    reconciled,
    selling,
    shares,
    stock,
    stock_takes,
    training,
    transferred,
    voices,
)

INVARIANTS = (
    *books.INVARIANTS,
    *clearing.INVARIANTS,
    *reconciled.INVARIANTS,
    *passed_on.INVARIANTS,
    *transferred.INVARIANTS,
    *bank.INVARIANTS,
    *periods.INVARIANTS,
    *stock.INVARIANTS,
    *stock_takes.INVARIANTS,
    *brought.INVARIANTS,
    *counter.INVARIANTS,
    *orders.INVARIANTS,
    *shares.INVARIANTS,
    *training.INVARIANTS,
    *facts.INVARIANTS,
    *voices.INVARIANTS,
    *selling.INVARIANTS,
    *listed.INVARIANTS,
    *imports.INVARIANTS,
    *guards.INVARIANTS,
)
