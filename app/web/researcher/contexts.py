"""From what was read to the pages' contexts: a study in plain words."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from app.models import MisconceptionSet, Study
from app.study.progress_queries import ArmKind, LevelCounts, StageCount, StudyListed, StudySeen
from app.terms import Instructions, Platform, Purpose, Stage, StudyState
from app.web.researcher.design_told import switched_on
from app.web.researcher.downloads import downloads
from app.web.researcher.pages import LevelProgress, Studies, StudyDetail, StudyRow
from app.web.researcher.recruiting import Site, recruiting
from app.web.signed_in import CurrentAccount

_INSTRUCTIONS = {
    Instructions.NEUTRAL: "neutral instructions",
    Instructions.PREFER_TRUTH: "told to prefer the true answer",
}
_COMES_FROM = {
    Platform.OPEN: "Anyone with the link",
    Platform.GENERIC: "Anyone whose link carries an id",
    Platform.PROLIFIC: "Prolific",
}
STAGES = {
    Stage.CONSENT: "On the consent page",
    Stage.BACKGROUND: "At the questions about themselves",
    Stage.INSTRUCTIONS: "Reading the instructions",
    Stage.COMPREHENSION: "At the questions about the task",
    Stage.PRACTICE: "On the practice pair",
    Stage.JUDGING: "Judging pairs",
    Stage.LOOKED_UP: "At the last question, whether they looked anything up",
    Stage.DEBRIEF: "Reading the explanation",
    Stage.COMPLETE: "Finished",
}
WAYS_OUT = {
    "failed_checks": "Finished, with too many checks failed",
    "screened_out": "Screened out before judging",
    "stopped": "Stopped early",
    "returned": "Gave their place back to the platform",
    "withdrew": "Withdrew their data",
}


def studies_page(account: CurrentAccount, listed: Iterable[StudyListed]) -> Studies:
    """Return the list of studies."""
    rows = (
        StudyRow(
            slug=study.slug,
            title=study.title,
            state=study.state,
            synthetic=study.synthetic,
            set_name=f"{study.set_title}, version {study.set_version}",
            n_filled=study.n_filled,
            n_slots=study.n_slots,
        )
        for study in listed
    )
    return Studies(
        title="Studies",
        email=account.who.email,
        is_admin=account.who.is_admin,
        section="studies",
        form_token=account.form_token,
        studies=tuple(rows),
    )


def study_page(
    account: CurrentAccount,
    seen: StudySeen,
    arms: Sequence[ArmKind],
    levels: Sequence[LevelCounts],
    stages: Sequence[StageCount],
    site: Site,
) -> StudyDetail:
    """Return the page of one study."""
    study = seen.study
    n_filled = sum(level.n_filled for level in levels)
    opened = study.state != StudyState.DRAFT
    exportable = opened and study.purpose != Purpose.PREVIEW
    return StudyDetail(
        title=study.title,
        email=account.who.email,
        is_admin=account.who.is_admin,
        section="studies",
        form_token=account.form_token,
        slug=study.slug,
        state=study.state,
        synthetic=study.synthetic or any(count.synthetic for count in stages),
        design=_design(study, seen.misconception_set, arms),
        recruiting=recruiting(study, site) if opened and not study.synthetic else None,
        levels=tuple(map(_level, levels)),
        n_slots=sum(level.n_slots for level in levels),
        n_filled=n_filled,
        n_held=sum(level.n_held for level in levels),
        people=_people(stages),
        exports=downloads(study, sum(level.n_pairs for level in levels), n_filled) if exportable else None,
        as_of=seen.as_of,
    )


def arm_words(arm: ArmKind) -> str:
    """Return an arm in words."""
    return f"{arm.truthful_kind.value.capitalize()} truthful response, {_INSTRUCTIONS[arm.instructions]}"


def _level(counts: LevelCounts) -> LevelProgress:
    return LevelProgress(
        arm=arm_words(counts.arm),
        level=counts.level,
        n_pairs=counts.n_pairs,
        n_slots=counts.n_slots,
        n_filled=counts.n_filled,
        n_held=counts.n_held,
        percent=100 * counts.n_filled // counts.n_slots,  # Rounded down: 100 only when nothing is missing.
    )


def _people(stages: Sequence[StageCount]) -> tuple[tuple[str, int], ...]:
    """Return the stages in the order of the way, then those who left; synthetic annotators are named as such."""
    order = [*STAGES.values(), *WAYS_OUT.values()]
    named = (
        (WAYS_OUT[count.left] if count.left else STAGES[Stage(count.stage)], count.synthetic, count.n)
        for count in stages
    )
    in_order = sorted(named, key=lambda row: (order.index(row[0]), row[1]))
    return tuple((f"{stage} (synthetic)" if synthetic else stage, n) for stage, synthetic, n in in_order)


def _design(study: Study, used: MisconceptionSet, arms: Sequence[ArmKind]) -> tuple[tuple[str, str], ...]:
    entries = (
        ("Question", study.question),
        ("Set of misconceptions", f"{used.title} ({used.slug}, version {used.version}, {used.licence})"),
        ("Arms", "; ".join(map(arm_words, arms))),
        ("Ratings of each pair", f"{study.ratings_per_pair}{' in each arm' if len(arms) > 1 else ''}"),
        ("Pairs for each annotator", _pairs(study)),
        ("Annotators come from", _COMES_FROM[Platform(study.platform)]),
        ("Expected time", _minutes(study.expected_minutes)),
        ("Pay", study.pay),
        ("Contact", study.contact),
        *switched_on(study),
        ("Completion code", study.completion_code),
        (
            "A place is held for",
            f"{_minutes(study.entry_hold_minutes)} before consent, {_minutes(study.hold_minutes)} after each page",
        ),
        ("Seed", str(study.seed)),
        ("Opened", _moment(study.opened_at)),
        ("Closed", _moment(study.closed_at)),
        ("Set hash", used.content_hash),
        ("Design hash", study.design_hash or "none yet: the design is frozen when the study opens"),
    )
    return tuple((term, value) for term, value in entries if value)


def _pairs(study: Study) -> str:
    if study.min_pairs == study.pairs_per_annotator:
        return str(study.pairs_per_annotator)
    return f"{study.pairs_per_annotator}, or as few as {study.min_pairs} when no more are open"


def _minutes(n: int) -> str:
    return f"{n} minute{'' if n == 1 else 's'}"


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at.day} {at:%B %Y, %H:%M %Z}"
