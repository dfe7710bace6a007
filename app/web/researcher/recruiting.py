"""What a platform is to be given so that it can send people: addresses, codes, and what to choose beside them."""

from dataclasses import dataclass
from urllib.parse import quote

from app.models import Study
from app.study.options import Options
from app.terms import Platform
from app.web.addresses import PROLIFIC_WEBHOOK
from app.web.researcher.pages import Paste, Recruiting


@dataclass(frozen=True, slots=True)
class Site:
    """The address at which this server is reached, and whether it takes messages from Prolific."""

    address: str
    has_webhook: bool = False


# What a platform adds to the address, in the form that it is to be given to the platform.
_LINK_ENDS = {
    Platform.OPEN: "",
    Platform.GENERIC: "?pid=ID",
    Platform.PROLIFIC: "?PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}",
}


def recruiting(study: Study, site: Site) -> Recruiting:
    """Return what has to be given to whoever sends this study's annotators."""
    platform = Platform(study.platform)
    address = f"{site.address}/s/{quote(study.slug)}{_LINK_ENDS[platform]}"
    if platform is Platform.PROLIFIC:
        return Recruiting(title="To paste into Prolific", values=_for_prolific(study, site, address))
    note = {
        Platform.OPEN: "Anyone with this link can take part.",
        Platform.GENERIC: "Put each person's own id in the place of ID. With it they can come back to where they were.",
    }
    if Options.model_validate(study.options).signed_links:
        note[platform] = f"Only signed links open this study: candor study links {study.slug}"
    link = Paste(name="paste-address", term="Address for annotators", value=address, note=note[platform])
    return Recruiting(title="Address and codes", values=(link, *_codes(study, _SHOWN_AT_THE_END)))


_SHOWN_AT_THE_END = ("Shown at the end, to be given back to you.",) * 3
_TO_CHOOSE_ON_PROLIFIC = (
    "Action to choose: manually review, then approve.",
    "Action to choose: manually review, or request a return.",
    "Action to choose: screen out with a fixed payment, or request a return.",
)


def _codes(study: Study, actions: tuple[str, str, str]) -> tuple[Paste, ...]:
    """Return the three codes, each with whom it is for; where the study can give it to nobody, that is said instead."""
    options = Options.model_validate(study.options)
    screens = bool(options.comprehension) or any(question.screens_out for question in options.background)
    complete, failed, screened = actions
    return (
        Paste(
            name="paste-complete",
            term="Code: complete",
            value=study.completion_code,
            note=f"For who judged every pair. {complete}",
        ),
        Paste(
            name="paste-failed-checks",
            term="Code: failed checks",
            value=study.failed_checks_code,
            note=f"For who judged every pair but failed {options.failed_at} or more attention checks. {failed}"
            if options.attention_checks
            else "Given to nobody: this study has no attention checks.",
        ),
        Paste(
            name="paste-screened-out",
            term="Code: screened out",
            value=study.screened_out_code,
            note=f"For who cannot take part, before any pair was shown. {screened}"
            if screens
            else "Given to nobody: this study screens nobody out.",
        ),
    )


def _for_prolific(study: Study, site: Site, address: str) -> tuple[Paste, ...]:
    webhook = Paste(
        name="paste-webhook",
        term="Webhook",
        value=site.address + PROLIFIC_WEBHOOK,
        note="For a subscription to submission.status.change; places that are returned then come back at once.",
    )
    return (
        Paste(
            name="paste-address",
            term="Study URL",
            value=address,
            note="Record Prolific IDs by URL parameters; keep the three placeholders as they are.",
        ),
        Paste(
            name="paste-minutes",
            term="Estimated completion time, in minutes",
            value=str(study.expected_minutes),
            note=f"Annotators read it before they consent, and the pay: {study.pay}.",
        ),
        Paste(
            name="paste-path",
            term="Completion path",
            value="redirect",
            note="Confirm completion by a redirect to a URL. The last page leads people back with their code.",
        ),
        *_codes(study, _TO_CHOOSE_ON_PROLIFIC),
        *((webhook,) if site.has_webhook else ()),
    )
