"""Pictures and private files: where they lie, and what is done to a photo before anyone sees it."""

from storefront.media.photos import add_photo, remove_photo
from storefront.media.storage import media_url, private_files, public_files

__all__ = ["add_photo", "media_url", "private_files", "public_files", "remove_photo"]
