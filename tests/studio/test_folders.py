"""A folder of pictures that were dropped in: made once, inside the studio, for trainings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.browser.wall import picture
from tests.studio.serving import Served, studio


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with studio(tmp_path_factory.mktemp("folders") / "home") as found:
        yield found


def test_a_folder_is_made_of_pictures_that_are_here(served: Served) -> None:
    ids = [served.upload(picture(32, 32, seed), f"{seed}.png").json["id"] for seed in range(3)]
    places = ["train/cats", "test/cats", "../../../out/.ssh"]
    rows = [{"id": one, "place": place} for one, place in zip(ids, places, strict=True)]
    made = served.call("POST", "/api/folders", {"name": "../cats", "pictures": rows})
    assert made.status == 201, made.body
    assert made.json["pictures"] == 3
    folder = served.home / made.json["name"]
    assert folder.parent == served.home / "folders"
    assert len(list((folder / "train" / "cats").iterdir())) == 1
    assert len(list((folder / "out" / "ssh").iterdir())) == 1
    assert not (served.home.parent / "out").exists()
    listed = {one["id"]: one for one in served.call("GET", "/api/folders").json}
    assert listed[made.json["id"]]["pictures"] == 3
    linked = next((folder / "train" / "cats").iterdir())
    assert linked.stat().st_nlink == 2  # kept once


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "a", "pictures": []}, 422),
        ({"name": "a", "pictures": [{"id": "0123456789ab"}]}, 404),
        ({"name": "a", "pictures": [{"id": "../../etc"}]}, 422),
        ({"name": "a", "pictures": [{"id": "0123456789ab", "path": "/etc"}]}, 422),
        ({"name": 1, "pictures": []}, 422),
    ],
)
def test_what_is_no_folder_is_refused(served: Served, body: object, status: int) -> None:
    assert served.call("POST", "/api/folders", body).status == status
