"""Samples of the planner's page and of a study's preregistration, for the tests that every page meets."""

from dataclasses import replace
from datetime import UTC, datetime

from app.results.planning.plans import PlanFaulty
from app.study.login_sessions import SignedIn
from app.terms import Role
from app.web.researcher.planning_pages import DEFAULTS, PlanLevel, PlanResult, plan_page
from app.web.researcher.preregistration import PreregistrationBlock
from app.web.signed_in import CurrentAccount

ADA = CurrentAccount(SignedIn(1, "ada@example.org", Role.ADMIN), "form-token")
RESULT = PlanResult(
    finding=(
        "The difficulty slope would be found in 66 % of such studies (± 2.7 points), "
        "hardest against easiest in 43 % (± 2.9 points)"
    ),
    levels=tuple(
        PlanLevel(level=level, n_pairs=33, rate=18.6 + 1.4 * level, low=12 + level, high=27 + level, width="15.2")
        for level in range(1, 9)
    ),
    numbers=(("Power of the difficulty slope (%)", "66", "2.7"), ("Slope (points a level)", "cannot be estimated", "")),
    people="66 annotators judge 264 pairs: 1,320 choices",
    cost="£219.95 for 66 people: £165.00 pay, £54.95 fee",
    made_from="300 simulated studies from seed 1.",
    fewer="300 studies were simulated, not 5,000.",
)
FIRST = plan_page(ADA, DEFAULTS)
PLAN_PAGES = {
    "plan": FIRST,
    "plan-result": plan_page(ADA, DEFAULTS, result=RESULT),
    "plan-result-short": plan_page(ADA, DEFAULTS, result=replace(RESULT, cost="", fewer="")),
    "plan-error": plan_page(ADA, DEFAULTS | {"rates": "<b>"}, fault=PlanFaulty("rates", "give percentages")),
}
TO_PREREGISTER = PreregistrationBlock(make="/studies/example/preregister")
PREREGISTERED = PreregistrationBlock(
    made_at=datetime(2026, 11, 21, 14, 3, tzinfo=UTC),
    document_hash="d" * 64,
    design_hash="e" * 64,
    markdown="/studies/example/preregistration.md",
    json="/studies/example/preregistration.json",
)
