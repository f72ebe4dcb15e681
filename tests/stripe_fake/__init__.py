"""A stateful fake of Stripe's API, as a server of its own: `python -m tests.stripe_fake`.

It is strict where Stripe is: it refuses parameters that the official package's types do not know, keeps
idempotency keys, signs its webhooks, and books every movement with its fee. It can be told to be slow, to
fail, to drop an answer, and to deliver its webhooks late, twice, shuffled or never (`control.py`).

The shapes of its objects are Stripe's own examples (`shapes.json`: stripe/openapi, MIT licence, Stripe, Inc.).
"""
