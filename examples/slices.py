"""Where a model is worse than on the whole: scores by a column that it never read, and slices that it finds itself.

Parcels that come late, told from distance and weight. One of three carriers is unpredictable, and the model isn't told
which carrier has a parcel.
"""

import numpy as np
import pandas as pd

import graftwork as gw


def parcels(rows: int, seed: int) -> pd.DataFrame:
    """A parcel is late where it goes far and is heavy; with the carrier 'Blitz' half of them are, whatever they are."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"km": rng.uniform(1, 900, rows).round(1), "kg": rng.uniform(0.1, 30, rows).round(2)})
    table["carrier"] = rng.choice(["Kurier", "Post", "Blitz"], rows)
    late = table.km / 900 + table.kg / 30 > 1
    late = np.where(table.carrier == "Blitz", rng.random(rows) < 0.5, late)
    return table.assign(arrived=np.where(late, "late", "in time"))


def main() -> None:
    recipe = gw.Recipe(base="table-mlp:embedding=2,width=32", techniques=[], training=gw.Training(epochs=20, batch=32))
    model = gw.fit(parcels(600, 1), target="arrived", inputs=["km", "kg"], recipe=recipe)
    found = model.evaluate(parcels(500, 2), by=["carrier", "km"])
    for asked, parts in found.by.items():
        for part in parts:
            print(f"{asked} {part.domain}: {part.scores['accuracy'].text}")
    print(f"{found.slices.looked_at} groups were looked at; clearly worse:")
    for one in found.slices.found:
        print(f"  where {one.where}: {one.bad:.0%} wrong, other rows {one.rest:.0%}; look at rows {one.worst[:3]}")


if __name__ == "__main__":
    main()
