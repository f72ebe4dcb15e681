"""Forms of the account's pages."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import PasswordField, SelectChoice, SelectField, StringField
from wtforms.validators import InputRequired, Length

from storefront.languages import LOCALES

NO_NEWLINE = str.maketrans(dict.fromkeys(map(chr, [*range(32), 127]), " "))


def one_line(text: str | None) -> str:
    """`text` on one line, without control characters, single spaces."""
    return " ".join((text or "").translate(NO_NEWLINE).split())


class LoginForm(FlaskForm):
    email = StringField(validators=[InputRequired(_("Tulis alamat surel akun Anda."))])
    password = PasswordField(
        validators=[InputRequired(_("Tulis kata sandi Anda, atau minta tautan lewat surel di bawah."))]
    )


class SettingsForm(FlaskForm):
    locale_options = list(LOCALES.items())
    name = StringField(
        filters=[one_line],
        validators=[Length(1, 120, _("Tulis nama Anda, paling panjang 120 huruf."))],
    )
    locale = SelectField(choices=[SelectChoice(code, name) for code, name in LOCALES.items()])


class NewPasswordForm(FlaskForm):
    """For who has just come by a mailed link."""

    password = PasswordField(validators=[InputRequired(_("Tulis kata sandi yang baru."))])


class PasswordForm(NewPasswordForm):
    current = PasswordField(validators=[InputRequired(_("Tulis kata sandi yang sekarang."))])


class EmailForm(FlaskForm):
    """Without a password, nothing but the address is asked."""

    email = StringField(validators=[InputRequired(_("Tulis alamat surel yang baru."))])
    password = PasswordField()
