"""Wrong answers that cost different sums: decisions of least expected cost from any model, and what they save."""

import random

import graftwork as gw

COSTS = {
    "true": ["on time", "late", "lost"],
    "on time": [0, 2, 20],  # saying "on time" of a parcel that is lost is dear
    "late": [1, 0, 8],
    "lost": [2, 1, 0],
    "(abstain)": [0.6, 0.6, 0.6],  # somebody looks at it
}


def parcels(count: int, seed: int) -> list[dict[str, object]]:
    """Parcels that are the later the farther they go, and the oftener they are handed on."""
    draw, rows = random.Random(seed), []
    for _ in range(count):
        distance, stops = draw.gauss(0, 1), draw.randint(1, 9)
        risk = distance + stops / 6 + draw.gauss(0, 0.8)
        state = "lost" if risk > 2.6 else "late" if risk > 1.2 else "on time"
        rows.append({"distance": round(distance, 2), "stops": stops, "state": state})
    return rows


def main() -> None:
    model = gw.fit(parcels(800, seed=0), target="state", recipe=gw.Recipe(techniques=[gw.Probe()]))
    today = parcels(400, seed=1)
    scores = model.evaluate(today, costs=COSTS).scores
    for name in ("mean_cost", "bayes_cost", "cost_saved"):
        print(f"{scores[name].display}: {scores[name].text}")
    plain, cheapest = model.predict(today[:200]), model.predict(today[:200], costs=COSTS)
    for answer in ("on time", "late", "lost", None):
        print(f"  {answer or 'left open'}: {list(plain).count(answer)} plain, {list(cheapest).count(answer)} by cost")


if __name__ == "__main__":
    main()
