"""Which languages texts are in, as far as the choice of a base needs it: English, or which others.

By the script of the letters, and for the Latin one by the commonest small words of a few languages. Texts without any
of them (names, codes, single words) say nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from graftwork.networks.text.scripts import scripts

OTHER_LETTERS = 0.25
"""A text is in another script where more of its letters than these belong to it."""
TOLD = 0.05
"""Share of the texts whose language has to show, for anything to be said of it."""
ENGLISH = "English"
ACCENTED = "one with accents"
_ACCENTED = 0.03
"""Of the letters of a text that holds no word of the lists."""
_ONE_OF = 4
"""In a text of more words than these, a single one of another language may be a name."""

_WORDS = re.compile(r"[^\W\d_]+")
_LISTS = {
    ENGLISH: """the of and to is that it for with this be are have from you they which not was or by but we what your
        can there been has would will how my at were their she he him her his our me when why does did if its more than
        just like up out over says any get make""",
    "German": """der das und ist nicht ich ein eine einen einem einer mit für auf zu dem sich auch wie wir aber oder
        sehr wird bei kann mich mir habe haben noch nur nach wenn dass sind wurde vom zum zur von""",
    "French": """le de un en les des est et une dans que qui pas avec je vous nous très mais du au ce cette il elle ne
        sont plus aux mon votre être fait où ou ses leur sur""",
    "Spanish": """el de un los las que una con para muy pero está más como del es por su al fue este esta tiene hay
        cuando nos ser yo ya mi se en""",
    "Italian": """il un gli che di è non una con sono della del nel alla dei anche più molto ma come questo questa ho
        stato perché delle dal sulla si lo""",
    "Portuguese": """os de um que uma com para não é muito mas da dos das em na mais como se eu foi são um está tem meu
        minha ao isso você ele ela por""",
    "Dutch": """het een en niet ik dat ook zijn voor maar te om naar wordt heeft deze wat er aan zo als bij heel
        hebben geen uit kan je""",
    "Swedish": """och att det som en på är av för med inte jag den till har om ett var sig från eller mycket vi så
        de""",
    "Danish or Norwegian": """og det som en på er av af til med ikke jeg den har et var fra eller meget vi så de""",
    "Polish": """nie się na jest że jak bardzo był są przez od dla tego czy jego tak już tylko może ze""",
    "Czech": """je na se že ve jako za jsem jsou tak od si byl velmi nebo který která při není pod jeho""",
    "Turkish": """ve bir bu için çok ile daha ama değil olarak gibi kadar sonra olan ne en mi""",
    "Indonesian or Malay": """yang di ini itu dengan untuk tidak dari dalam akan pada adalah saya ada juga atau sangat
        bisa sudah karena""",
    "Vietnamese": """và của là có không cho được một các này trong với người đã những rất để khi từ""",
    "Romanian": """și de un nu este cu pe din pentru care mai că au fost ce foarte într dar""",
    "Hungarian": """és hogy nem az egy ez meg volt csak mint már nagyon""",
    "Finnish": """ja ei se että oli hän mutta kun ovat niin myös ole joka olen kuin""",
}
"""Small words that are none of English, nor letters or short names that stand in English texts."""
_LANGUAGES = {name: frozenset(words.split()) for name, words in _LISTS.items()}


@dataclass(frozen=True)
class Spoken:
    """share: of the texts whose language shows, those in another one than English. languages: which, the commonest
    first; where it is the script that tells, its name."""

    share: float = 0.0
    languages: tuple[str, ...] = ()


def spoken(texts: Sequence[str]) -> Spoken:
    """The languages of some texts; nothing where too few tell theirs.

    >>> spoken(["Das ist nicht gut", "The room was clean", "房间很干净", "SKU 1234"]).languages
    ('German', 'Chinese')
    """
    found = Counter(language for text in texts if (language := language_of(text)))
    known = found.total()
    if known < max(1.0, TOLD * len(texts)):
        return Spoken()
    english = found.pop(ENGLISH, 0)
    others = tuple(language for language, count in found.most_common() if count >= TOLD * known)
    return Spoken((known - english) / known, others)


def language_of(text: str) -> str:
    """The language of a text, or its script where that is not the Latin one; "" where nothing tells.

    >>> language_of("Wo ist der Bahnhof?"), language_of("Where is the station?"), language_of("XJ-900")
    ('German', 'English', '')
    """
    letters = scripts(text)
    if not letters:
        return ""
    latin = letters.pop("Latin", 0)
    if letters.total() > OTHER_LETTERS * (latin + letters.total()):
        return letters.most_common(1)[0][0]
    words = _WORDS.findall(text.casefold())
    hits = {name: sum(word in known for word in words) for name, known in _LANGUAGES.items()}
    likely = max(hits, key=lambda name: hits[name])  # the first of several, which is English
    if likely != ENGLISH and (hits[likely] > 1 or len(words) <= _ONE_OF):
        return likely
    if hits[ENGLISH]:
        return ENGLISH
    accented = sum(letter.isalpha() and not letter.isascii() for letter in text)
    return ACCENTED if accented > _ACCENTED * latin else ""
