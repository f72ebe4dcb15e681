"""The fake as a process: `python -m tests.stripe_fake --key sk_test_… --webhook-secret whsec_…`.

Prints its address as the first line, and runs until its standard input is closed or it is ended.
"""

from __future__ import annotations

import argparse
import copy
import logging
import os
import sys
import threading
from pathlib import Path

from flask import Flask, redirect, render_template_string, request
from flask.typing import ResponseReturnValue
from werkzeug.serving import make_server

from tests.stripe_fake import api, control, sessions
from tests.stripe_fake.account import Account, Object, Refused
from tests.stripe_fake.faults import Faults
from tests.stripe_fake.hooks import Deliverer

PAGE = (Path(__file__).parent / "page.html").read_text()


def make_app(account: Account) -> Flask:
    """The fake of one account."""
    app = Flask("stripe_fake")
    planned, calls, deliverer = Faults(), api.Calls(), Deliverer(account)

    def say(event: Object) -> None:
        deliverer.take(api.shown(account, copy.deepcopy(event), []))

    account.on_event = say
    app.register_blueprint(api.make(account, planned, calls))
    app.register_blueprint(control.make(account, planned, calls, deliverer))

    @app.get("/c/pay/<session_id>")
    def page(session_id: str) -> ResponseReturnValue:
        with account.lock:
            sessions.run_out(account)
            session = account.get(session_id, "checkout.session")
            return render_template_string(PAGE, session=session, methods=sessions.METHODS, message="")

    @app.post("/c/pay/<session_id>")
    def pay(session_id: str) -> ResponseReturnValue:
        with account.lock:
            session = account.get(session_id, "checkout.session")
            method = request.form["method"]
            if method == "declined":
                message = "Your card was declined."
                return render_template_string(
                    PAGE, session=session, methods=sessions.METHODS, message=message
                )
            sessions.pay(account, session, method)
            return redirect(session["success_url"], 303)

    @app.errorhandler(Refused)
    def refused(error: Refused) -> ResponseReturnValue:
        return error.body, error.status

    return app


def main() -> None:
    """Serve until nobody needs it any more."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", default="sk_test_fake")
    parser.add_argument("--webhook-secret", action="append", default=[])
    parser.add_argument("--webhook-url")
    given = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    account = Account(given.key, given.webhook_secret or ["whsec_fake"])
    account.webhook_url = given.webhook_url
    server = make_server("127.0.0.1", given.port, make_app(account), threaded=True)
    account.address = f"http://127.0.0.1:{server.port}"
    print(account.address, flush=True)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    server.serve_forever()


def _end_with_parent() -> None:
    """Whoever started it holds its standard input open; a killed parent lets go."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
