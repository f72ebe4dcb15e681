"""One queue for what the public and facilities write: what may be shown at once, what waits for a curator.

A room whose texts or pictures become public has a module `moderated.py` (imported at start) that registers its
kinds, and calls `submit` when something is written:

    queue.register(Kind("thank_you", show=shown_of, apply=made_public_or_not))

    item = queue.submit("thank_you", row.id, facility_id=…, reasons=content_rule.reasons(row.body))
    row.is_shown = item.is_public

- Without `reasons` it passes at once; pass a reason of your own (`new_text`, `new_photo`) for what always needs a
  look. Written anew, it is submitted anew: the same row, back in the queue.
- `show(ids)` gives what a curator reads beside each thing (`Shown`); what is missing from it is gone for good.
- `apply(subject_id, is_public)` writes into the room's own table what the decision means, in the same transaction.

Kinds are `question`, `answer`, `review`, `reply`, `photo`, `thank_you` (the database knows them). What the public
sees without having passed or been approved here is named by `flask verify`.
"""
