"""Every word that a candidate reads on their pages, in one place: another language is another file.

Short and in the candidate's favour: no word that they would have to learn, no id where there is a name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

TITLE: Final = "Your page"
BACK: Final = "Back to your page"
NOBODY: Final = "somebody of the agency"
STAGES: Final[Mapping[str, str]] = {
    "intake": "We are getting to know you, before anybody looks for a job.",
    "matching": "We are looking for a job that suits you.",
    "submission": "You are presented to a client, and we wait for their word.",
    "interview": "You are in interviews.",
    "placement": "You have a job through us.",
    "closed": "We are not working together at the moment. You may still write to us, or ask to be called.",
}
# Beside the stage, where it holds.
PAUSED: Final = "You asked for quiet until {until}."
WITHDRAWN: Final = "You have withdrawn from the search."
OWNER: Final = "{who} answers for you here."
UNOWNED: Final = "Nobody answers for you yet; we will tell you who does."
ZONE: Final = "All times are those of {zone}."

PROMISES: Final = "What we owe you"
NO_PROMISES: Final = "Nothing is open at the moment."
PROMISE_DUE: Final = "{who} owes you this by {due}."
PROMISE_LATE: Final = "{who} owed you this by {due}. It is late, and we are sorry; we have it on record."
AWAITED: Final = "What we wait for"
FROM_YOU: Final = "From you, by {due}."
FROM_CLIENT: Final = "From the client; {who} sees to it by {due}."

INTERVIEWS: Final = "Your next interviews"
NO_INTERVIEWS: Final = "None is planned."
INTERVIEW_AT: Final = "{job}: {begins}"
INTERVIEW_PLACE: Final = "Where it is stands under “All that is held about you”, or ask us."
INTERVIEW_UNTIMED: Final = "{job}: the client asks for an interview; the time is not fixed yet."

JOBS: Final = "Your jobs"
NO_JOBS: Final = "No job has been proposed to you yet."
JOB: Final = "Job {id}"
PROPOSED: Final = "We proposed this job to you."
UNANSWERED: Final = "We proposed this job to you. You have not answered yet."
SAID: Final[Mapping[str, str]] = {
    "yes": "We proposed this job to you, and you said yes.",
    "no": "We proposed this job to you, and you said no.",
}
APPLIED: Final[Mapping[str, str]] = {
    "live": "You told us that you want this job.",
    "declined": "You told us that you want this job; it did not go further.",
    "withdrawn": "You told us that you want this job, and withdrew.",
}
AGREED: Final = "You agreed that we present you for this job."
AGREED_UNTIL: Final = "You agreed that we present you for this job, until {until}."
AGREED_OVER: Final = "You agreed that we present you for this job, until {until}; that is over."
AGREED_REVOKED: Final = "You took back your agreement to be presented for this job."
SUBMITTED: Final[Mapping[str, str]] = {
    "live": "You are presented to the client. We wait for their answer.",
    "rejected": "The client said no.",
    "withdrawn": "You were presented to the client, and withdrew.",
    "offer-declined": "You declined the client's offer.",
    "position-filled": "The job is filled or gone.",
    "placed": "You accepted the client's offer.",
    "placement-ended": "You had this job; it has ended.",
}
WANTED: Final = "You are presented to the client, and they want to go on with you."
TO_BE_TOLD: Final = "The client has answered. {who} owes you a word about it by {due}."
HELD: Final = "The client has put the job on hold."
HELD_UNTIL: Final = "The client has put the job on hold until {until}."
UNSETTLED: Final = "You accepted another offer: choose what becomes of this one."
OFFERED: Final = "The client made you an offer."
OFFER_TERMS: Final = "Its terms stand under “All that is held about you”, or ask us."
OFFER_STARTS: Final = "You would start on {on}."
OFFER_EXPIRES: Final = "It stands until {until}."
OFFER_ANSWERED: Final[Mapping[str, str]] = {
    "accepted": "You accepted the offer.",
    "declined": "You declined the offer.",
    "withdrawn": "The offer stands no longer.",
}
STARTS: Final = "You start on {on}."
STARTED: Final = "You started on {on}."

ASK: Final = "Talk to us"
UNDERSTOOD: Final = "How we understand you"
UNDERSTOOD_SAYS: Final = (
    "We told you how we understand you: {what}. If it was right, say so; if not, write us what is different. "
    "You can read it under “{held}”."
)
FACETS: Final[Mapping[str, str]] = {
    "motive": "what moves you",
    "goal": "your goals",
    "like": "what you like",
    "dislike": "what you do not like",
    "work-style": "how you work",
    "value": "what matters to you",
    "lifestyle": "how you live",
    "constraint": "what must be",
    "strength": "what you are good at",
}
WISHES: Final = "Your wishes"
QUIET: Final = "You are not written to by machine between {hours}."
STOPPED: Final = "You get no automatic messages; people may still write to you and call you."

AGREE: Final = "Read why, and agree"
AGREE_TITLE: Final = "May we present you for this job?"
AGREE_SAYS: Final = (
    "Your name goes to this client only if you agree. It needs a code, which we mail to you, so that nobody "
    "agrees in your place. With the code you first read why we think that the job suits you."
)
AGREE_READ: Final = "Show me why"
AGREE_REASON: Final = "Why we think that it suits you"
NO_REASON: Final = "Nobody has written down a reason. Ask us for it before you agree."
AGREE_SURE: Final = "You may take it back whenever you like."
# What goes on record as the words that were agreed to.
WORDING: Final = (
    "I agree that the agency presents me to the client for this one job. I may take this back at any time."
)
CODE: Final = "The code from our mail"
SEND_CODE: Final = "Mail me a code"
CODE_SENT: Final = "A code is on its way to the e-mail address that we have of you. It holds for 10 minutes."
HELD_TITLE: Final = "All that is held about you"
HELD_SAYS: Final = (
    "Everything on record about you, word for word, is for your eyes only: it needs a code, "
    "which we mail to you."
)
HELD_SHOW: Final = "Show me"
HELD_MORE: Final = "In full"
ERASED: Final = "(erased)"

MOMENT: Final = "One moment"
GO_ON: Final = "Go on to your page"
AGAIN_TITLE: Final = "That was not taken"
AGAIN: Final = (
    "Something of ours does not answer at the moment: what you sent was not taken, or we cannot confirm it. "
    "Try again in a moment; sent twice, it still counts once."
)
TRY_AGAIN: Final = "Try again"


@dataclass(frozen=True, slots=True)
class FormWords:
    """What stands at a form, on its button, and above the page once it was taken."""

    title: str
    button: str
    done: str
    note: str = ""


REASON: Final = "Your reason, if you like"
FORMS: Final[Mapping[str, FormWords]] = {
    "record-message": FormWords("Write to us", "Send", "We have your message; a person answers it."),
    "request-call": FormWords("Ask to be called", "Please call me", "We have it: a person calls you."),
    "confirm-profile": FormWords(
        "Yes, that is me", "Yes, you understood me rightly", "Thank you: it is on record that this is you."
    ),
    "record-application": FormWords(
        "Tell us about a job of ours that you want",
        "I want this job",
        "We have it: a person answers you.",
        "Its reference stands in our advertisement.",
    ),
    "answer-proposal": FormWords(
        "Does this job interest you?",
        "",
        "We have your answer.",
        "A yes does not send your name anywhere; for that we ask you again.",
    ),
    "grant-right-to-represent": FormWords(
        "May we present you for this job?", "I agree", "It is on record that you agree."
    ),
    "revoke-right-to-represent": FormWords(
        "Take back your agreement",
        "Take it back",
        "Your agreement is taken back.",
        "If your name is with the client already, we tell them.",
    ),
    "withdraw": FormWords("Withdraw from this job", "Withdraw", "You have withdrawn."),
    "set-quiet-hours": FormWords(
        "When we must not write to you",
        "Save",
        "Your quiet hours are saved.",
        "It holds for automatic messages. Leave both times empty for our usual hours.",
    ),
    "stop-outreach": FormWords(
        "Stop automatic messages",
        "Stop them",
        "You get no automatic messages any more.",
        "People may still write to you and call you.",
    ),
    "allow-outreach": FormWords(
        "Take automatic messages again", "Allow them", "You get automatic messages again."
    ),
    "accept-offer": FormWords("Accept the offer", "I accept", "It is on record that you accept the offer."),
    "decline-offer": FormWords(
        "Decline the offer", "I decline", "It is on record that you decline the offer."
    ),
    "settle-submission": FormWords(
        "What becomes of this one?", "", "We have your choice.", "You accepted another offer."
    ),
    "raise-concern": FormWords(
        "Tell us that something is wrong in the job",
        "Tell us",
        "We have it: a person talks with you about it.",
    ),
}
WITHDRAW_ALL: Final = FormWords(
    "Withdraw from the whole search",
    "Withdraw from everything",
    FORMS["withdraw"].done,
    "We stop looking, and every client who has your name hears it from us.",
)
WORDS: Final = "Your words"
ABOUT: Final = "What it is about, if you like"
YES: Final = "Yes"
NO: Final = "No"
KEEP: Final = "Keep it going"
LEAVE: Final = "Withdraw from it"
FROM: Final = "From"
TO: Final = "To"
ZONE_OF: Final = "Your time zone"
REFERENCE: Final = "Its reference"
UNTIL: Final = "Until when you agree; empty: until you take it back"
PAY: Final = "The pay that we may name, if you like"
SURE: Final[Mapping[str, str]] = {
    "accept-offer": "I have read the offer, and I accept it.",
    "withdraw": "Yes, I withdraw from everything.",
    "grant-right-to-represent": WORDING,
}

# What a page says where something did not go, by a problem's code, else by its status.
PROBLEM_TITLE: Final = "That did not work"
NO_LINK_TITLE: Final = "This link opens nothing"
NO_LINK: Final = (
    "It may have ended, been replaced, or not be whole. Ask your recruiter at the agency for a new one; "
    "whatever we owe you stays on record meanwhile."
)
PROBLEMS: Final[Mapping[str, str]] = {
    "code-needed": "This needs the code from our mail: have one mailed to you, and type it in.",
    "code-wrong": (
        "This code is wrong, older than 10 minutes, or not the last that we sent: look at our last mail "
        "again, or have a new one mailed to you."
    ),
    "code-spent": "This code has served already, for something else: have a new one mailed to you.",
    "code-locked": "Too many wrong codes: have a new one mailed to you.",
    "too-many-codes": "Too many codes were sent lately: wait an hour, then ask again.",
    "outreach-held": "The agency sends no letters at the moment: try later.",
    "no-address": "No e-mail address of yours takes our letters: ask to be called, and tell us.",
    "mail-away": "Our mail does not leave at the moment: try again in a few minutes.",
    "from-elsewhere": (
        "This did not come from your page, so it was not taken: open your page and send it from there."
    ),
    "not-sure": "Tick that you mean it, then send it again.",
    "half-hours": "Give both times, or neither.",
    "no-such-day": "Give the day as a date, or leave it out.",
    "too-large": "That is too long: send less.",
    "too-many-requests": "That was too often: wait a few minutes, then go on.",
    "person-erased": "Your data is erased, as you asked; nothing more is taken here.",
}
STATUSES: Final[Mapping[int, str]] = {
    400: "What came here could not be read: go back to your page and send it from there.",
    401: NO_LINK,
    403: "This is not possible from your page: ask your recruiter.",
    404: "There is nothing here.",
    405: "There is nothing here.",
    409: "This does not fit how things stand now: look at your page again, or write to us.",
    422: "That could not be taken as it was written: look at it again, or write to us.",
    429: "That was too often: wait a moment, then go on.",
    500: "Something of ours went wrong. We have it in our log; look at your page to see what was taken.",
    503: "Something of ours does not answer at the moment: try again in a moment.",
}


def problem(status: int, code: str) -> tuple[str, str]:
    """Give the title and the one sentence of a page that says what did not go."""
    if status == 401:
        return NO_LINK_TITLE, NO_LINK
    return PROBLEM_TITLE, PROBLEMS.get(code) or STATUSES.get(status) or STATUSES[500 if status > 499 else 400]
