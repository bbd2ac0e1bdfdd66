"""The pages, from what to look at first to what to look at last."""

from deploy.grafana.model import Dashboard
from deploy.grafana.panels.accounts import ACCOUNTS
from deploy.grafana.panels.engines import ENGINES
from deploy.grafana.panels.front_door import FRONT_DOOR
from deploy.grafana.panels.overview import OVERVIEW
from deploy.grafana.panels.routing import ROUTING

DASHBOARDS: tuple[Dashboard, ...] = (OVERVIEW, ROUTING, ENGINES, ACCOUNTS, FRONT_DOOR)
