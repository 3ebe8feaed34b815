"""Write the sample data: short customer messages with one of eight intents, made from templates.

    python examples/make_sample_data.py

The same call always writes the same files. They are made to look like data from real life: typos, a few rows twice, a
few texts with two different labels, a few wrong labels and some test rows that stand in the training rows too, so that
the report has something to warn of.
"""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "data"
TRAIN, TEST = 960, 240

SLOTS = {
    "item": "kettle|desk lamp|rain jacket|pair of headphones|phone case|backpack|coffee grinder|blender|office chair|"
    "bike helmet|water bottle|keyboard|blue dress|yoga mat|wall clock|pair of boots|camera strap|rice cooker",
    "when": "yesterday|last week|on Monday|three days ago|two weeks ago|this morning|on Friday|last month",
    "card": "Visa card|debit card|credit card|gift card|bank card|prepaid card",
    "place": "Leeds|Lyon|Osaka|Porto|Chennai|my office|my sister's flat|a pickup point|the shop in town",
    "hello": "|||Hi, |Hello, |Good morning, |Hey there, |Sorry to bother you, ",
    "end": "||||. Thanks|, please|. Can you help?|. Please reply soon| :(|!",
}


def parse_templates(text: str) -> dict[str, list[str]]:
    """Intents, each with the indented lines below it."""
    found: dict[str, list[str]] = {}
    for line in text.strip().splitlines():
        if line.startswith(" "):
            found[list(found)[-1]].append(line.strip())
        else:
            found[line] = []
    return found


INTENTS = parse_templates("""
late delivery
  my {item} has not arrived yet
  where is the {item} I ordered {when}
  the parcel should have come {when}
  tracking has not moved since it left {place}
  still waiting for my {item}
  how long until my {item} gets here
  the courier says delivered but there is no {item} at my door
  delivery is overdue, I ordered {when}
  is my package lost, it was sent {when}
  when will you ship the {item}
cancel order
  please cancel my order for the {item}
  I want to stop the order I placed {when}
  I ordered two by mistake, remove one {item}
  I changed my mind, don't send the {item}
  can I call off the {item} before it ships
  I no longer need the {item} from {when}
  undo the purchase I made {when}
  drop the {item} from my order
return item
  how do I send back the {item}
  the {item} is too small, I want to return it
  I'd like to return the {item} that came {when}
  where can I hand in the {item} I don't want
  do you have a return label for the {item}
  the {item} does not fit, can I swap it for a bigger one
  the {item} came broken, shall I post it back
  which address do I use to return a {item}
refund status
  I returned the {item} {when}, where is my money
  my refund has not reached my {card}
  you promised to pay me back {when}
  how long does a refund to a {card} take
  I sent the {item} back and got nothing
  the money for the {item} is still missing
  only half of the price of the {item} came back to my {card}
  has the refund for the {item} gone out
payment declined
  my {card} was declined at checkout
  I can't pay with my {card}
  the payment for the {item} failed {when}
  checkout says my {card} is not valid
  it refuses my {card} although there is money on it
  paying for the {item} gives an error
  why does your shop not take my {card}
  three tries and no payment went through
double charge
  I was charged twice for the {item}
  there are two payments on my {card} from {when}
  you took the money for the {item} two times
  my statement shows the same amount twice
  why did you bill my {card} again
  one order, two charges on my {card}
  the {item} was billed double {when}
change address
  please send the {item} to {place} instead
  I moved {when} and need to update my address
  I typed the wrong street for my order
  can you deliver to {place} rather than home
  change the delivery address to {place}
  my {item} is going to my old flat
  the postcode on my order is wrong, I ordered {when}
login problem
  I can't log in to my account
  the password reset mail never came
  my account is locked since {when}
  the site says my email is unknown
  I forgot my password and the link is dead
  login code does not arrive on my phone
  I am signed out every time I open the basket
  how do I get back into my account
""")

# What people also write: each of these could be two things, and the first is what an agent chose.
AMBIGUOUS = (
    ("I want my money back for the {item}", "refund status", "return item"),
    ("wrong {item} on the way, stop it", "cancel order", "change address"),
    ("the {item} was paid but the page showed an error", "payment declined", "double charge"),
    ("nothing came and the money is gone", "late delivery", "refund status"),
    ("get rid of my order from {when}", "cancel order", "return item"),
)


def message(template: str, draw: random.Random) -> str:
    """The template with greetings, slots filled in, and now and then a typo."""
    text = f"{{hello}}{template}{{end}}"
    for slot, values in SLOTS.items():
        while f"{{{slot}}}" in text:
            text = text.replace(f"{{{slot}}}", draw.choice(values.split("|")), 1)
    text = text[0].upper() + text[1:] if draw.random() < 0.6 else text.lower()
    for _ in range(draw.choice((0, 0, 0, 1, 1, 2))):
        text = typo(text, draw)
    return text


def typo(text: str, draw: random.Random) -> str:
    """One letter doubled, dropped, or swapped with the next."""
    at = draw.randrange(1, len(text) - 1)
    swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return draw.choice((text[:at] + text[at] + text[at:], text[:at] + text[at + 1 :], swapped))


def rows(count: int, draw: random.Random) -> list[tuple[str, str]]:
    """(text, label) pairs; some intents are asked more often than others, and one row in twelve is ambiguous."""
    names = list(INTENTS)
    often = [1.6, 1.0, 1.2, 1.2, 0.9, 0.6, 0.8, 1.1]
    made = []
    for _ in range(count):
        if draw.random() < 1 / 12:
            template, first, second = draw.choice(AMBIGUOUS)
            label = first if draw.random() < 0.75 else second
        else:
            label = draw.choices(names, often)[0]
            template = draw.choice(INTENTS[label])
        made.append((message(template, draw), label))
    return made


def spoil(train: list[tuple[str, str]], test: list[tuple[str, str]], draw: random.Random) -> None:
    """Wrong labels, conflicting labels, rows twice, and training rows in the test rows."""
    names = list(INTENTS)
    for at in draw.sample(range(len(train)), 14):
        train[at] = (train[at][0], draw.choice([name for name in names if name != train[at][1]]))
    for at in draw.sample(range(len(train)), 4):
        train.append((train[at][0], draw.choice([name for name in names if name != train[at][1]])))
    train.extend(draw.sample(train, 8))
    draw.shuffle(train)
    for at in draw.sample(range(len(test)), 5):
        test[at] = draw.choice(train)


def write(path: Path, made: list[tuple[str, str]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("text", "label"), *made])


def main(folder: Path) -> None:
    draw = random.Random(20)
    train, test = rows(TRAIN, draw), rows(TEST, draw)
    spoil(train, test, draw)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "train.csv", train)
    write(folder / "test.csv", test)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
