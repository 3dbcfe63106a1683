"""The reference: a static site, and the same facts as files.

Public: `figures_of` draws the pictures, `build_site` writes everything, `BuildReport` says what
was written, `BuildRefused` is raised where the place holds something else, as `check_replaceable`
finds.
"""

from trabecula.reference.figures import figures_of
from trabecula.reference.output import BuildError, BuildRefused, check_replaceable
from trabecula.reference.site import BuildReport, build_site

__all__ = [
    "BuildError",
    "BuildRefused",
    "BuildReport",
    "build_site",
    "check_replaceable",
    "figures_of",
]
