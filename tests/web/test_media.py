"""Photos are served for ever under names of their content; nothing else is served at all."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.orm import Session

from storefront import media
from storefront.catalogue.models import Photo
from storefront.media.photos import MAX_PHOTOS, TooManyPhotos
from storefront.media.storage import open_store, private_files, public_files
from tests.clones import settings_for
from tests.factories import make_product


def jpeg(shade: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (700, 500), (shade, 90, 40)).save(buffer, "JPEG")
    return buffer.getvalue()


def test_a_photo_of_a_product_is_served_in_each_width(client: FlaskClient, db_session: Session) -> None:
    product = make_product()
    photo = db_session.get_one(Photo, media.add_photo(product.id, jpeg(), "Kursi kayu", "Wooden chair", "c2"))
    assert (photo.widths, photo.width, photo.height, photo.tint) == ([320, 640, 700], 700, 500, "c2")
    for width in photo.widths:
        for form in ("avif", "webp"):
            answer = client.get(media.media_url(f"{photo.key}-{width}.{form}"))
            assert answer.status_code == 200
            assert answer.mimetype == f"image/{form}"
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "Set-Cookie" not in answer.headers
    again = client.get(answer.request.path, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_photos_keep_their_order(db_session: Session) -> None:
    product = make_product()
    ids = [media.add_photo(product.id, jpeg(shade), "Kursi kayu") for shade in (1, 2, 3)]
    assert media.remove_photo(ids[0], product.id)
    assert not media.remove_photo(ids[1], make_product().id)  # another product's photo stays
    db_session.expire_all()
    assert [(db_session.get_one(Photo, key).position) for key in ids[1:]] == [0, 1]


def test_a_product_holds_a_dozen_photos(db_session: Session) -> None:
    product = make_product()
    for _ in range(MAX_PHOTOS):
        media.add_photo(product.id, jpeg(), "Kursi kayu")
    with pytest.raises(TooManyPhotos):
        media.add_photo(product.id, jpeg(), "Kursi kayu")


@pytest.mark.parametrize(
    "key",
    [
        "photos/00/" + "0" * 32 + "-320.webp",
        "../secret-key",
        "..%2f..%2fsecret-key",
        "%2e%2e/private/exports/all.csv",
        "private/exports/all.csv",
        "photos/00/" + "0" * 32 + "-320.svg",
        "photos/",
        "photos/00/" + "0" * 32 + "-320.webp%00",
        "etc/passwd",
    ],
)
def test_nothing_but_photos_is_served(client: FlaskClient, app: Flask, key: str) -> None:
    with app.app_context():
        private_files().write("exports/all.csv", b"secret")
    assert client.get("/media/" + key).status_code == 404


@pytest.mark.parametrize("key", ["", "../x", "a/../b", "/a", "a//b", ".hidden", "a/.b", "A", "a b", "a\n"])
def test_a_key_cannot_leave_its_store(app: Flask, key: str) -> None:
    with app.app_context(), pytest.raises(ValueError, match="not a key"):
        public_files().path(key)


def test_any_store_that_fsspec_knows_will_do(clone: object, tmp_path: object) -> None:
    store = open_store(
        settings_for(clone.addresses, tmp_path, MEDIA_URL="memory://shop/files"),
        "public",  # type: ignore[attr-defined, arg-type]
    )
    assert not store.is_local
    store.write("photos/a.webp", b"picture")
    assert store.read("photos/a.webp") == b"picture"
    assert store.exists("photos/a.webp")
    store.delete("photos/a.webp")
    assert not store.exists("photos/a.webp")


def test_a_folder_with_odd_letters_in_its_name_is_a_folder(clone: object, tmp_path: object) -> None:
    folder = f"{tmp_path}/Toko *Kami*::~ baru"
    store = open_store(settings_for(clone.addresses, tmp_path, MEDIA_URL=folder), "public")  # type: ignore[attr-defined, arg-type]
    store.write("photos/a.webp", b"picture")
    assert store.is_local
    assert store.read("photos/a.webp") == b"picture"
