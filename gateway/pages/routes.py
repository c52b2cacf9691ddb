"""The candidate's pages: arriving with a link, seeing where one stands, and saying what is one's own to say.

Nothing is decided here: each form goes through the very functions that the API's routes call.
"""

from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from events.fold import fold
from events.state import Engagement
from gateway.http.asking import Asker, must_be_id, stream_of
from gateway.http.commanding import CODE, with_code
from gateway.http.giving import to_engagement
from gateway.http.identify import access_of, bearer
from gateway.http.mistakes import problem_of
from gateway.http.problems import Problem, unknown
from gateway.http.routes import access
from gateway.pages import forms, texts
from gateway.pages.cookie import PATH, bearing, keep, seal_of, token_of
from gateway.pages.knowing import known_of, reason_of
from gateway.pages.rendering import page
from gateway.pages.sent import command_id_in, fields_in, sent
from gateway.pages.standing import standing
from gateway.pages.telling import told

router = APIRouter(prefix=PATH, include_in_schema=False)
# Of a problem that passes: the same may be sent again, under the same id.
_PASSES: Final = (429, 503)
_CODE_SENT: Final = "code"
_GRANT: Final = "grant-right-to-represent"


@router.get("")
async def stands(request: Request, done: str = "", here: str = "") -> Response:
    """Show where the candidate stands."""
    if token_of(request.scope) is None and not here and _came_over(request):
        return page(request, "moment")
    asker = await _candidate(request)
    state = await _state(asker)
    now = datetime.now(UTC)
    known = await known_of(asker, state)
    words = texts.FORMS.get(done)
    return page(
        request,
        "standing",
        shown=standing(state, known, now),
        done=words.done if words else "",
        seal=_seal(request),
    )


@router.get("/held")
async def ask_held(request: Request, done: str = "") -> Response:
    """Ask for the code that opens all that is held."""
    await _candidate(request)
    return page(request, "held", events=None, zone="", done=_sent_says(done), seal=_seal(request))


@router.post("/held")
async def held(request: Request) -> Response:
    """Show all that is held, to whoever has the code."""
    asker, _ = await _with_form(request)
    assert asker.who.engagement is not None
    found = await access.held(asker.request, asker.who.engagement, asker.who)
    zone = (await _state(asker)).zone
    return page(
        request,
        "held",
        events=told(found, zone),
        zone=texts.ZONE.format(zone=zone),
        done="",
        seal=_seal(request),
    )


@router.post("/code")
async def send_code(request: Request) -> Response:
    """Mail a code, and go back to where it is asked for."""
    asker, form = await _with_form(request)
    await access.send_code(asker.request, asker.who)
    if "job" not in form:
        return _see(request, f"/held?done={_CODE_SENT}")
    must_be_id(form["job"], "job-order")
    return _see(request, f"/agree/{form['job']}?done={_CODE_SENT}")


@router.get("/agree/{job}")
async def ask_agreement(request: Request, job: str, done: str = "") -> Response:
    """Ask for the code that an agreement needs."""
    asker = await _candidate(request)
    title = await _agreeable(asker, job)
    return page(
        request,
        "agree",
        job=job,
        title=title,
        form=None,
        reason=None,
        command_id=forms.new_id(),
        done=_sent_says(done),
        seal=_seal(request),
    )


@router.post("/agree/{job}")
async def read_reason(request: Request, job: str) -> Response:
    """Show why the job was proposed, and let the candidate agree with the same code."""
    asker, form = await _with_form(request)
    title = await _agreeable(asker, job)
    command_id = command_id_in(form)
    await with_code(asker.request, asker.who, f"{_GRANT}:{command_id}")
    zone = (await _state(asker)).zone
    agreement = forms.agreement(job, zone, datetime.now(UTC), command_id, form.get("code", ""))
    return page(
        request,
        "agree",
        job=job,
        title=title,
        form=agreement,
        reason=await reason_of(asker, job),
        command_id=command_id,
        done="",
        seal=_seal(request),
    )


@router.post("/do/{name}")
async def give(request: Request, name: str) -> Response:
    """Give one of the candidate's commands."""
    asker, form = await _with_form(request)
    command_id, fields = command_id_in(form), fields_in(name, form)
    assert asker.who.engagement is not None
    try:
        await to_engagement(asker, asker.who.engagement, name, fields, command_id=command_id)
    except Exception as error:
        problem = problem_of(error)
        if problem is None or problem.status not in _PASSES:
            raise
        again = page(request, "again", status=problem.status, name=name, form=form, seal=_seal(request))
        again.headers.update({key: value for key, value in problem.headers.items() if key == "Retry-After"})
        return again
    return _see(request, f"?done={name}")


@router.get("/{token}")
async def arrive(request: Request, token: str) -> Response:
    """Put the link into a cookie, so that it stands in no further address."""
    request.scope.setdefault("state", {})
    asker = await _candidate(Request(bearing(request.scope, token)))
    links = await access_of(request).links.list(asker.who.agency, asker.who.engagement or "")
    link = next(each for each in links if each.link_id == asker.who.credential)
    response = _see(request, "")
    doors = asker.doors
    secure = "https" in (request.url.scheme, (doors.public_url or "").partition(":")[0])
    keep(response, token, link.expires_at, prefix=doors.prefix, secure=secure)
    return response


async def _candidate(request: Request) -> Asker:
    """Say who has come, or end the request as for any link that opens nothing.

    :raises Problem: 401, 429 or 503, as the API has it.
    """
    doors = request.app.state.doors
    who = await doors.permits.known(request)
    if who.role != "candidate" or who.engagement is None:
        raise Problem(401, "unauthenticated", "this page is a candidate's")
    return Asker(doors, who, request)


async def _with_form(request: Request) -> tuple[Asker, dict[str, str]]:
    """Read a form of ours; the code in it is shown to the API as its own header."""
    asker = await _candidate(request)
    form = await sent(request)
    shown = Request(bearing(request.scope, bearer(request), **{CODE: form.get("code", "").replace(" ", "")}))
    return Asker(asker.doors, asker.who, shown), form


async def _state(asker: Asker) -> Engagement:
    assert asker.who.engagement is not None
    await asker.sees_engagement(asker.who.engagement)
    return fold(await stream_of(asker, "engagement", asker.who.engagement, personal=False))


async def _agreeable(asker: Asker, job: str) -> str:
    """Name a job that the candidate may agree to.

    :raises Problem: 404, there is none.
    """
    must_be_id(job, "job-order")
    state = await _state(asker)
    if not forms.may_agree(state, job, datetime.now(UTC)):
        raise unknown("job-order")
    return (await known_of(asker, state)).job(job)


def _came_over(request: Request) -> bool:
    # From another site's page: a browser keeps a strict cookie to itself until our own page asks.
    return request.headers.get("sec-fetch-site", "") in ("cross-site", "same-site")


def _seal(request: Request) -> str:
    return seal_of(bearer(request) or "")


def _sent_says(done: str) -> str:
    return texts.CODE_SENT if done == _CODE_SENT else ""


def _see(request: Request, address: str) -> RedirectResponse:
    return RedirectResponse(f"{request.app.state.doors.prefix}{PATH}{address}", 303)
