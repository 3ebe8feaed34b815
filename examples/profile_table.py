"""What a table is like before anything is trained on it: copies, contradictions, leaks, and the table without them.

Tickets of a bank, with flaws as exports have them. The profile names the rows, and writes a clean table and a log.
"""

from pathlib import Path

import numpy as np
import pandas as pd

import graftwork as gw

ASKS = {
    "card": ["my new card has not come", "the machine in {} kept my card", "I lost my card in {}"],
    "transfer": ["my transfer to {} is missing", "send {} euros back to me", "who took {} euros from me"],
    "account": ["I moved to {} and need another address", "close my account in {}", "add my wife in {} to it"],
}
TOWNS = ("Oslo", "Lima", "Turin", "Perth", "Quito", "Malmo", "Riga", "Bern", "Accra", "Tunis")
WORDS = ("please", "since", "yesterday", "again", "today", "thanks", "really", "urgent", "still", "hello", "soon")
OUT = Path("runs/profile_table")


def tickets(rows: int, first_day: str, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"label": rng.choice(list(ASKS), rows, p=[0.5, 0.35, 0.15])})
    ask = [str(rng.choice(ASKS[label])).format(rng.choice(TOWNS)) for label in table.label]
    table["text"] = [f"{' '.join(rng.choice(WORDS, 4))} {one} {' '.join(rng.choice(WORDS, 4))}" for one in ask]
    table["queue"] = table.label.map({"card": "A1", "transfer": "B7", "account": "B9"})  # known too late
    table["opened"] = pd.date_range(first_day, periods=rows, freq="6h")
    return table


def main() -> None:
    train, test = tickets(600, "2024-01-01", 3), tickets(120, "2024-06-01", 4)
    other = {"card": "account", "account": "card", "transfer": "card"}
    contradicted = train.iloc[30:36].assign(label=train.label[30:36].map(other))
    train = pd.concat([train, train.iloc[:25], contradicted, test.iloc[:12]])

    found = gw.profile(train, target="label", test=test, verbose=False)
    print(found)
    print("rows to settle:", {name: len(found.rows(name)) for name in ("duplicates", "conflicts", "overlap")})

    data = {"target": "label", "ignore": ["queue"], "roles": {"time": "opened"}}
    drop = ["duplicates", "conflicts", "overlap"]
    OUT.mkdir(parents=True, exist_ok=True)
    cleaned = gw.profile(train, test=test, drop=drop, clean=OUT / "clean.csv", verbose=False, **data)
    cleaned.write(OUT / "profile.html")
    log = pd.read_csv(OUT / "clean.log.csv")
    print(f"kept {len(pd.read_csv(OUT / 'clean.csv'))} of {len(train)} rows; dropped, by reason:")
    print(log.dropped_for.value_counts().to_string())


if __name__ == "__main__":
    main()
