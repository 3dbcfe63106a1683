"""The built site: complete, safe, the same each time, and true to its review."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.reference.hostile import SCRIPT, hostile_topic
from tests.reference.html_check import Parsed, parse
from tests.reference.small_review import small_review, stub_figures
from trabecula.reference import build_site, figures_of, links
from trabecula.reference.results import turned
from trabecula.reference.site import css_string
from trabecula.review import Review


def pages_of(site: Path) -> dict[str, Parsed]:
    """Return every page of a site by its address."""
    return {str(p.relative_to(site)): parse(p) for p in sorted(site.rglob("*.html"))}


def broken_links(site: Path) -> list[str]:
    """Return every internal link that leads nowhere."""
    pages = pages_of(site)
    ids = {path: set(page.ids) for path, page in pages.items()}
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (site / path).parent / unquote(parts.path) if parts.path else site / path
            if not target.resolve().is_file():
                broken.append(f"{path}: {link}")
            elif parts.fragment:
                found = ids[str(target.resolve().relative_to(site.resolve()))]
                if unquote(parts.fragment) not in found:
                    broken.append(f"{path}: {link}")
    return broken


def wrong_values(site: Path, review: Review) -> list[str]:
    """Return every number on a page that is not the review's."""
    wrong = []
    for path, page in pages_of(site).items():
        for name, raw, text in page.values:
            synthesis = review.synthesis_by_id[name.removeprefix("turned:")]
            expected = (turned(synthesis) if name.startswith("turned:") else synthesis).central
            if expected is None or float(raw) != expected[0] or not _agrees(text, expected[0]):
                wrong.append(f"{path}: {name} {raw} {text}")
    return wrong


def _agrees(text: str, value: float) -> bool:
    """Return whether a shown number is `value` rounded to the digits shown."""
    number = re.sub(r"[^\d.−-]", "", text.split(" ")[0]).replace("−", "-")
    decimals = len(number.partition(".")[2])
    factor = 100 if "%" in text else 1
    return abs(float(number) - factor * value) <= 0.5000001 * 10.0**-decimals


def files_of(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_every_kind_of_page_is_there(site: Path) -> None:
    """There is a page for each regimen, study and synthesis, and each of the fixed pages."""
    fixed = {
        value
        for name, value in vars(links).items()
        if name.isupper() and isinstance(value, str) and value.endswith(".html")
    }
    pages = set(pages_of(site))

    assert fixed - {*links.RECOVERY_PAGES} <= pages
    assert {links.regimen(r) for r in ("bathing", "water", "waiting")} <= pages
    assert {links.study(s) for s in ("doe-2020", "roe-2021", "poe-2022")} <= pages
    assert len([p for p in pages if p.startswith("syntheses/")]) == 6


def test_every_link_and_anchor_resolves(site: Path) -> None:
    """No internal link of the small site leads nowhere."""
    assert broken_links(site) == []


def test_every_link_of_the_real_site_resolves(review: Review, tmp_path: Path) -> None:
    """No internal link of the real site leads nowhere, and each number is the review's."""
    build_site(review, {}, tmp_path / "site")

    assert broken_links(tmp_path / "site") == []
    assert wrong_values(tmp_path / "site", review) == []


def test_every_shown_result_is_the_review_s(site: Path, small: Review) -> None:
    """Each displayed pooled number equals the review's, and agrees with it as rounded."""
    shown = {name for page in pages_of(site).values() for name, _, _ in page.values}

    assert wrong_values(site, small) == []
    assert shown == {s.id for s in small.syntheses if s.central is not None}


def test_pages_are_well_formed(site: Path) -> None:
    """Ids are unique, elements closed, headings in order, one h1, no inline handler."""
    for path, page in pages_of(site).items():
        twice = [name for name, count in Counter(page.ids).items() if count > 1]
        steps = zip(page.headings, page.headings[1:], strict=False)

        assert twice == [], path
        assert page.unclosed == [], path
        assert page.headings.count(1) == 1, path
        assert all(after <= before + 1 for before, after in steps), path
        assert not [a for a in page.attributes if a.startswith("on")], path


def test_every_page_says_how_current_it_is(site: Path, small: Review) -> None:
    """Search date, evidence version, notice and error link stand on each page."""
    for path, page in pages_of(site).items():
        assert "Literature searched to 2026-01-31" in page.text, path
        assert small.topic.digest[:12] in page.text, path
        assert "For clinicians’ own judgement" in page.text, path
        assert "Report an error" in page.text, path


def test_the_same_review_gives_the_same_bytes(small: Review, site: Path, tmp_path: Path) -> None:
    """A second build writes the same files."""
    build_site(small, stub_figures(small), tmp_path / "again")

    assert files_of(tmp_path / "again") == files_of(site)


def test_text_is_never_markup(small: Review, tmp_path: Path) -> None:
    """A script in every text field of topic, audit, effects and figures stays text."""
    review = small_review(hostile_topic(small.topic), SCRIPT)
    figures = {**stub_figures(review, SCRIPT), **figures_of(review)}
    build_site(review, figures, tmp_path / "site")
    pages = pages_of(tmp_path / "site")

    carriers = [path for path, page in pages.items() if SCRIPT in page.text]
    assert len(carriers) > len(pages) / 2
    for path, page in pages.items():
        sources = [script.get("src") for script in page.scripts]
        assert all(s and re.fullmatch(r"(\.\./)?assets/[a-z-]+\.js", s) for s in sources), path
        assert not [a for a in page.attributes if a.startswith("on")], path
        assert not [x for x in page.links if urlsplit(x).scheme not in ("", "https", "http")], path
        assert "49" not in page.text or "{{7*7}}" in page.text, path
    for name in ("search-data.js", "print.css"):
        text = (tmp_path / "site" / "assets" / name).read_text()
        assert "<script" not in text, name
        assert SCRIPT not in text, name


def test_a_treatment_without_study_says_so(site: Path) -> None:
    """A regimen nobody studied has a page that says so, with no number."""
    page = parse(site / links.regimen("sand"))

    assert "No study of this treatment is recorded." in page.text
    assert "What the treatment adds to time is unknown." in page.text
    assert page.values == []


def test_uncontrolled_results_are_labelled(site: Path) -> None:
    """A before-after result carries the warning; a comparison does not."""
    warning = "Not an effect of treatment."

    assert warning in parse(site / "syntheses/bathing--pain--mc--month--primary.html").text
    compared = "syntheses/bathing--waiting--pain--md--month--primary.html"
    assert warning not in parse(site / compared).text


def test_imputed_is_shown_unlike_reported(site: Path) -> None:
    """An imputed estimate has its own style and word; each step is shown."""
    text = (site / links.study("roe-2021")).read_text()

    assert '<div class="estimate imputed">' in text
    assert "SD borrowed: median of 14 arms" in text
    assert '<div class="estimate imputed">' not in (site / links.study("doe-2020")).read_text()


def test_every_number_leads_to_its_row(site: Path) -> None:
    """From a synthesis one link leads to the printed row, with its figures and place."""
    page = (site / "syntheses/bathing--waiting--pain--md--month--primary.html").read_text()
    study = (site / links.study("doe-2020")).read_text()
    row = study[study.index('id="contrasts-0"') :].partition("</article>")[0]

    assert 'href="../studies/doe-2020.html#contrasts-0"' in page
    assert "<dt>difference</dt><dd>−2.0</dd>" in row
    assert "table 1" in row
    assert "SE from the 95\u202f% CI" in row


def test_imputed_results_are_marked_where_they_are_used(site: Path) -> None:
    """A pooled number that rests on an imputed one says so beside it, and of how many."""
    mark = "imputed in 1 of 2"

    for path in (links.HOME, links.COMPARE, links.regimen("bathing")):
        assert mark in parse(site / path).text, path


def test_what_is_left_out_is_told_on_both_sides(site: Path) -> None:
    """An omission stands with its reason on the synthesis and on the study."""
    reason = "shares patients plain"

    assert reason in parse(site / "syntheses/bathing--pain--mc--month--primary.html").text
    assert reason in parse(site / links.study("poe-2022")).text


def test_acknowledged_findings_stay_visible(site: Path) -> None:
    """An acknowledged finding is shown with its answer, on the study and in the overview."""
    for path in (links.study("doe-2020"), links.AUDIT):
        page = parse(site / path)
        assert "message plain" in page.text
        assert "reason plain" in page.text


def test_the_home_page_claims_only_what_comparisons_show(small: Review, tmp_path: Path) -> None:
    """Without comparisons the home page says that nothing is known of effects."""
    single = tuple(s for s in small.syntheses if s.kind != "comparison")
    build_site(replace(small, syntheses=single), {}, tmp_path / "site")
    text = parse(tmp_path / "site" / links.HOME).text

    assert "no such comparison yields a number" in text
    assert "favour" not in text


def test_the_home_page_names_what_a_comparison_supports(site: Path) -> None:
    """A comparison whose interval supports the treatment is named with its studies."""
    assert "favour bathing (pain: 2 studies, n = 80, imputed)" in parse(site / links.HOME).text


def test_progress_and_report_agree_with_the_files(small: Review, tmp_path: Path) -> None:
    """The report counts pages, files and bytes as they lie in the folder."""
    calls: list[tuple[str, int, int]] = []
    report = build_site(small, {}, tmp_path / "site", progress=lambda *args: calls.append(args))
    files = {k: v for k, v in files_of(tmp_path / "site").items() if k != ".trabecula-build"}

    assert calls[-1] == ("pages", report.pages, report.pages)
    assert report.pages == sum(name.endswith(".html") for name in files)
    assert (report.files, report.bytes) == (len(files), sum(map(len, files.values())))


def test_a_failing_page_leaves_the_old_site(
    small: Review, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error in the middle of a build leaves the former reference untouched."""
    out = tmp_path / "site"
    build_site(small, {}, out)
    before = files_of(out)
    calls = iter(range(1000))

    def failing(*_: object) -> None:
        if next(calls) == 5:
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        build_site(small, {}, out, progress=failing)

    assert files_of(out) == before
    assert [p.name for p in tmp_path.iterdir()] == ["site"]


def test_css_strings_cannot_be_left() -> None:
    """Quotes, backslashes and line ends of a name are escaped in the print style."""
    assert css_string('a"\\\n') == '"a\\22 \\5c \\a "'
