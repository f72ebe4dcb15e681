"""Pages of training: of a facility and of the office."""

from __future__ import annotations

from tests.browser.sights import Sight, at, found

COORDINATOR, ADMINISTRATOR = "coordinator@demo.test", "admin@demo.test"
#: The later count that waits, what was sent back, and a file that is not stored yet: all of Pekalongan.
LATER = "SELECT programme_id FROM training_followups WHERE state = 'recorded'"
SENT_BACK = "SELECT id FROM training_programmes WHERE state = 'rejected'"
FILE = "SELECT id FROM training_imports WHERE state = 'ready'"
HOME = "/seller/PKL/training"

TRAINING_PAGES = [
    Sight("seller-training", "seller.training_list", at(f"{HOME}?sort=newest"), COORDINATOR),
    Sight("seller-training-new", "seller.new_training", at(f"{HOME}/new"), COORDINATOR),
    Sight("seller-training-later", "seller.training", found(HOME + "/{}", LATER), COORDINATOR),
    Sight("seller-training-sent-back", "seller.edit_training", found(HOME + "/{}/edit", SENT_BACK), COORDINATOR),
    Sight("seller-training-imports", "seller.training_imports", at(f"{HOME}/import"), COORDINATOR),
    Sight("seller-training-import", "seller.training_import", found(HOME + "/import/{}", FILE), COORDINATOR),
    Sight("admin-training", "admin.training_list", at("/admin/training"), ADMINISTRATOR),
    Sight("admin-training-programme", "admin.training_page", found("/admin/training/{}", LATER), ADMINISTRATOR),
    Sight("admin-training-targets", "admin.training_targets", at("/admin/training/targets"), ADMINISTRATOR),
]

#: Files to take away.
NO_TRAINING_PAGES = {"seller.training_template", "seller.training_import_errors"}
