"""Fits of the recovery model, each kept until its evidence, its model or a library changes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from trabecula import synthesis
from trabecula.synthesis.recovery.course import Form
from trabecula.synthesis.recovery.evidence import TABLES, RecoveryEvidence
from trabecula.synthesis.recovery.fit import SETTINGS, RecoveryFit, recovery_models
from trabecula.synthesis.recovery.sample import Variant
from trabecula.synthesis.sampling.convergence import Diagnostics, NotConverged
from trabecula.synthesis.sampling.settings import Settings

Progress = Callable[[str, int, int], None]
"""Is told what is being made, how many are done, and how many there are."""

LIBRARIES = ("jax", "jaxlib", "numpyro", "numpy", "scipy")


@dataclass(frozen=True, eq=False)
class Task:
    """Fits that are sampled together: variants of one form of the model on one evidence."""

    name: str
    evidence: RecoveryEvidence
    variants: tuple[Variant, ...]
    form: Form = "weibull"
    exchangeable: bool = True
    settings: Settings = SETTINGS
    check: bool = True

    def run(self) -> list[RecoveryFit]:
        """Return the fits, one a variant; chains that have not settled get twice the draws."""
        try:
            return self._run(self.settings)
        except NotConverged:
            longer = replace(
                self.settings, draws=2 * self.settings.draws, warmup=2 * self.settings.warmup
            )
            return self._run(longer)

    def _run(self, settings: Settings) -> list[RecoveryFit]:
        return recovery_models(
            self.evidence,
            self.variants,
            form=self.form,
            exchangeable=self.exchangeable,
            settings=settings,
            check=self.check,
        )

    @property
    def digest(self) -> str:
        """What the fits depend on, in one name: evidence, priors, settings, code, libraries."""
        told = hashlib.sha256(_code_digest().encode())
        for part in (self.form, self.exchangeable, self.settings, self.check, self.variants):
            told.update(repr(part).encode())
        for value in _values(self.evidence):
            told.update(value)
        return told.hexdigest()


def run_tasks(
    tasks: Sequence[Task], *, keep: Path | None, progress: Progress | None = None
) -> dict[str, list[RecoveryFit]]:
    """Return the fits of all tasks by name; those that are kept in `keep` are not made again.

    Raises
    ------
    NotConverged
        If a fit fails its checks; the others are kept.
    """
    done = {task.name: kept for task in tasks if (kept := _kept(keep, task)) is not None}
    missing = [task for task in tasks if task.name not in done]
    if progress is not None and missing:
        progress("recovery model", len(done), len(tasks))
    for task, fits in _run_all(missing):
        _keep(keep, task, fits)
        done[task.name] = fits
        if progress is not None:
            progress("recovery model", len(done), len(tasks))
    return done


def _run_all(tasks: Sequence[Task]) -> Iterable[tuple[Task, list[RecoveryFit]]]:
    """Yield fits as they are made, on several cores where there are several tasks."""
    workers = min(os.cpu_count() or 1, len(tasks))
    if workers <= 1:
        yield from ((task, task.run()) for task in tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(task.run): task for task in tasks}
        for future in as_completed(running):
            yield running[future], future.result()


def _values(evidence: RecoveryEvidence) -> Iterable[bytes]:
    for field in fields(evidence):
        value = getattr(evidence, field.name)
        if field.name in TABLES:
            yield from (np.asarray(getattr(value, f.name)).tobytes() for f in fields(value))
        else:
            yield value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()


@cache
def _code_digest() -> str:
    digest = hashlib.sha256()
    package = Path(synthesis.__file__).parent
    for path in sorted(package.glob("recovery/*.py")) + sorted(package.glob("sampling/*.py")):
        digest.update(path.read_bytes())
    for library in LIBRARIES:
        with suppress(PackageNotFoundError):
            digest.update(f"{library} {version(library)}".encode())
    return digest.hexdigest()


DRAWN = tuple(
    field.name
    for field in fields(RecoveryFit)
    if field.type in {"FloatArray", "IntArray"}
)  # fmt: skip
"""The fields of a fit that are arrays."""


def _place(keep: Path, task: Task) -> Path:
    return keep / f"recovery-{task.digest}.npz"


def _kept(keep: Path | None, task: Task) -> list[RecoveryFit] | None:
    if keep is None:
        return None
    try:
        with np.load(_place(keep, task)) as table:
            return [_fit(task, table, i) for i in range(len(task.variants))]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None  # not there, or cut short: fit again


def _fit(task: Task, table: Any, place: int) -> RecoveryFit:
    told = table[f"{place}:diagnostics"]
    return RecoveryFit(
        form=task.form,
        outcomes=task.evidence.outcomes,
        effects=task.evidence.effects,
        moderator_names=task.evidence.moderator_names,
        priors=task.variants[place].priors,
        diagnostics=Diagnostics(float(told[0]), float(told[1]), float(told[2]), int(told[3])),
        **{name: table[f"{place}:{name}"] for name in DRAWN},
    )


def _keep(keep: Path | None, task: Task, fits: Sequence[RecoveryFit]) -> None:
    if keep is None:
        return
    table = {}
    for place, fit in enumerate(fits):
        d = fit.diagnostics
        table[f"{place}:diagnostics"] = np.array([d.r_hat, d.bulk, d.tail, d.divergences])
        table |= {f"{place}:{name}": getattr(fit, name) for name in DRAWN}
    place_of = _place(keep, task)
    part = place_of.with_suffix(f".{os.getpid()}.part.npz")
    with suppress(OSError):  # what cannot be kept costs time, not the build
        keep.mkdir(parents=True, exist_ok=True)
        columns: Any = table  # or its names would be taken for options
        np.savez(part, **columns)
        part.replace(place_of)


def without(studies: tuple[str, ...], left_out: Iterable[str]) -> tuple[bool, ...]:
    """Return which of `studies` count when some are left out."""
    gone = set(left_out)
    return tuple(study not in gone for study in studies)


def changed(variant: Variant, **priors: Any) -> Variant:
    """Return a variant with other priors."""
    return replace(variant, priors=replace(variant.priors, **priors))
