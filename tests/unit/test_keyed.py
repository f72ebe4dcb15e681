"""Checks that links of letters are told by: they must never change, or letters of last month open nothing."""

from __future__ import annotations

from flask import Flask

from storefront.keyed import in_address, keyed_check


def test_a_check_stays_the_same_for_ever_and_differs_by_purpose_and_text() -> None:
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "no secret"
    with app.app_context():
        check = keyed_check("storefront order token", "7|1")
        assert in_address(check) == "2bJM0cRcberk1NY7B0xOW9xBj3T1ZIVsyg6vE4NlHL0"
        assert len({check, keyed_check("storefront order token", "7|2"), keyed_check("another", "7|1")}) == 3
