"""What is left to graphql-core: an operation as it is written, or one request by its values."""

from __future__ import annotations


class NotHandledError(Exception):
    """What an operation asks for is not among the things that are prepared."""


class UnfitError(Exception):
    """A value is not one that graphql-core takes as it is; what it says to it is for it to say."""
