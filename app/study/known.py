"""What a server process remembers of studies, so that judging need not read it again for each request."""

from app.study.places import StudyFacts


class KnownStudies:
    """The facts of studies by slug. A design that is frozen cannot change, so they stay true; drafts are not kept."""

    def __init__(self) -> None:
        self._facts: dict[str, StudyFacts] = {}

    def get(self, slug: str) -> StudyFacts | None:
        """Return the facts of a study that was met before."""
        return self._facts.get(slug)

    def keep(self, facts: StudyFacts) -> None:
        """Remember a study's facts."""
        if facts.design_hash:
            self._facts[facts.slug] = facts
