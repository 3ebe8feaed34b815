"""Pairs of texts in one sequence: does what is claimed follow from what was written? Joined, and as two inputs."""

import random

import graftwork as gw

DAYS = ("on Monday", "on Friday", "yesterday", "this morning", "last week", "two days ago")
ITEMS = ("kettle", "jacket", "keyboard", "backpack", "blender", "office chair")


def claims(count: int, seed: int) -> list[dict[str, str]]:
    """What a customer wrote, a claim about it, and whether it follows: the day must be the same."""
    draw, rows = random.Random(seed), []
    for at in range(count):
        item, day = f"{draw.choice(ITEMS)} of order {draw.randrange(1000, 10000)}", draw.choice(DAYS)
        said = day if at % 2 else draw.choice([other for other in DAYS if other != day])
        rows.append(
            {
                "message": draw.choice([f"My {item} arrived {day}.", f"{day.capitalize()} the {item} came."]),
                "claim": f"The {item} was delivered {said}.",
                "follows": "yes" if at % 2 else "no",
            }
        )
    return rows


def main() -> None:
    train, valid, test = claims(480, seed=0), claims(120, seed=1), claims(200, seed=2)
    recipe = gw.Recipe(techniques=[gw.Partial(blocks=3)], training=gw.Training(epochs=6))
    for name, join in (("two inputs", []), ("joined", ["message+claim"])):
        model = gw.fit(train, target="follows", join=join, valid=valid, test=test, recipe=recipe)
        print(f"{name}: {model.evaluate(test).scores['accuracy'].value:.2f} of the claims judged right")
    print(model.predict([{"message": "My kettle came on Friday.", "claim": "The kettle was delivered on Monday."}]))


if __name__ == "__main__":
    main()
