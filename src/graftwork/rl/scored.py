"""How a policy did in its environment at one step of learning: the same value that the report is made of."""

from __future__ import annotations

from graftwork.evidence.rl.scored import Scored as Scored
