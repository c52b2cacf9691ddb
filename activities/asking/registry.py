"""Which provider's API is spoken by whom: a new one is one line here."""

from collections.abc import Mapping
from typing import Final

from activities.asking.ashby import Ashby
from activities.asking.calendly import Calendly
from activities.asking.changes import Provider
from activities.asking.greenhouse import Greenhouse
from activities.asking.lever import Lever
from activities.asking.smartrecruiters import SmartRecruiters
from activities.asking.workable import Workable

APIS: Final[Mapping[str, Provider]] = {
    "ashby": Ashby(),
    "calendly": Calendly(),
    "greenhouse": Greenhouse(),
    "lever": Lever(),
    "smartrecruiters": SmartRecruiters(),
    "workable": Workable(),
}
