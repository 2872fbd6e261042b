"""Addresses of servers as people may see them."""

from __future__ import annotations


def without_password(uri: str) -> str:
    """An address without user and password, for messages and files."""
    scheme, separator, rest = uri.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"
