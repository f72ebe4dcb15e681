"""Forms of a facility's pages."""

from __future__ import annotations

import secrets

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import HiddenField, IntegerField, SelectChoice, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp, ValidationError

from storefront.catalogue.offer import LONGEST_LEAD, MOST
from storefront.written import one_line, whole_number

#: Couriers that reach a facility's gate; `other` is written by hand.
COURIERS = ("JNE", "J&T Express", "Pos Indonesia", "SiCepat", "TIKI", "AnterAja", "Lion Parcel", "Wahana")
OTHER = "other"
COURIER_OPTIONS = [*((name, name) for name in COURIERS), (OTHER, _("Kurir lain"))]
#: Why a coordinator moves pieces by hand. Sales and transfers move them by themselves.
REASONS = ("made", "counted", "damaged", "given", "correction")
MOST_PIECES = 100_000


def tidy(text: str | None) -> str:
    """What a field holds, on one line."""
    return one_line(text or "")


class WholeNumber(IntegerField):
    """A whole number, with or without dots between the thousands."""

    def process_formdata(self, valuelist: list[str]) -> None:
        written = str(valuelist[0]).strip() if valuelist else ""
        if not written:
            return
        is_less = written[0] in "-\N{MINUS SIGN}"
        number = whole_number(written[1:] if is_less else written)
        if number is None:
            raise ValueError(_("Tulis dengan angka bulat."))
        self.data = -number if is_less else number


class ShipForm(FlaskForm):
    courier_options = COURIER_OPTIONS
    courier = SelectField(
        choices=[SelectChoice("", ""), *(SelectChoice(code, label) for code, label in COURIER_OPTIONS)],
        validators=[InputRequired(_("Pilih kurirnya."))],
    )
    other_courier = StringField(
        filters=[tidy], validators=[Length(max=60, message=_("Nama kurir paling panjang 60 huruf."))]
    )
    tracking = StringField(
        filters=[tidy], validators=[Length(max=60, message=_("Nomor resi paling panjang 60 karakter."))]
    )

    def validate_other_courier(self, field: StringField) -> None:
        if self.courier.data == OTHER and not field.data:
            raise ValidationError(_("Tulis nama kurirnya."))

    @property
    def chosen_courier(self) -> str:
        """The courier by name."""
        return str(self.other_courier.data if self.courier.data == OTHER else self.courier.data)


class StockForm(FlaskForm):
    """A stock correction. `once` is made with the form, so that a double click moves pieces once."""

    reason = SelectField(
        choices=[SelectChoice("", ""), *(SelectChoice(code, code) for code in REASONS)],
        validators=[InputRequired(_("Pilih alasannya."))],
    )
    quantity = WholeNumber(
        validators=[
            InputRequired(_("Tulis jumlahnya dengan angka.")),
            NumberRange(-MOST_PIECES, MOST_PIECES, _("Jumlah ini terlalu besar.")),
        ]
    )
    note = StringField(
        filters=[tidy], validators=[Length(max=200, message=_("Catatan paling panjang 200 huruf."))]
    )
    once = HiddenField(
        default=lambda: secrets.token_urlsafe(12),
        validators=[Regexp(r"^[A-Za-z0-9_-]{12,40}$", message=_("Muat ulang halaman, lalu coba lagi."))],
    )

    def validate_quantity(self, field: WholeNumber) -> None:
        reason, quantity = self.reason.data, field.data
        if quantity is None:
            return
        if reason == "counted" and quantity < 0:
            raise ValidationError(_("Hasil hitung tidak bisa kurang dari nol."))
        if reason in ("made", "damaged", "given") and quantity <= 0:
            raise ValidationError(_("Tulis berapa buah, mulai dari 1."))
        if reason == "correction" and quantity == 0:
            raise ValidationError(_("Tulis selisihnya: misalnya 2 untuk menambah, −2 untuk mengurangi."))


class OfferForm(FlaskForm):
    price = WholeNumber(
        validators=[
            InputRequired(_("Tulis harga dalam rupiah.")),
            NumberRange(1, MOST, _("Tulis harga dalam rupiah, dari 1 sampai satu miliar.")),
        ]
    )
    lead_time_days = WholeNumber(
        validators=[
            Optional(),
            NumberRange(1, LONGEST_LEAD, _("Tulis lama pengerjaan dalam hari, dari 1 sampai 365.")),
        ]
    )
