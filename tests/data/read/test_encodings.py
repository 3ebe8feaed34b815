"""The encoding of a file: named where it is sure, never wrong."""

from __future__ import annotations

import io

import pytest

from graftwork.data.read.encodings import guess_encoding, known_encoding
from graftwork.errors import UsageError

TEXTS = {
    "cp932": "すばらしい音,良い\nとても良い電話です,良い\n一日で壊れた,悪い\n",
    "euc_jp": "すばらしい音,良い\nとても良い電話です,良い\n一日で壊れた,悪い\n",
    "cp949": "정말 좋은 제품입니다,긍정\n배송이 너무 느려요,부정\n",
    "big5": "這個產品非常好,好\n一天就壞了,壞\n",
    "gb18030": "服务很好，价格便宜,好\n质量太差了,坏\n",
    "cp1253": "πολύ καλό προϊόν,καλό\nχάλασε σε μια μέρα,κακό\n",
    "cp1250": "bardzo dobry produkt świetny dźwięk,dobrze\nzepsuł się po dniu źle,źle\n",
    "iso8859_2": "bardzo dobry produkt świetny dźwięk,dobrze\nzepsuł się po dniu źle,źle\n",
    "cp1251": "очень хороший товар,хорошо\nсломался через день,плохо\n",
    "koi8_r": "очень хороший товар,хорошо\nсломался через день,плохо\n",
    "cp866": "очень хороший товар,хорошо\nсломался через день,плохо\n",
    "cp1252": "café très agréable,bon\nje ne suis pas satisfait,mauvais\n",
    "cp1254": "çok güzel bir ürün değil,kötü\nışık şarjı yetersiz,kötü\n",
    "cp1255": "מוצר טוב מאוד,טוב\nנשבר אחרי יום,רע\n",
    "cp1256": "منتج جيد جدا,جيد\nتعطل بعد يوم,سيئ\n",
    "cp874": "สินค้าดีมาก,ดี\nเสียในหนึ่งวัน,แย่\n",
    "cp850": "café très agréable,bon\n",
    "mac_roman": "café très agréable à la fenêtre,bon\n",
}
LATIN = [
    ("cp1252", "Müller fährt über Köln; Straße"),
    ("cp1252", "señor, año, niño, también"),
    ("cp1252", "não é bom, coração"),
    ("cp1252", "perché è così, più città"),
    ("cp1252", "en bra sak på många sätt över"),
    ("cp1252", "een idee\u00ebn pati\u00ebnt"),
    ("cp1252", "plain English with a café"),
    ("cp1252", "it\u2019s a \u201cgood\u201d thing"),
    ("cp1250", "příliš žluťoučký kůň úpěl ďábelské ódy"),
    ("cp1250", "nagyon jó termék, gyönyörű őszi idő"),
    ("cp1250", "čaj je vruć, žao mi je"),
    ("cp1257", "ačiū už žąsų kepsnį ėjo"),
]


@pytest.mark.parametrize("rows", [1, 30])
@pytest.mark.parametrize(("encoding", "text"), [*TEXTS.items(), *LATIN])
def test_what_is_named_reads_right(encoding: str, text: str, rows: int) -> None:
    content = ("text,label\n" + f"{text}\n" * rows).encode(encoding)
    guess = guess_encoding(io.BytesIO(content))
    if rows == 1 and encoding == "cp1255" and guess is None:  # a few Hebrew words might be Cyrillic
        return
    assert guess is not None
    assert content.decode(guess.encoding) == content.decode(encoding)
    assert any(guess.text in " ".join(line.split()) for line in text.splitlines())


@pytest.mark.parametrize("encoding", TEXTS)
def test_a_word_is_never_named_wrong(encoding: str) -> None:
    for word in TEXTS[encoding].replace("\n", " ").replace(",", " ").split():
        for times in (1, 20):
            content = f"text,label\n{f'ok {word},x' * times}\n".encode(encoding)
            guess = None if content.isascii() else guess_encoding(io.BytesIO(content))
            assert guess is None or content.decode(guess.encoding) == content.decode(encoding), guess


@pytest.mark.parametrize("content", [bytes(range(128, 256)) * 20, b"a\xff\xfe\xfdb,c\n", b"\x80\n" * 9])
def test_damaged_bytes_are_no_encoding(content: bytes) -> None:
    assert guess_encoding(io.BytesIO(content)) is None


def test_names_of_encodings() -> None:
    assert known_encoding("Shift_JIS") == "cp932"
    assert known_encoding("gb2312") == "gb18030"
    assert known_encoding("UTF-8") == "utf-8-sig"
    assert known_encoding("latin-1") == "iso8859-1"
    for name in ("klingon", "rot13", "hex", "", "utf-7", "\0"):
        with pytest.raises(UsageError, match="no such encoding"):
            known_encoding(name)
