"""What the shop does, in figures: the page, its tables as files, and each figure's permanent address."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Any

from flask import current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.shop import bp
from storefront.blueprints.shop.public import plain_url, public_counts, public_page, totals
from storefront.catalogue.filters import SLUG, slug_of
from storefront.days import today
from storefront.display import format_month, short_month
from storefront.errors import Invalid, NotFound
from storefront.exports.moment import BadMoment
from storefront.extensions import db
from storefront.impact import figures, training_page
from storefront.impact.csv_text import csv_text
from storefront.impact.figures import FIGURES, Figure, Value
from storefront.impact.ledger_days import LedgerDays
from storefront.impact.passed_on import read_passed_on
from storefront.impact.places import place_of
from storefront.impact.scope import Period, Scope
from storefront.languages import locale
from storefront.ledger.earnings import EarnedPart
from storefront.ledger.totals import total_of
from storefront.small_counts import figure
from storefront.training.published import read_trained

EARLIEST = datetime.date(2000, 1, 1)
Rows = Iterable[Sequence[str | int | None]]


def _yesterday() -> datetime.date:
    return today() - datetime.timedelta(days=1)


def _year() -> int:
    """The year asked for; this one unless there were sales in it."""
    asked = request.args.get("year", today().year, type=int)
    return asked if asked in totals().years() else today().year


@bp.get("/impact")
@public_page(figures=True)
def impact() -> str:
    """What sales became for each fund, what was paid and passed on of it, and training against its targets."""
    found, year, counts = totals(), _year(), public_counts()
    shares = found.of_year(year)
    orders, pieces = found.counts.get(year, (0, 0))
    known = sorted({today().year, *found.years()}, reverse=True)
    return render_template(
        "shop/impact.html",
        year=year,
        years=[(y, url_for("shop.impact", year=None if y == today().year else y)) for y in known],
        total=total_of(shares),
        shares=shares,
        steps=found.steps(year),
        orders=orders,
        pieces=pieces,
        premium=found.premium_of(),
        passed_on=figure(counts.passed_on),
        months=[_month(datetime.date(year, number, 1)) for number in _months_of(year)],
        regions=_regions(year),
        kinds=[(part.kind, part.label) for part in found.kinds(year)],
        training=training_page.by_year(counts.trained),
        training_kinds=training_page.by_kind(counts.trained),
        training_regions=training_page.by_region(counts.trained, locale()),
        later=training_page.later_by_year(counts.trained),
        progress=training_page.progress(counts.trained),
        link=training_page.sales_link(counts.trained, _sold(year)),
        on=_yesterday(),
        permanent=_permanent,
        table_url=lambda name: url_for("shop.impact_table", name=name, year=year),
        canonical=plain_url("shop.impact", year=None if year == today().year else year),
    )


def _permanent(key: str, **scope: Any) -> str:
    """The permanent address of a figure as it was yesterday evening; of a fund that has none, of all of them."""
    key = key if key in FIGURES else "sales"
    return url_for("shop.impact_figure", key=key, on=_yesterday().isoformat(), **scope)


def _months_of(year: int) -> range:
    """Numbers of the year's months up to now."""
    now = today()
    return range(1, now.month + 1) if year == now.year else range(1, 13)


def _month(first: datetime.date) -> dict[str, Any]:
    parts: list[EarnedPart] = totals().of_month(first)
    return {
        "name": f"{first:%Y-%m}",
        "label": format_month(first),
        "short": short_month(first),
        "total": total_of(parts),
        "parts": parts,
    }


def _sold(year: int) -> dict[int, int]:
    """What each workshop sold in a year, by its id, in rupiah."""
    return {workshop: amount for (of, workshop), amount in totals().by_workshop.items() if of == year}


def _regions(year: int) -> list[dict[str, Any]]:
    return [
        {"name": name, "slug": slug_of(name), "facilities": count, "total": total_of(parts), "parts": parts}
        for name, count, parts in totals().by_province(year)
    ]


def _shares_rows(rows: Iterable[dict[str, Any]]) -> Rows:
    codes = [fund["code"] for fund in totals().funds]
    for row in rows:
        amounts = {part.code: part.amount for part in row["parts"]}
        yield [row["name"], row["total"], *(amounts.get(code, 0) for code in codes)]


@bp.get("/impact/tables/<name>.csv")
@public_page(figures=True, mimetype="text/csv")
def impact_table(name: str) -> str:
    """A table of the impact page as a file: what is hidden there is empty here."""
    year, counts = _year(), public_counts()
    funds = [fund["code"] for fund in totals().funds]
    if name == "months":
        months = (_month(datetime.date(year, number, 1)) for number in _months_of(year))
        return csv_text(["month", "owed", *funds], _shares_rows(months))
    if name == "regions":
        return csv_text(["province", "owed", *funds], _shares_rows(_regions(year)))
    if name == "steps":
        return csv_text(["kind", "amount"], totals().steps(year))
    if name == "premium":
        premium = totals().premium_of()
        passed_on = figure(counts.passed_on).value
        headings = ["owed", "paid_to_facilities", "passed_on", "not_yet_paid", "of_it_older_than_60_days"]
        return csv_text(headings, [[premium.owed, premium.paid, passed_on, premium.open, premium.old]])
    lines = {
        "training-years": lambda: training_page.by_year(counts.trained),
        "training-kinds": lambda: training_page.by_kind(counts.trained),
        "training-regions": lambda: training_page.by_region(counts.trained, locale()),
        "later-years": lambda: training_page.later_by_year(counts.trained),
    }
    if name in lines:
        found = lines[name]()
        shown = list(found[0].counts) if found else []
        return csv_text(
            [name.rpartition("-")[2].rstrip("s"), "programmes", *shown],
            ([line.name, line.programmes, *line.cells] for line in found),
        )
    if name == "training-sales":
        link = training_page.sales_link(counts.trained, _sold(year))
        compared: Rows = []
        if link:
            compared = [["certified", link.certified, link.certified_sum], ["others", link.others, link.others_sum]]
        return csv_text(["workshops", "number", "sales"], compared)
    if name == "targets":
        rows: Rows = (
            [
                one.target.year, one.target.measure, "yes" if one.target.is_cumulative else "no", one.target.people,
                one.reached.value if one.reached and not one.reached.is_hidden else None, one.target.source,
            ]
            for one in training_page.progress(counts.trained)
        )  # fmt: skip
        return csv_text(["year", "measure", "is_cumulative", "target", "reached", "source"], rows)
    raise NotFound()


@bp.get("/impact/figures")
@public_page()
def impact_figures() -> str:
    """All figures that have a permanent address."""
    return render_template(
        "shop/figures.html",
        figures=FIGURES.values(),
        permanent=_permanent,
        on=_yesterday(),
        canonical=plain_url("shop.impact_figures"),
    )


@bp.get("/impact/figures/<key>")
def impact_figure(key: str) -> ResponseReturnValue:
    """One figure as it was at the end of a day; without a day: sent on to the one of yesterday."""
    if key not in FIGURES:
        raise NotFound()
    if not request.args.get("on"):
        given = ("facility", "province", "period")
        kept: dict[str, Any] = {name: request.args[name] for name in given if request.args.get(name)}
        return redirect(url_for("shop.impact_figure", key=key, on=_yesterday().isoformat(), **kept))
    return _figure_page(key=key)


@public_page(may_lag=False)
def _figure_page(key: str) -> str:
    one = FIGURES[key]
    scope = _scope(one)
    value = _value(one, scope)
    return render_template(
        "shop/figure.html",
        figure=one,
        value=value,
        scope=scope,
        formula=figures.formula(one, scope),
        csv=url_for("shop.impact_figure_rows", key=key) + scope.query_string(),
        address=plain_url("shop.impact_figure", key=key) + scope.query_string(),
        canonical=plain_url("shop.impact_figure", key=key) + scope.query_string(),
    )


@bp.get("/impact/figures/<key>.csv")
@public_page(mimetype="text/csv", may_lag=False)
def impact_figure_rows(key: str) -> str:
    """The rows that a figure sums."""
    if key not in FIGURES:
        raise NotFound()
    value = _value(FIGURES[key], _scope(FIGURES[key]))
    return csv_text(value.headings, value.rows)


def _value(one: Figure, scope: Scope) -> Value:
    if one.source == figures.PASSED_ON:
        return figures.of_passed_on(scope, read_passed_on(_end(scope)))
    if one.source == figures.TRAINING:
        return figures.of_training(one, scope, read_trained(_end(scope)))
    days: LedgerDays = current_app.extensions.setdefault("ledger_days", LedgerDays())
    return figures.of_ledger(one, scope, days.until(db.engine, scope.on))


def _end(scope: Scope) -> datetime.datetime:
    """The last moment of the scope's day."""
    return scope.moment - datetime.timedelta(microseconds=1)


def _scope(one: Figure) -> Scope:
    """What the address narrows the figure to. Raises BadMoment, Invalid and NotFound."""
    try:
        on = datetime.date.fromisoformat(request.args.get("on", ""))
    except ValueError:
        raise Invalid() from None
    if on < EARLIEST:
        raise Invalid()
    if on >= today():
        raise BadMoment(_("Hari itu belum selesai. Angka tetap ada untuk hari yang sudah lewat."))
    period = _period(one)
    facility, province = request.args.get("facility", ""), request.args.get("province", "")
    if not facility and not province:
        return Scope(on, period=period)
    understood = one.has_places and not (facility and province) and _is_plain(facility, province)
    place = place_of(facility, province) if understood else None
    if place is None:
        raise NotFound()
    return Scope(on, place.codes, period, facility=facility, province=province, place=place.name)


def _period(one: Figure) -> Period | None:
    asked = request.args.get("period", "")
    if not asked:
        return None
    period = Period.read(asked)
    if period is None:
        raise Invalid()
    if not (one.has_months if period.is_month else one.has_years):
        raise NotFound()
    return period


def _is_plain(facility: str, province: str) -> bool:
    return (not facility or facility.isalnum()) and (not province or SLUG.fullmatch(province) is not None)
