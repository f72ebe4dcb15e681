"""What a coordinator is in the middle of: a draft begun, one sent back, and changes to a published product."""

from __future__ import annotations

import datetime

from sqlalchemy import select, update

from storefront.audit.record import dated
from storefront.catalogue.models import Category, Photo, Product
from storefront.demo.moments import at, days
from storefront.demo.places import Places
from storefront.extensions import db
from storefront.listings import drafts
from storefront.listings.models import DraftPhoto, DraftState, ListingDraft
from storefront.listings.typed import blank_variant
from storefront.people.models import Person

#: Slug of the product that changes are written for, and of the one whose picture stands for the returned draft.
PROPOSED, PICTURED = "baju-koko", "taplak-meja-batik-cap"


def add(sites: Places, accounts: dict[str, Person], today: datetime.date) -> None:
    """Write them, for the facility of the coordinator's account."""
    writer, curator = accounts["coordinator@demo.test"].id, accounts["curator@demo.test"].id
    facility, sewing = sites.facilities["PKL"], sites.workshops["PKL", "Jahit"].id
    category = str(db.session.scalars(select(Category.id).where(Category.slug == "busana-batik")).first() or "")
    moments = [at(today - days(n), 10) for n in (1, 4, 2)]
    begun = {"title": "Dompet kain perca", "workshop": str(sewing), "category": category}
    begun["variants"] = [{**blank_variant(), "price": "35.000", "stock": "12"}]
    with dated(moments[0]):
        _moment(drafts.begin(facility.id, form_key=None, person_id=writer, content=begun), moments[0])
    bag = {"title": "Tas belanja lipat", "workshop": str(sewing), "category": category, "options": ["Warna"]}
    bag["description"] = "Dijahit rangkap dari sisa kain seprai; terlipat sebesar dompet."
    bag["variants"] = [
        {**blank_variant(), "options": [colour], "price": "45.000", "stock": "6", "weight": "120"}
        for colour in ("Biru", "Hijau")
    ]
    with dated(moments[1]):
        draft = drafts.begin(facility.id, form_key=None, person_id=writer, content=bag)
    _picture(draft, moments[1], writer)
    draft.submitted_at, draft.submitted_by = moments[1], writer
    draft.decided_at, draft.decided_by = moments[1] + datetime.timedelta(hours=5), curator
    draft.state = DraftState.SENT_BACK.value
    draft.note = "Tinggal sedikit lagi."
    draft.reasons = {"description": "Tulis juga ukurannya, dalam sentimeter."}
    _moment(draft, moments[1])
    product = db.session.scalars(select(Product).where(Product.slug == PROPOSED)).one_or_none()
    if product is not None and product.facility_id == facility.id:
        with dated(moments[2]):
            draft = drafts.draft_of(product, person_id=writer)
        draft.content = {**draft.content, "title": f"{product.title} lengan panjang"}
        _moment(draft, moments[2])


def _picture(draft: ListingDraft, moment: datetime.datetime, writer: int) -> None:
    shown = select(Photo).join(Product, Product.id == Photo.product_id).where(Product.slug == PICTURED)
    photo = db.session.scalars(shown.order_by(Photo.position)).first()
    if photo is None:
        return
    copy = DraftPhoto(
        draft_id=draft.id, position=1, alt="Kain bermotif, dilipat", state="ready", key=photo.key, tint=photo.tint,
        widths=list(photo.widths), width=photo.width, height=photo.height, faces=0, uploaded_by=writer,
        uploaded_at=moment,
    )  # fmt: skip
    db.session.add(copy)
    db.session.flush()


def _moment(draft: ListingDraft, moment: datetime.datetime) -> None:
    """When it was written: nothing of the demo says when it was loaded."""
    draft.created_at = draft.changed_at = moment
    db.session.flush()
    db.session.execute(update(DraftPhoto).where(DraftPhoto.draft_id == draft.id).values(uploaded_at=moment))
