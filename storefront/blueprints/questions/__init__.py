"""`/questions/<token>`: a thread with a facility, for whoever asked. The link alone opens it.

The token is left out of our log (`web.py`), goes to nobody by Referer, and the page is kept by nobody.
"""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from storefront.enquiries.models import Enquiry
from storefront.enquiries.threads import thread
from storefront.enquiries.tokens import open_thread
from storefront.enquiries.write import count_message, write_again
from storefront.extensions import limiter
from storefront.form_key import new_key
from storefront.written import Written

bp = Blueprint("questions", __name__)


@bp.after_request
def personal(response: Response) -> Response:
    """What two people write to each other."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@bp.get("/questions/<token>")
def show(token: str) -> ResponseReturnValue:
    """The thread, with what still waits of one's own. Raises NotFound for a wrong link."""
    return _page(open_thread(token, request.remote_addr), token, Written())


@bp.post("/questions/<token>")
@limiter.limit("10 per minute")
def write(token: str) -> ResponseReturnValue:
    """The asker writes again."""
    enquiry, form = open_thread(token, request.remote_addr), Written(request.form)
    count_message(request.remote_addr)
    if form.done(lambda: write_again(enquiry, form["body"], form["request_key"])) is None:
        return _page(enquiry, token, form), form.status
    return redirect(url_for("questions.show", token=token, _anchor="akhir"), 303)


def _page(enquiry: Enquiry, token: str, form: Written) -> str:
    return render_template(
        "shop/question.html",
        thread=thread(enquiry, side="asker"),
        token=token,
        form=form,
        request_key=new_key(),
        is_sent=request.args.get("sent") == "1",
    )
