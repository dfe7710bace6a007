"""The planner's page: a form by GET, so that a plan has an address, and what to expect of it."""

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.results.planning.plans import Plan, PlanFaulty, cost_of, number, plan_from, stated_pay
from app.study.sizes import size_of
from app.web.deps import ReadSession
from app.web.pages import render
from app.web.researcher.access import visible_study
from app.web.researcher.planning_pages import DEFAULTS, PlanResult, plan_page, plan_result
from app.web.signed_in import Researcher

if TYPE_CHECKING:
    from app.results.planning.simulation import Expected

router = APIRouter()

_LONGEST = 200
_SECONDS = 2.0
_SECONDS_A_STUDY = 0.0045
_SECONDS_A_CHOICE = 0.6e-6
_FEWEST_SIMULATIONS = 30
_MOST_CHOICES = 60_000
# One at a time in each process: the others wait, and every other page is answered meanwhile.
_ONE_AT_A_TIME = CapacityLimiter(1)


@router.get("/studies/plan")
async def plan_a_study(request: Request, account: Researcher) -> Response:
    """Show the form and, once it was sent, what the planned study can be expected to show."""
    sent = {name: request.query_params[name][:_LONGEST] for name in DEFAULTS if name in request.query_params}
    typed = DEFAULTS | sent
    if not sent:
        return render(plan_page(account, typed))
    try:
        result = await _result(typed)
    except PlanFaulty as fault:
        return render(plan_page(account, typed, fault=fault), 422)
    return render(plan_page(account, typed, result=result))


@router.get("/studies/{slug}/plan")
async def plan_of_study(slug: str, account: Researcher, session: ReadSession) -> Response:
    """Lead to the plan of a study as it is."""
    study = await visible_study(session, slug, account)
    size = await size_of(session, study)
    values = {
        "pairs": " ".join(map(str, size.pairs)),
        "ratings_per_pair": size.ratings_per_pair,
        "pairs_per_annotator": size.pairs_per_annotator,
        "arms": size.arms,
        "pay": stated_pay(study.pay),
    }
    return RedirectResponse(f"/studies/plan?{urlencode(values, quote_via=quote)}", 303)


async def _result(typed: dict[str, str]) -> PlanResult:
    asked = plan_from(typed)
    cost = cost_of(asked, typed["pay"], number("fee", typed["fee"]))
    done = await to_thread.run_sync(_expected, within_reach(asked), limiter=_ONE_AT_A_TIME)
    return plan_result(done, asked, cost)


def within_reach(asked: Plan) -> Plan:
    """Return the plan with as few simulations as a page can wait for.

    Raises
    ------
    PlanFaulty
        When that would be too few to say anything.
    """
    if asked.choices > _MOST_CHOICES:
        said = f"this makes {asked.choices:,} choices, too many to simulate while a page waits; use candor study plan"
        raise PlanFaulty("pairs", said)
    affordable = int(_SECONDS / (_SECONDS_A_STUDY + _SECONDS_A_CHOICE * asked.choices))
    return replace(asked, simulations=min(asked.simulations, max(affordable, _FEWEST_SIMULATIONS)))


def _expected(plan: Plan) -> "Expected":
    from app.results.planning.simulation import expect  # noqa: PLC0415 - numpy is imported by whoever needs it, not by the server

    return expect(plan)
