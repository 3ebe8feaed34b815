"""A shop asks who may pay by invoice. What an answer earns depends on the order, so the reward is a function of it."""

import random

import pandas as pd

import graftwork as gw


def orders(rows: int, seed: int) -> pd.DataFrame:
    """Large orders of new customers are the risky ones; most orders are paid."""
    draw = random.Random(seed)
    made = []
    for _ in range(rows):
        amount, before, late = round(draw.lognormvariate(4, 0.8), 2), draw.randint(0, 12), draw.randint(0, 4)
        risk = 0.3 * amount / 100 + 0.5 * late - 0.25 * before + draw.gauss(0, 1)
        paid = "no" if risk > 0 else "yes"
        made.append({"amount": amount, "orders_before": before, "late_before": late, "paid": paid})
    return pd.DataFrame(made)


def profit(predictions, rows):
    """An order by invoice earns a quarter of its amount where it is paid, and loses three quarters where it is not; one
    that has to be paid first earns 3, whatever it is."""
    share = {"yes": 0.25, "no": -0.75}
    pairs = zip(predictions, rows, strict=True)
    return [row["amount"] * share[row["paid"]] / 10 if said == "yes" else 0.3 for said, row in pairs]  # in tens


def main() -> None:
    rows, test = orders(1500, 0), orders(1500, 1)
    records = test.to_dict("records")

    # A function is named by its module: code comes from you, never from a recipe file that you were given.
    arms = {"plain": [], "tuned by reward": [gw.Reward(call="__main__:profit")]}
    for name, techniques in arms.items():
        recipe = gw.Recipe(base="table-mlp", techniques=techniques, training=gw.Training(epochs=12))
        model = gw.fit(rows, target="paid", recipe=recipe, verbose=False)
        answers = model.predict(test.drop(columns="paid"))
        earned = 10 * sum(profit(answers, records)) / len(records)
        right = sum(said == row["paid"] for said, row in zip(answers, records, strict=True)) / len(records)
        print(f"{name}: earns {earned:.2f} an order, right {100 * right:.0f} %")


if __name__ == "__main__":
    main()
