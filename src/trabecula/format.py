"""How numbers are shown: the only place where a digit is dropped.

Exports carry every digit; pages show only the digits that the uncertainty supports.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

MINUS = "\N{MINUS SIGN}"
"""Numbers carry a true minus sign, which lines up with digits and is not a hyphen."""

NARROW = "\N{NARROW NO-BREAK SPACE}"
"""Separates thousands and a number from its percent sign; never breaks at a line end."""

NORMAL_95 = 1.959964
"""Half-width of a 95 % normal interval in standard errors."""

MAX_DECIMALS = 6
"""More decimals than this are noise on a page; the exports have them."""

UNITS = {
    "points": "points",
    "weeks": "weeks",
    "sd": "SD",
    "proportion": "%",
    "percentage-points": "percentage points",
    "ratio": "",
}
"""What follows a value on each display scale of a synthesis."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A result as a page shows it; ``text`` is value, unit and interval in one line."""

    value: str
    low: str
    high: str
    unit: str

    @property
    def point(self) -> str:
        """The value with its unit."""
        return _with_unit(self.value, self.unit)

    @property
    def interval(self) -> str:
        """The 95 % confidence interval in words."""
        return f"95{NARROW}% CI {self.low} to {self.high}"

    @property
    def text(self) -> str:
        """Value, unit and interval."""
        return f"{self.point} ({self.interval})"


def decimals_for(se: float) -> int:
    """Return how many decimals a number with standard error `se` deserves.

    The last digit shown is the largest power of ten that is no more than half the standard
    error, so rounding moves a number by at most a quarter of its standard error. Zero or no
    uncertainty gives two decimals.
    """
    if not math.isfinite(se) or se <= 0:
        return 2
    return min(MAX_DECIMALS, max(0, -math.floor(math.log10(se / 2))))


def number(value: float | int | Decimal, decimals: int | None = None) -> str:
    """Return `value` with `decimals` digits after the point, a true minus, no negative zero."""
    if isinstance(value, Decimal) and decimals is None:
        text = f"{value:f}"
    elif decimals is None:
        text = f"{value:g}" if isinstance(value, float) else str(value)
    else:
        text = f"{value:.{decimals}f}"
    if text.startswith("-") and not text.strip("-0."):
        text = text[1:]
    return text.replace("-", MINUS)


def count(value: int) -> str:
    """Return a whole number with thousands set apart by a narrow space."""
    return f"{value:,}".replace(",", NARROW)


def percent(part: int, whole: int) -> str:
    """Return `part` of `whole` in whole percent; one decimal below 1 %; a dash of nothing."""
    if whole == 0:
        return "–"
    share = 100 * part / whole
    return f"{number(share, 1 if 0 < share < 1 else 0)}{NARROW}%"


def weight(percent: float) -> str:
    """Return a weight in percent with one decimal."""
    return f"{number(percent, 1)}{NARROW}%"


def p_value(p: float) -> str:
    """Return ``p = 0.03`` with two decimals, three where two would hide the side of 0.05."""
    if p < 0.001:
        return "p < 0.001"
    three = p < 0.01 or 0.045 <= p < 0.055
    return f"p = {p:.{3 if three else 2}f}" if p < 0.995 else "p > 0.99"


def shown(value: float, low: float, high: float, scale: str, null: float | None = None) -> Shown:
    """Return a result with its 95 % interval as a page shows it on a display scale.

    Proportions (0 to 1) become percent. Ratios keep two decimals below ten, because their
    interval is not symmetric and both limits matter. A limit that would round to `null`, the
    value of no difference, gets as many digits more as tell on which side it lies.
    """
    if scale == "ratio":
        return Shown(
            _ratio(value), _beside(low, _ratio(low), null), _beside(high, _ratio(high), null), ""
        )
    factor = 100.0 if scale == "proportion" else 1.0
    se = factor * (high - low) / (2 * NORMAL_95)
    decimals = decimals_for(se)
    point, lower, upper = (number(factor * x, decimals) for x in (value, low, high))
    lower, upper = _beside(factor * low, lower, null), _beside(factor * high, upper, null)
    return Shown(point, lower, upper, UNITS[scale])


def _beside(limit: float, text: str, null: float | None) -> str:
    """Return the text of a limit with enough decimals that it differs from the null."""
    if null is None or limit == null or not math.isfinite(limit):
        return text
    decimals = len(text.partition(".")[2])
    while float(text.replace(MINUS, "-")) == null and decimals < MAX_DECIMALS:
        decimals += 1
        text = number(limit, decimals)
    return text


def alone(value: float, se: float) -> str:
    """Return one number with the decimals that its standard error supports."""
    return number(value, decimals_for(se))


def plural(n: int, one: str, many: str | None = None) -> str:
    """Return ``1 study`` or ``2 studies``."""
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def joined(words: tuple[str, ...] | list[str], last: str = "and") -> str:
    """Return ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def sentence(text: str) -> str:
    """Return `text` with a capital first letter; the rest stays as it is."""
    return text[:1].upper() + text[1:]


def uncapital(name: str) -> str:
    """Return `name` for the middle of a sentence: abbreviations and proper forms stay."""
    return name if name[1:2].isupper() or name[1:2].isdigit() else name[:1].lower() + name[1:]


def _ratio(value: float) -> str:
    if not math.isfinite(value):
        return "∞"
    magnitude = abs(value)
    decimals = 3 if magnitude < 0.1 else 2 if magnitude < 10 else 1 if magnitude < 100 else 0
    return number(value, decimals)


def _with_unit(value: str, unit: str) -> str:
    if not unit:
        return value
    return f"{value}{NARROW}%" if unit == "%" else f"{value} {unit}"
