"""What people ask a facility, and what it answers; what they say of its works, and what it replies."""

from __future__ import annotations

from flask import flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.seller import allowed, bp
from storefront.enquiries import canned, inbox, large
from storefront.enquiries.inbox import Filters
from storefront.enquiries.models import Enquiry
from storefront.enquiries.threads import own_thread, thread
from storefront.enquiries.write import answer
from storefront.errors import NotFound
from storefront.form_key import kept_key
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action
from storefront.quotes import lists as quotes
from storefront.reviews import lists
from storefront.reviews.write import reply
from storefront.written import Written


@bp.get("/<code>/questions")
@access.rule(Action.ENQUIRIES_READ)
def question_list(code: str) -> ResponseReturnValue:
    """Questions, those that wait for an answer first; the address says what is looked at."""
    state, readers, sort = (request.args.get(name, "") for name in ("state", "readers", "sort"))
    if not request.args:
        state = "open"
    chosen = Filters(
        state if state in inbox.STATES else None,
        readers if readers in inbox.READERS else None,
        request.args.get("product", type=int),
        request.args.get("q", "").strip()[:100],
        sort if sort in inbox.SORTS else "",
    )
    return render_template(
        "seller/questions.html",
        chosen=chosen,
        page=inbox.of_facility(g.facility.id, chosen, page_number()),
        open=inbox.open_since(g.facility.id)[0],
        works=inbox.asked_about(g.facility.id),
    )


@bp.get("/<code>/questions/<int:enquiry_id>")
@access.rule(Action.ENQUIRIES_READ)
def question(code: str, enquiry_id: int) -> ResponseReturnValue:
    """One thread. Raises NotFound for another facility's, or while a curator has not let it through."""
    return _thread_page(_own(enquiry_id), Written())


@bp.post("/<code>/questions/<int:enquiry_id>")
@access.rule(Action.ENQUIRIES_WRITE)
def answer_question(code: str, enquiry_id: int) -> ResponseReturnValue:
    """Answer it; or put an answer kept ready below what was typed, and show the form again."""
    enquiry, form = _own(enquiry_id), Written(request.form)
    if form["insert"]:
        return _thread_page(enquiry, _with_canned(enquiry, form))
    message = form.done(lambda: answer(enquiry, form["body"], form["request_key"], access.person_id()))
    if message is None:
        return _thread_page(enquiry, form), form.status
    if message.is_shown:
        flash(_("Jawaban terkirim."), "ok")
    else:
        flash(_("Jawaban tersimpan dan menunggu kurator, karena memuat hal yang perlu dilihat dulu."), "warn")
    return redirect(url_for("seller.question", code=code, enquiry_id=enquiry_id), 303)


@bp.get("/<code>/questions/<int:enquiry_id>/files/<int:file_id>")
@access.rule(Action.ENQUIRIES_READ)
def question_file(code: str, enquiry_id: int, file_id: int) -> ResponseReturnValue:
    """A drawing or list that came with a wish, to be downloaded. Raises NotFound."""
    content, mimetype, name = large.file(_own(enquiry_id).id, file_id)
    response = make_response(content)
    response.mimetype = mimetype
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@bp.get("/<code>/reviews")
@access.rule(Action.ENQUIRIES_READ)
def review_list(code: str) -> ResponseReturnValue:
    """Public reviews of the facility's works, with its replies."""
    return _review_page(Written())


@bp.post("/<code>/reviews/<int:review_id>")
@access.rule(Action.ENQUIRIES_WRITE)
def reply_to_review(code: str, review_id: int) -> ResponseReturnValue:
    """Reply, or write the reply anew. Raises NotFound for another facility's review."""
    review, form = lists.own_review(g.facility.id, review_id), Written(request.form)
    if review is None:
        raise NotFound()
    made = form.done(lambda: reply(review, form["body"], access.person_id()))
    if made is None:
        return _review_page(form, review_id), form.status
    if made.is_shown:
        flash(_("Balasan tayang di bawah ulasannya."), "ok")
    else:
        flash(_("Balasan tersimpan dan menunggu kurator, karena memuat hal yang perlu dilihat dulu."), "warn")
    return redirect(url_for("seller.review_list", code=code, _anchor=f"ulasan-{review_id}"), 303)


def _own(enquiry_id: int) -> Enquiry:
    found = own_thread(g.facility.id, enquiry_id)
    if found is None:
        raise NotFound()
    return found


def _with_canned(enquiry: Enquiry, form: Written) -> Written:
    """The form with the chosen answer below what was typed."""
    number = request.form.get("canned", 0, type=int)
    if not number:
        form.errors["canned"] = _("Pilih dulu jawabannya.")
        return form
    reply = canned.find(g.facility.id, number)
    typed = [form["body"].rstrip(), canned.text_for(reply, enquiry.locale)]
    return Written({**form.values, "body": "\n\n".join(part for part in typed if part)})


def _thread_page(enquiry: Enquiry, form: Written) -> str:
    return render_template(
        "seller/question.html",
        thread=thread(enquiry, side="facility"),
        form=form,
        request_key=kept_key(form["request_key"]),
        may_answer=allowed(Action.ENQUIRIES_WRITE),
        replies=canned.replies(g.facility.id),
        quotes=quotes.of_enquiry(enquiry.id),
    )


def _review_page(form: Written, wrong: int | None = None) -> str:
    only = request.args.get("show") == "unanswered"
    return render_template(
        "seller/reviews.html",
        page=lists.of_facility(g.facility.id, page_number(), only),
        only_unanswered=only,
        form=form,
        wrong=wrong,
        may_reply=allowed(Action.ENQUIRIES_WRITE),
    )
