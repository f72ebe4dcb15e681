"""What holds for every request: its id, where it may come from, and the security headers of its answer."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, current_app, g, make_response, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_wtf.csrf import validate_csrf
from werkzeug.middleware.proxy_fix import ProxyFix
from wtforms.validators import ValidationError

from config import Settings
from storefront import metrics
from storefront.errors import CrossOrigin
from storefront.extensions import csrf
from storefront.languages import PERSONAL_FACES

log = structlog.get_logger("storefront.web")

View = TypeVar("View", bound=Callable[..., Any])
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
#: These read no cookies, so a foreign page gains nothing by calling them.
WITHOUT_COOKIES = ("/api/v1/", "/webhooks/", "/sandbox/")
#: Largest request body in bytes: a photo of a good phone fits, a flood does not.
MAX_CONTENT_LENGTH = 24 * 1024 * 1024
#: Fields of a form that comes with files.
MOST_FIELDS = 3000
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
QUIET = frozenset({"system.healthz", "system.readyz", "system.metrics"})


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the request hooks, cookies and proxy rules to `app`."""
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_CONTENT_LENGTH,
        SESSION_COOKIE_NAME=settings.session_cookie,
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    app.session_interface = PersonalSessions()
    csrf.init_app(app)
    policy = content_security_policy(settings)
    app.before_request(begin)
    app.before_request(refuse_other_origins)

    def finish(response: Response) -> Response:
        return end(add_headers(response, policy, settings))

    app.after_request(finish)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )


class PersonalSessions(SecureCookieSessionInterface):
    """Signed cookies; an answer that read or wrote the session is for one person and kept by nobody."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if session.accessed:
            response.headers.setdefault("Cache-Control", "no-store")
        super().save_session(app, session, response)


def begin() -> None:
    """Give the request its id: a trusted proxy's, else a fresh one."""
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-ID", "")
    trusted = current_app.extensions["settings"].trusted_proxies > 0
    g.request_id = given if trusted and REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    # A view that takes files says how much at once; more is refused by its length, before a byte is read.
    largest = getattr(current_app.view_functions.get(request.endpoint or ""), "largest_body", None)
    if largest is not None:
        request.max_content_length, request.max_form_parts = largest, MOST_FIELDS


def takes_up_to(size: int) -> Callable[[View], View]:
    """A view that takes files: requests of up to `size` bytes; a larger one is refused by its length."""

    def declare(view: View) -> View:
        view.largest_body = size  # type: ignore[attr-defined]
        return view

    return declare


def refuse_other_origins() -> None:
    """Refuse a request that changes something unless it comes from our own pages.

    Raises `CrossOrigin`. The rule needs no token in cached pages: browsers say where a request comes from
    in Sec-Fetch-Site or Origin; whoever says neither must carry no session or a valid token.
    """
    if request.method in SAFE_METHODS or request.path.startswith(WITHOUT_COOKIES):
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        allowed = site == "same-origin"
    elif origin is not None:
        allowed = _host_of(origin) == request.host.lower()
    else:
        allowed = current_app.config["SESSION_COOKIE_NAME"] not in request.cookies or _has_valid_token()
    if not allowed:
        raise CrossOrigin()
    if request.blueprint in PERSONAL_FACES:
        csrf.protect()


def _host_of(origin: str) -> str:
    """Host and port of an Origin header as the Host header would write them; empty for `null`."""
    try:
        parts = urlsplit(origin)
        default = {"http": 80, "https": 443}.get(parts.scheme)
        host = parts.netloc.lower()
        return host.removesuffix(f":{default}") if parts.port == default else host
    except ValueError:
        return ""


def _has_valid_token() -> bool:
    token = request.form.get("csrf_token") or request.headers.get("X-CSRFToken")
    try:
        validate_csrf(token)
    except ValidationError:
        return False
    return True


def content_security_policy(settings: Settings) -> str:
    """The policy of every page: nothing inline, nothing foreign, forms to ourselves and the gateway.

    Chromium also checks redirects after a form against `form-action`, so the gateway's page is listed.
    """
    base = urlsplit(settings.base_url)
    targets = ["'self'", f"{base.scheme}://{base.netloc}"]
    if settings.payment_gateway == "stripe":
        targets.append("https://checkout.stripe.com")
        if settings.stripe_api_base:
            fake = urlsplit(settings.stripe_api_base)
            targets.append(f"{fake.scheme}://{fake.netloc}")
    return "; ".join(
        [
            "default-src 'self'",
            "img-src 'self' data:",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action " + " ".join(targets),
        ]
    )


def add_headers(response: Response, policy: str, settings: Settings) -> Response:
    """Add the security headers, keeping what a view has set itself."""
    headers = response.headers
    headers["X-Request-ID"] = g.get("request_id", "")
    headers.setdefault("Content-Security-Policy", policy)
    # Never no-referrer: it would turn Origin into null and break the same-origin rule.
    order_page = request.path.startswith("/orders/")
    headers.setdefault("Referrer-Policy", "same-origin" if order_page else "strict-origin-when-cross-origin")
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if settings.secure and not settings.demo:
        headers.setdefault("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
    if settings.demo:
        headers.setdefault("X-Robots-Tag", "noindex, nofollow")
    if request.blueprint in PERSONAL_FACES or order_page:
        headers.setdefault("Cache-Control", "no-store")
    return response


def end(response: Response) -> Response:
    """Count and log the finished request: route and path, never the query string."""
    seconds = time.perf_counter() - g.get("started", time.perf_counter())
    endpoint = request.endpoint or "none"
    metrics.observe_request(endpoint, request.method, response.status_code, seconds)
    if endpoint not in QUIET:
        log.info(
            "request",
            method=request.method,
            path=_path_without_secrets(),
            endpoint=endpoint,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
        )
    return response


def _path_without_secrets() -> str:
    """The path for the log; a cart's id opens the cart, so its place is named instead."""
    secret = (request.view_args or {}).get("token")
    return request.path.replace(secret, "<token>") if secret else request.path


def cacheable(body: Any, *, max_age: int = 0) -> Response:
    """A public answer that browsers and CDNs may keep for `max_age` seconds and then ask about by its ETag.

    Only for pages that touch no session. Answers 304 by itself when the reader has the same page.
    """
    response = make_response(body)
    response.cache_control.public = True
    response.cache_control.max_age = max_age
    if not max_age:
        response.cache_control.no_cache = True
    response.add_etag(weak=True)
    response.make_conditional(request)
    return response
