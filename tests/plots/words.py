"""What is written in a drawing."""

from __future__ import annotations

import re


def words_of(svg: str) -> str:
    """Return all that is written in a drawing, in order."""
    return " ".join(re.findall(r"<text[^>]*>([^<]+)</text>", svg))
