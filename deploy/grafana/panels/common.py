"""What the routers' pages share: the choices at their top, and the matchers that follow them."""

from deploy.grafana.model import Panel, Variable, lines

JOB = Variable("job", "Routers", "tramontane_requests_in_flight")
INSTANCE = Variable("instance", "Router", 'tramontane_requests_in_flight{job=~"$job"}')
MODEL = Variable("model", "Model", 'tramontane_requests_total{job=~"$job"}')
POOL = Variable("pool", "Pool", 'tramontane_queue_length{job=~"$job"}')

R = 'job=~"$job", instance=~"$instance"'  # of a router
RM = f'{R}, model=~"$model"'
RP = f'{R}, pool=~"$pool"'
RATE = "[$__rate_interval]"
COST_OF_KEYS = "US dollars an hour; keys of the database together are database, of an identity provider oidc."


def per_second(series: str, by: str = "") -> str:
    """The sum over routers of a counter's rate. `series`: its name with its matchers."""
    return f"sum by ({by}) (rate({series}{RATE}))" if by else f"sum(rate({series}{RATE}))"


def cost(by: str, description: str) -> Panel:
    """What is spent, by a label."""
    spent = "3600 * " + per_second(f"tramontane_cost_usd_total{{{RM}}}", by)
    return lines(f"Cost by {by}", description, "currencyUSD", (spent, f"{{{{{by}}}}}"), stacked=True)


def ratio(part: str, whole: str, by: str) -> str:
    """How much of one counter's rate another's is, by a label; nothing where there is nothing to divide by."""
    return f"{per_second(part, by)} / ({per_second(whole, by)} > 0)"


def mean(histogram: str, matchers: str, by: str) -> str:
    """Of a histogram's observations, by a label."""
    return ratio(f"{histogram}_sum{{{matchers}}}", f"{histogram}_count{{{matchers}}}", by)
