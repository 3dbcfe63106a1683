"""How to sample, checked."""

from __future__ import annotations

from dataclasses import dataclass

from trabecula.synthesis.arguments import Interval, numbers, require

ACCEPT = Interval("(0, 1)")


@dataclass(frozen=True, slots=True)
class Settings:
    """How to sample: ``draws`` of each of ``chains``, after ``warmup`` that only tune.

    Nearer to 1 of ``target_accept`` the sampler takes smaller steps: slower, fewer divergences.
    The same ``seed`` gives the same draws, to the last bit on one machine.
    """

    chains: int = 4
    draws: int = 1000
    warmup: int = 1000
    target_accept: float = 0.9
    seed: int = 20190501

    def __post_init__(self) -> None:
        """Raise `ValueError` naming what is no whole number or too small."""
        least = {"chains": 2, "draws": 100, "warmup": 100, "seed": 0}
        for name, smallest in least.items():
            value = getattr(self, name)
            if not isinstance(value, int):
                raise ValueError(f"{name} must be a whole number, got {value!r}")
            if value < smallest:
                raise ValueError(f"{name} must be at least {smallest}, got {value!r}")
        require("target_accept", numbers("target_accept", self.target_accept), ACCEPT)
