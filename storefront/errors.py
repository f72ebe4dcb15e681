"""What can go wrong by the rules of the shop, and the one handler that tells people and scripts.

A rule raises a `DomainError`; nobody builds an error answer by hand. The handler makes a page, a fragment
for htmx, or RFC 9457 `application/problem+json`, in the language of the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from flask import Flask, Response, g, jsonify, make_response, redirect, render_template, request
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf.csrf import CSRFError
from markupsafe import Markup
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from storefront.extensions import db
from storefront.pages import page_above

log = structlog.get_logger("storefront.errors")

BARE_PAGE = Markup(
    "<!doctype html><html><meta charset='utf-8'><title>{title}</title>"
    "<h1>{title}</h1><p>{message}</p><p>{request_id}</p><p><a href='{root}/'>{home}</a></p></html>"
)
MACHINE_PATHS = ("/api/", "/webhooks/", "/sandbox/", "/feeds/")


class DomainError(Exception):
    """Something that the rules of the shop do not allow.

    `code` is stable and for programs, `message` is for people and says what to do, `extra` are further
    members of the problem+json answer (for example `lines`).
    """

    code = "error"
    status = 400
    message: Any = _("Permintaan ini tidak dapat diproses.")
    #: Further headers of the answer.
    headers: Mapping[str, str] = {}

    def __init__(
        self,
        message: Any = None,
        *,
        code: str | None = None,
        status: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.message = type(self).message if message is None else message
        self.code = code or type(self).code
        self.status = status or type(self).status
        self.extra: dict[str, Any] = dict(extra or {})
        super().__init__(self.code)


class NotFound(DomainError):
    """No such thing, or not for this person: the two answers are the same on purpose."""

    code, status = "not_found", 404
    message = _("Halaman ini tidak ada atau sudah pindah. Cari karyanya di katalog, atau mulai dari beranda.")


class Forbidden(DomainError):
    code, status = "forbidden", 403
    message = _("Akun Anda tidak boleh membuka bagian ini. Masuk dengan akun lain, atau kembali ke beranda.")


class CrossOrigin(DomainError):
    """A request that changes something came from another site (see `storefront.web`)."""

    code, status = "cross_origin", 403
    message = _(
        "Permintaan ini datang dari situs lain, jadi tidak kami jalankan. Buka halamannya lagi dan ulangi."
    )


class Invalid(DomainError):
    """Fields that cannot be used; `errors` maps each field's name to a sentence."""

    code, status = "invalid", 422
    message = _("Ada isian yang belum benar. Perbaiki yang ditandai, lalu kirim lagi.")

    def __init__(self, errors: Mapping[str, Any] | None = None, message: Any = None) -> None:
        super().__init__(message, extra={"errors": dict(errors)} if errors else None)

    @property
    def errors(self) -> dict[str, Any]:
        """The sentence for each field."""
        return self.extra.get("errors", {})


class UnknownSku(DomainError):
    code, status = "unknown_sku", 404
    message = _("Kode barang (SKU) ini tidak kami kenal.")


class OutOfStock(DomainError):
    """`lines`: for each line concerned its SKU, what was wanted and what is available."""

    code, status = "out_of_stock", 409
    message = _("Stok tidak cukup. Kurangi jumlahnya atau pilih karya lain.")

    def __init__(self, lines: list[dict[str, Any]] | None = None, message: Any = None) -> None:
        super().__init__(message, extra={"lines": lines} if lines else None)


class PriceChanged(DomainError):
    """`lines` or the totals carry both prices, the one shown and today's."""

    code, status = "price_changed", 409
    message = _("Harga berubah sejak Anda melihatnya. Periksa jumlah yang baru, lalu pesan lagi.")

    def __init__(self, message: Any = None, **extra: Any) -> None:
        super().__init__(message, extra=extra)


class ListingUnavailable(DomainError):
    code, status = "listing_unavailable", 409
    message = _("Karya ini sedang tidak dijual. Keluarkan dari keranjang untuk melanjutkan.")

    def __init__(self, lines: list[dict[str, Any]] | None = None, message: Any = None) -> None:
        super().__init__(message, extra={"lines": lines} if lines else None)


class NotDeliveredThere(DomainError):
    code, status = "not_delivered_there", 409
    message = _(
        "Karya ini tidak dapat dikirim ke alamat itu. Pilih ambil sendiri, atau keluarkan dari keranjang."
    )

    def __init__(self, lines: list[dict[str, Any]] | None = None, message: Any = None) -> None:
        super().__init__(message, extra={"lines": lines} if lines else None)


class CartClosed(DomainError):
    code, status = "cart_closed", 409
    message = _("Keranjang ini sudah dipesan. Mulai keranjang baru untuk berbelanja lagi.")


class OrderClosed(DomainError):
    code, status = "order_closed", 409
    message = _("Pesanan ini sudah selesai atau batal, jadi tidak dapat diubah lagi.")


class IdempotencyKeyRequired(DomainError):
    code, status = "idempotency_key_required", 400
    message = _("Kirim header Idempotency-Key agar pesanan tidak tercatat dua kali.")


class IdempotencyMismatch(DomainError):
    code, status = "idempotency_mismatch", 422
    message = _("Idempotency-Key ini sudah dipakai untuk permintaan yang isinya lain. Pakai kunci baru.")


class TooManyUnpaid(DomainError):
    code, status = "too_many_unpaid", 429
    message = _(
        "Masih ada tiga pesanan yang belum dibayar. Bayar salah satunya, atau tunggu sampai batas waktunya."
    )


class TooManyRequests(DomainError):
    code, status = "too_many_requests", 429
    message = _("Terlalu banyak permintaan dalam waktu singkat. Tunggu sebentar, lalu coba lagi.")


class Unavailable(DomainError):
    """The database is away or too busy."""

    code, status = "unavailable", 503
    message = _(
        "Toko sedang tidak dapat dibuka. Tunggu semenit, lalu muat ulang. Pesanan Anda yang sudah jadi aman."
    )


class Internal(DomainError):
    code, status = "internal", 500
    message = _(
        "Ada yang salah di pihak kami dan sudah kami catat. Coba lagi; bila terulang, sebutkan nomor di bawah."
    )


def wants_json() -> bool:
    """Whether the answer goes to a program rather than to a person."""
    if request.path.startswith(MACHINE_PATHS) or request.is_json:
        return True
    offers = ["text/html", "application/json", "application/problem+json"]
    return request.accept_mimetypes.best_match(offers, default="text/html") != "text/html"


def init_app(app: Flask) -> None:
    """Register the handler for domain, HTTP, database and unforeseen errors."""
    app.register_error_handler(DomainError, answer)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(SQLAlchemyError, _database)
    app.register_error_handler(Exception, _unforeseen)


def answer(error: DomainError) -> Response:
    """The answer for `error`: problem+json for programs, a fragment for htmx, else a page."""
    request_id = g.get("request_id", "")
    message = str(error.message)
    if error.status >= 500 or error.status in (403, 429):
        log.warning("refused", code=error.code, status=error.status)
    if wants_json():
        body = {"type": "about:blank", "title": title_of(error.status), "status": error.status}
        body |= {"code": error.code, "detail": message, "request_id": request_id}
        body |= {key: _plain(value) for key, value in error.extra.items()}
        response = jsonify(body)
        response.mimetype = "application/problem+json"
    else:
        response = make_response(_page(error, message, request_id))
    response.status_code = error.status
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(error.headers)
    if error.status in (429, 503):
        response.headers["Retry-After"] = "60"
    return response


def _page(error: DomainError, message: str, request_id: str) -> str:
    """The page or fragment for people; a bare one when the templates themselves cannot be rendered."""
    title = title_of(error.status)
    context = {"code": error.code, "status": error.status, "title": title, "message": message}
    fragment = request.headers.get("HX-Request") == "true"
    try:
        return render_template(
            "errors/error.html", request_id=request_id, extra=error.extra, fragment=fragment, **context
        )
    except Exception as broken:  # the last line of defence: whatever is broken, people still get a page
        log.error("error page failed", error=type(broken).__name__, exc_info=broken)
        home, root = gettext("Ke beranda"), request.script_root
        return BARE_PAGE.format(title=title, message=message, request_id=request_id, home=home, root=root)


def title_of(status: int) -> str:
    """A short heading for people, by HTTP status."""
    titles = {
        400: gettext("Permintaan tidak dimengerti"),
        401: gettext("Silakan masuk dahulu"),
        403: gettext("Tidak diizinkan"),
        404: gettext("Tidak ditemukan"),
        405: gettext("Cara ini tidak tersedia"),
        409: gettext("Keadaannya sudah berubah"),
        413: gettext("Kiriman terlalu besar"),
        422: gettext("Ada isian yang belum benar"),
        429: gettext("Terlalu sering"),
        503: gettext("Toko sedang tidak dapat dibuka"),
    }
    return titles.get(status) or (
        gettext("Ada gangguan") if status >= 500 else gettext("Tidak dapat diproses")
    )


def _plain(value: Any) -> Any:
    """`value` with lazy texts made plain, ready for JSON."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def _csrf(error: CSRFError) -> Response:
    return answer(
        CrossOrigin(_("Halaman ini sudah terlalu lama terbuka. Muat ulang, lalu kirim lagi."), code="csrf")
    )


def _http(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:
        return error  # a redirect raised by the router
    if error.code == 405 and request.method == "GET" and not wants_json() and (above := page_above()):
        return redirect(above)
    known = {404: NotFound, 403: Forbidden, 429: TooManyRequests}.get(error.code)
    if known is not None:
        domain: DomainError = known()
    else:
        code = error.name.lower().replace(" ", "_")
        domain = DomainError(_http_message(error.code), code=code, status=error.code)
    response = answer(domain)
    for name, value in error.get_headers(request.environ):
        if name.lower() in ("allow", "retry-after", "www-authenticate"):
            response.headers[name] = value
    return response


def _http_message(status: int) -> Any:
    if status == 413:
        return _(
            "Kiriman ini terlalu besar dan tidak dibaca. Kembali ke halaman sebelumnya: tulisan Anda masih ada."
            " Kecilkan berkasnya atau kirim satu per satu, lalu coba lagi."
        )
    if status == 405:
        return _("Alamat ini tidak dapat dipakai dengan cara itu. Mulai lagi dari beranda.")
    return None


def _database(error: SQLAlchemyError) -> Response:
    """A database error that no rule foresaw: away means 503, all else is our fault."""
    db.session.rollback()
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if lost or isinstance(error, (OperationalError, InterfaceError, PoolTimeout)):
        log.error("database unavailable", error=type(error).__name__, exc_info=error)
        return answer(Unavailable())
    if isinstance(error, DataError):
        # A NUL sign, or a number beyond any column: nothing in the shop is called that.
        log.warning("input that cannot be stored", error=type(error.orig).__name__)
        if request.method in ("GET", "HEAD"):
            return answer(NotFound())
        return answer(
            Invalid(
                message=_(
                    "Isian memuat tanda atau angka yang tidak dapat dipakai. Tulis ulang, lalu kirim lagi."
                )
            )
        )
    return _unforeseen(error)


def _unforeseen(error: Exception) -> Response:
    log.error("unforeseen error", error=type(error).__name__, exc_info=error)
    return answer(Internal())
