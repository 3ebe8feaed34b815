"""Is it the same one, and who is it? Learned on some people, used for others. The people are made up: everybody has a
pattern of their own, which each photo shows a little shifted, lighter or darker, and with noise."""

import tempfile
from pathlib import Path

import numpy as np

import graftwork as gw

SIDE, PHOTOS = 16, 8


def photos_of(person: int) -> list[np.ndarray]:
    draw = np.random.default_rng(person)
    pattern = np.kron(draw.uniform(0, 1, (4, 4)), np.ones((5, 5)))
    photos = []
    for _ in range(PHOTOS):
        top, left = draw.integers(0, 5, 2)
        photo = pattern[top : top + SIDE, left : left + SIDE] * draw.uniform(0.5, 1.0)
        photos.append(np.uint8(255 * np.clip(photo + draw.normal(0, 0.08, photo.shape), 0, 1)))
    return photos


def rows(people: range) -> dict[str, list]:
    return {
        "photo": [photo for person in people for photo in photos_of(person)],
        "name": [f"person {person}" for person in people for _ in range(PHOTOS)],
    }


def main() -> None:
    recipe = gw.Recipe(
        task="identity",
        base="small-cnn:width=16",
        techniques=[gw.Triplet(), gw.Refit()],
        training=gw.Training(epochs=12),
    )
    model = gw.fit(rows(range(40)), target="name", recipe=recipe)
    print("people never trained on:", model.evaluate(rows(range(40, 60))).to_json()["eer"])

    ann, ben, stranger = photos_of(100), photos_of(101), photos_of(102)
    verifier = model.verifier()
    print("two photos of Ann:", verifier.verify(ann[0], ann[1]))
    print("Ann and Ben, at most 1 % false accepts:", verifier.verify(ann[0], ben[0], far=0.01))

    gallery = verifier.enroll({"Ann": ann[:3], "Ben": ben[:3]})
    with tempfile.TemporaryDirectory() as folder:
        gallery = gw.load_gallery(gallery.save(Path(folder) / "people.safetensors"))
    print("who is this? (Ann)", verifier.identify(ann[7], gallery))
    print("who is this? (a stranger)", verifier.identify(stranger[0], gallery))


if __name__ == "__main__":
    main()
