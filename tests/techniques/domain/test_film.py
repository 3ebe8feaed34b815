"""Features modulated by the domain."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from graftwork.networks.film import Film as Modulation
from graftwork.networks.fusion.late import LateFusion
from graftwork.techniques import Coral, Film
from graftwork.techniques.domain.film import hidden

DOMAIN = [0] * 10 + [1] * 10 + [-1] * 4


def moved(width: int, domains: int) -> Modulation:
    film = Modulation(width, domains)
    with torch.no_grad():
        film.scale.copy_(torch.arange((domains + 1) * width).reshape(domains + 1, width) / 10)
        film.shift.copy_(-film.scale)
    return film


def test_it_begins_as_the_identity_to_the_bit(fixture):
    this = fixture(domain=DOMAIN)
    plain = this.network.features(this.batch).rows
    network = Film().adapt(this.network, this.setup)
    assert torch.equal(network.features(this.batch).rows, plain)


def test_each_row_is_scaled_and_shifted_by_its_own_domain():
    film, features = moved(4, 2), torch.randn(5, 4)
    domain = torch.tensor([0, 1, -1, 1, 0])
    scale, shift = film.scale.detach().numpy(), film.shift.detach().numpy()
    expected = [features[at].numpy() * (1 + scale[code]) + shift[code] for at, code in enumerate([0, 1, 2, 1, 0])]
    np.testing.assert_allclose(film(features, domain).detach().numpy(), np.stack(expected), rtol=1e-6)


def test_without_the_column_every_row_is_of_an_unknown_domain():
    film, features = moved(4, 2), torch.randn(5, 4)
    assert torch.equal(film(features, None), film(features, torch.full((5,), -1)))


def test_flags_of_a_late_fusion_are_left_alone(fixture):
    this = fixture(domain=DOMAIN)
    fusion = LateFusion([3, 5])
    network = this.network
    network.fusion = fusion
    Film().adapt(network, this.setup)
    assert network.film.width == 8
    features = torch.rand(6, 10)
    assert torch.equal(moved(8, 2)(features, None)[:, 8:], features[:, 8:])


def test_about_the_asked_share_is_hidden_and_the_same_rows_for_the_same_seed():
    domain = torch.arange(4000) % 5
    found = hidden(domain, 0.3, 7)
    assert torch.equal(found, hidden(domain, 0.3, 7))
    assert not torch.equal(found, hidden(domain, 0.3, 8))
    assert abs(float((found < 0).float().mean()) - 0.3) < 0.03
    assert torch.equal(found[found >= 0], domain[found >= 0])


def test_other_techniques_see_every_domain(fixture):
    """CORAL compares the rows of both domains, also of those whose domain is hidden from the modulation."""
    this = fixture(domain=DOMAIN)
    Film().adapt(this.network, this.setup)
    batch = this.batch
    hiding = this.stages(Film(0.9), Coral(1.0))
    found = hiding.objective(this.network.as_forward(), hiding.inputs(batch))
    plain = this.stages(Coral(1.0)).objective(this.network.as_forward(), batch)
    assert torch.equal(found.terms["coral"].value, plain.terms["coral"].value)


def test_the_unknown_domain_is_trained_by_hidden_rows(fixture):
    this = fixture(domain=[0] * 12 + [1] * 12)
    Film().adapt(this.network, this.setup)
    for share, reached in ((0.5, True), (0.0, False)):
        this.gradients(Film(share))
        assert bool(this.network.film.shift.grad[2].abs().sum() > 0) is reached
        assert float(this.network.film.shift.grad[:2].abs().sum()) > 0


def test_it_needs_a_domain_and_takes_any_number_of_them(fixture):
    this = fixture(domain=[0] * 24)
    assert Film().needs == {"domain", "row_features"}
    setup = dataclasses.replace(this.setup, domains=("a", "b", "c"))
    assert Film().adapt(this.network, setup).film.scale.shape == (4, 8)
