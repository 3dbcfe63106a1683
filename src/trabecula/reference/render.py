"""Pages from templates: everything escaped, every missing value an error.

The one exception to escaping is the filter ``trusted_svg``, for pictures that
`trabecula.reference.figures` drew, which escapes every text it puts into them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from trabecula import format as shown
from trabecula.format import uncapital
from trabecula.reference import labels, links
from trabecula.reference.places import message, places
from trabecula.reference.printed import p_printed


@dataclass(frozen=True, slots=True)
class Page:
    """A page to be: where it lies, which template fills it, and with what.

    ``section`` is the entry of the main navigation it belongs to. ``data`` is written as JSON
    beside the page where it is not ``None``. ``keywords`` are further words under which the
    search finds it; ``listed`` is false for pages that the A-Z leaves out.
    """

    path: str
    template: str
    title: str
    summary: str
    section: str
    view: Mapping[str, Any]
    kind: str = "Page"
    keywords: tuple[str, ...] = ()
    data: Any = None
    scripts: tuple[str, ...] = ()
    listed: bool = True


HYPHEN_AS_MINUS = re.compile(r"(?:(?<=^)|(?<=[\s(]))-(?=\d)|(?<=\bLR)-(?!\w)")
SPACE_BEFORE_PERCENT = re.compile(r"(?<=\d) (?=%)")


def typeset(value: Any) -> Any:
    """Return text with a true minus before numbers and no break before a percent sign.

    Markup has been through here before and stays as it is, as does everything but text.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    text = HYPHEN_AS_MINUS.sub(shown.MINUS, value)
    return SPACE_BEFORE_PERCENT.sub(shown.NARROW, text)


class Renderer:
    """Turns pages into HTML; `shared` is what every template may use."""

    def __init__(self, shared: Mapping[str, Any]) -> None:
        self._environment = Environment(
            loader=PackageLoader("trabecula.reference"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            finalize=typeset,
        )
        self._environment.filters |= {
            "href": _href,
            "count": shown.count,
            "number": shown.number,
            "p_value": shown.p_value,
            "joined": shown.joined,
            "sentence": shown.sentence,
            "uncapital": uncapital,
            "trusted_svg": Markup,
        }
        self._environment.globals |= {
            "links": links,
            "labels": labels,
            "plural": shown.plural,
            "percent": shown.percent,
            "shown": shown.shown,
            "places": places,
            "message": message,
            "p_printed": p_printed,
            "alone": shown.alone,
            **shared,
        }

    def html(self, page: Page) -> str:
        """Return the page as HTML."""
        template = self._environment.get_template(page.template)
        return template.render(page.view, page=page)


@pass_context
def _href(context: Context, path: str) -> str:
    """Return a site address as the page being rendered must write it."""
    return links.relative(path, context["page"].path)
