"""Predict a number from text: a rating from a review. Made-up reviews, whose words are worth so many stars."""

import random

import graftwork as gw

WORTH = {
    "awful": 1.0,
    "poor": 2.0,
    "usable": 3.0,
    "good": 4.0,
    "perfect": 5.0,
    "useless": 1.2,
    "nice": 3.8,
    "fine": 3.3,
}
PARTS = ("screen", "battery", "handle", "box", "sound", "colour")


def reviews(count: int, draw: random.Random) -> list[dict[str, object]]:
    rows = []
    for _ in range(count):
        words = [draw.choice(list(WORTH)) for _ in range(draw.choice((1, 2, 3)))]
        text = ", ".join(f"the {draw.choice(PARTS)} is {word}" for word in words)
        stars = sum(WORTH[word] for word in words) / len(words) + draw.gauss(0, 0.2)
        rows.append({"review": text, "stars": round(stars, 2)})
    return rows


def main() -> None:
    draw = random.Random(0)
    recipe = gw.Recipe(techniques=[gw.WarmStart(), gw.Partial(2)], training=gw.Training(epochs=4))
    model = gw.fit(reviews(400, draw), target="stars", test=reviews(100, draw), recipe=recipe)
    print(model.report.verdict())
    print(model.predict(["the battery is awful", "the sound is perfect, the box is nice"]).round(1))


if __name__ == "__main__":
    main()
