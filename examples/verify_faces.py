"""Is it the same one, and who is it? Learned on some identities, used for others. Digits stand in for people here: the
network is trained on 0 to 6, and tells images of 7, 8 and 9 apart, which it has never seen."""

import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import graftwork as gw


def main() -> None:
    digits = load_digits()
    images = np.round(digits.images * 255 / 16).astype(np.uint8)  # with real photos: a column of paths
    names = np.array([f"person {number}" for number in digits.target])
    known, few = digits.target < 7, np.arange(len(images)) % 4 == 0

    recipe = gw.Recipe(
        task="identity",
        base="small-cnn:width=8",
        techniques=[gw.Triplet(), gw.Refit()],
        training=gw.Training(epochs=5),
    )
    model = gw.fit({"photo": images[known & few], "name": names[known & few]}, target="name", recipe=recipe)
    strangers = {"photo": images[~known & few], "name": names[~known & few]}
    print("on identities never trained on:", model.evaluate(strangers).to_json()["eer"])

    seven, eight, nine = (images[digits.target == number] for number in (7, 8, 9))
    print("two images of 7:", model.verify(seven[0], seven[1]))
    print("a 7 and an 8:", model.verify(seven[0], eight[0], far=0.05))

    gallery = model.enroll({"Seven": list(seven[:5]), "Eight": list(eight[:5])})
    with tempfile.TemporaryDirectory() as folder:
        gallery = gw.load_gallery(gallery.save(Path(folder) / "people.safetensors"))
    print("who is it, a 7?", model.identify(seven[9], gallery))
    print("who is it, a 9, whom the gallery does not hold?", model.identify(nine[9], gallery))


if __name__ == "__main__":
    main()
