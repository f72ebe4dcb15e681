"""`flask person`: accounts of those who work here, for the first ones, whom nobody could admit otherwise."""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup
from sqlalchemy import select

from storefront.audit.record import record
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.people import memberships, passwords, second_factor
from storefront.people.models import Person, Role
from storefront.people.role_reach import AT_A_FACILITY, GIVEN
from storefront.people.sign_in import normal_email
from storefront.snapshot import database_needed

ROLES = [role.value for role in GIVEN]

person = AppGroup("person", help="Accounts of those who work here.")


@person.command("add")
@click.argument("email")
@click.option("--name", required=True, help="As colleagues know them.")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option(
    "--facility",
    "codes",
    metavar="CODE",
    multiple=True,
    help="Of a coordinator or head; several times for several.",
)
@click.option("--language", type=click.Choice(["id", "en"]), default="id", show_default=True)
@database_needed()
def add(email: str, name: str, role: str, codes: tuple[str, ...], language: str) -> None:
    """Add a person who does not have an account yet, with a role.

    Asks for the password; when no terminal is there to ask, it is the first line of the input.
    """
    email, name, given = normal_email(email), " ".join(name.split()), Role(role)
    if email.endswith("@demo.test") or not 0 < email.find("@") < len(email) - 1 or len(email) > 254:
        raise click.ClickException(f"{email} is not an address that letters could be sent to.")
    if not 0 < len(name) <= 120:
        raise click.ClickException("A name has 1 to 120 characters.")
    if bool(codes) != (given in AT_A_FACILITY):
        raise click.ClickException(
            f"The role {role} reaches the whole programme: leave --facility out."
            if codes
            else f"The role {role} is one at a facility: name it with --facility."
        )
    places: list[int | None] = [_facility(code) for code in dict.fromkeys(codes)]
    if db.session.scalar(select(Person.id).where(Person.email == email)) is not None:
        raise click.ClickException(f"{email} has an account already.")
    password = _password(email, name)
    newcomer = Person(
        email=email, name=name, password_hash=passwords.hash_password(password), locale=language
    )
    db.session.add(newcomer)
    db.session.flush()
    for place in places or [None]:
        memberships.grant(newcomer, given, facility_id=place)
    record(
        "person.added",
        "person",
        newcomer.id,
        details={"role": role, "facilities": list(codes), "by": "command"},
    )
    db.session.commit()
    click.echo(f"{email} is {role}{' of ' + ', '.join(codes) if codes else ''}.")
    click.echo("At the first sign-in a phone is set up as second factor.")


@person.command("reset-factor")
@click.argument("email")
@database_needed()
def reset_factor(email: str) -> None:
    """Take somebody's phone and codes on paper out of use, for when no two administrators can.

    All their sessions end; at the next sign-in they set up a phone anew. They are told by letter.
    """
    found = db.session.scalar(select(Person).where(Person.email == normal_email(email)))
    if found is None:
        raise click.ClickException(f"There is no account {email}.")
    if not second_factor.end(found.id, by=None):
        raise click.ClickException(f"{found.email} has no second factor set up.")
    db.session.commit()
    click.echo(f"{found.email} sets up a phone anew at the next sign-in.")


def _facility(code: str) -> int:
    found = db.session.scalar(select(Facility.id).where(Facility.code == code))
    if found is None:
        raise click.ClickException(f"There is no facility {code}.")
    return found


def _password(email: str, name: str) -> str:
    """A password that may be set, asked for twice at a terminal."""
    if sys.stdin.isatty():
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    try:
        passwords.check_new(password, email=email, name=name)
    except Invalid as refused:
        raise click.ClickException(str(refused.errors["password"])) from None
    return password
