"""Quantiles of a number: what a flat may cost, at the least and at the most, and how often that is right."""

import random

import graftwork as gw


def flats(count: int, seed: int) -> list[dict[str, object]]:
    """Prices that spread more the larger the flat is."""
    draw, rows = random.Random(seed), []
    for _ in range(count):
        size, town = draw.uniform(30, 160), draw.choice(("north", "south"))
        price = 2 * size * (1.4 if town == "south" else 1.0) + draw.gauss(0, 0.4) * size
        rows.append({"size": round(size, 3), "town": town, "price": round(price, 1)})
    return rows


def main() -> None:
    recipe = gw.Recipe(base="table-mlp", task="quantile-regression:levels=0.1+0.5+0.9", techniques=[])
    model = gw.fit(flats(1500, seed=0), target="price", valid=flats(300, seed=1), recipe=recipe)
    test = flats(600, seed=2)
    scores = model.evaluate(test).scores
    print(f"coverage of the interval from 0.1 to 0.9: {scores['coverage'].value:.0%} (80 % would be right)")
    for row, (low, middle, high) in zip(test[:3], model.predict_proba(test[:3]), strict=True):
        print(f"  {row['size']:.0f} m² {row['town']}: {middle:.0f}, from {low:.0f} to {high:.0f} (was {row['price']})")


if __name__ == "__main__":
    main()
