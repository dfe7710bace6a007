"""Fits of the crossed random-effects model as they are stored: to a record, and back from the database."""

from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.results.crossed.fit import ModelFit
from app.results.json_keys import plain
from app.study import model_fits

_FORM: TypeAdapter[ModelFit] = TypeAdapter(ModelFit)


def record_of(fit: ModelFit) -> dict[str, Any]:
    """Return what is stored of a fit. Whether it is outdated is told when it is read, of the choices there are then."""
    record: dict[str, Any] = plain(fit)
    del record["outdated"]
    return record


def fit_in(record: dict[str, Any]) -> ModelFit | None:
    """Return the fit that a record tells; None where another version of Candor stored it in another form."""
    try:
        return _FORM.validate_python(record)
    except ValidationError:
        return None


async def models_of(session: AsyncSession, study_id: int) -> tuple[ModelFit, ...]:
    """Return the newest stored fit of each arm of a study that has one."""
    found = [fit_in(stored.record) for stored in await model_fits.newest(session, study_id)]
    return tuple(fit for fit in found if fit is not None)
