"""Pretrained bases that can be had: fetched once, and used without a network from then on.

    gw.bases.get("multilingual")
    gw.fit("reviews.csv", base="multilingual-e5-small")

`gw.bases.listed()` says which there are.
"""

from graftwork.bases.fetching import get, remove
from graftwork.bases.listing import ListedBase, listed

__all__ = ["ListedBase", "get", "listed", "remove"]
