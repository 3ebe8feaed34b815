"""Classes that come later: trained on the digits 0 to 5, used for 6 to 9 after five pictures of each, without training.

The pictures are scikit-learn's digits, 8 by 8 pixels."""

from sklearn.datasets import load_digits

import graftwork as gw


def rows(digits: range, first: int, last: int) -> list[dict[str, object]]:
    """Pictures number `first` to `last` of each of these digits."""
    found = load_digits()
    chosen = [at for digit in digits for at in (found.target == digit).nonzero()[0][first:last]]
    return [{"image": (found.images[at] * 15.9).astype("uint8"), "digit": f"digit {found.target[at]}"} for at in chosen]


def main() -> None:
    recipe = gw.Recipe(
        task="few-shot:way=2,shot=5,episodes=200",  # two of the six digits are held out to judge the run
        base="conv4:blocks=3,size=8,width=32",
        techniques=[gw.ProtoNet(way=4, shot=5, query=10)],
        training=gw.Training(steps=40),
    )
    model = gw.fit(rows(range(6), 0, 40), target="digit", recipe=recipe)

    support, others = rows(range(6, 10), 0, 5), rows(range(6, 10), 5, 40)
    adapted = model.few_shot().adapt(support)
    print("now it knows:", ", ".join(adapted.task.classes))
    print("accuracy of digits 6 to 9:", adapted.evaluate(others).to_json()["accuracy"])

    episodes = model.few_shot().evaluate_episodes(others, way=4, shot=1, episodes=200)
    print("from one picture of each:", episodes.to_json()["episode_accuracy"])


if __name__ == "__main__":
    main()
