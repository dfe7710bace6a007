"""The audit log in plain words: what each kind of act is called, and which of its details are told."""

from collections import defaultdict

from app.study.audit import Act

# What an act is called, and its details by name. Details that are not named here are never shown.
KINDS: dict[str, tuple[str, str]] = {
    "signed_in": ("Signed in", "by {way}"),
    "sign_in_failed": ("Sign-in failed", ""),
    "login_link_made": ("Made a sign-in link", ""),
    "invitation_made": ("Invited somebody", "as {role}"),
    "invitation_renewed": ("Renewed an invitation", ""),
    "invitation_withdrawn": ("Withdrew an invitation", ""),
    "invitation_accepted": ("Accepted an invitation", "as {role}"),
    "account_created": ("Made an account", "as {role}"),
    "account_disabled": ("Disabled an account", ""),
    "account_enabled": ("Enabled an account", ""),
    "role_changed": ("Changed a role", "from {before} to {role}"),
    "password_changed": ("Changed their password", ""),
    "password_change_failed": ("Password change failed", "the current password was wrong"),
    "reset_link_made": ("Made a link to set a password", ""),
    "password_reset": ("Set a password by a link", ""),
    "token_made": ("Made an API token", "{name}, {scope}"),
    "token_revoked": ("Revoked an API token", "{name}"),
    "study_created": ("Created a study", ""),
    "study_given": ("Gave a study to an account", ""),
    "study_changed": ("Changed a study's design", ""),
    "study_preregistered": ("Preregistered a study", "hash {document_hash}"),
    "study_live": ("Opened a study", ""),
    "study_paused": ("Paused a study", ""),
    "study_closed": ("Closed a study", ""),
    "ratings_raised": ("Raised the ratings a pair", "from {before} to {after}"),
    "pair_retired": ("Retired a pair", "{key}"),
    "preview_opened": ("Opened a preview", "{copy}"),
    "pilot_opened": ("Opened a pilot", "{copy}"),
    "set_imported": ("Imported a set", "{set}, version {version}"),
    "set_graded": ("Graded a set", "{set}, version {version}, by {by}"),
    "set_regrouped": ("Regrouped a set's levels", "{set}, version {version}, by grading {grading}"),
    "scores_imported": ("Imported a score file", "{model}, run {run}"),
    "scores_stored": ("Scored the pairs", "{model}, run {run}"),
    "scoring_failed": ("A scoring run failed", "{model}, run {run}"),
    "model_fitted": ("Fitted the crossed model", "to {arm}"),
    "result_link_made": ("Made a link to results", ""),
    "result_link_revoked": ("Revoked a link to results", ""),
    "payments_exported": ("Downloaded payments", "personal ids"),
    "audit_exported": ("Downloaded the audit log", ""),
}
# What nobody signed in did: it is not known who tried.
_BY_ANYONE = frozenset({"sign_in_failed", "password_change_failed"})


def name(kind: str) -> str:
    """Return what a kind of act is called; a kind that has no words yet is told by its own name."""
    return KINDS[kind][0] if kind in KINDS else kind.replace("_", " ").capitalize()


def told(act: Act) -> str:
    """Return the details of an act that are told."""
    if act.kind not in KINDS:
        return ""
    return KINDS[act.kind][1].format_map(defaultdict(str, act.detail))


def who(act: Act) -> str:
    """Return who acted."""
    if act.by is not None:
        return act.by
    return "unknown" if act.kind in _BY_ANYONE else "a command"
