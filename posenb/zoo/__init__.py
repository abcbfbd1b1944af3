"""Trained models that anybody can use: listed, fetched, checked, run, published.

A model is a folder with a card (``card.json``) that says what it is for, what it learned from
and how well it does, with its weights for Keras and its graph for CPUs. An index knows the
SHA-256 of each card, and a card that of each file.
"""

from posenb.zoo.adaptation import Adaptation
from posenb.zoo.adapting import adapt
from posenb.zoo.analyze import analyze
from posenb.zoo.card import Accuracy, Card, CardFacts, DataSource
from posenb.zoo.fetching import fetch
from posenb.zoo.index import add_index
from posenb.zoo.listing import list_models as list  # noqa: A004  (pn.zoo.list reads well)
from posenb.zoo.listing import show
from posenb.zoo.projects import create_project, suggest
from posenb.zoo.publishing import publish
from posenb.zoo.verifying import verify

__all__ = [
    "Accuracy",
    "Adaptation",
    "Card",
    "CardFacts",
    "DataSource",
    "adapt",
    "add_index",
    "analyze",
    "create_project",
    "fetch",
    "list",
    "publish",
    "show",
    "suggest",
    "verify",
]
