"""What runs beside the requests and keeps a router in step with the world: discovery, probes, other routers."""

import os
import time
from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Protocol

from router.config import Config, Secrets
from router.policies import Policies
from router.policy.catalog import Dialect
from router.sections import KubernetesSection, RaySection, StaticSection
from router.upstream.client import Client
from router.upstream.directory import Directory
from router.upstream.discovery import provider_endpoint, static_endpoints
from router.upstream.gossip import Gossip
from router.upstream.kubernetes_discovery import KubernetesDiscovery
from router.upstream.probe import Prober
from router.upstream.provider import Provider
from router.upstream.ray_discovery import RayDiscovery
from router.upstream.reviver import Reviver
from router.upstream.session import Session

NONE: Mapping[str, Provider] = MappingProxyType({})


class Watcher(Protocol):
    """Runs beside the requests, until it is cancelled."""

    async def run(self) -> None: ...


def gossip_of(config: Config, secrets: Secrets, directory: Directory, policies: Policies) -> Gossip | None:
    """Keeps this router and its sisters in step; None where it has none."""
    if policies.outbox is None:
        return None
    return Gossip(
        config.mesh.gossip,
        secrets.mesh,
        mesh=policies.mesh,
        outbox=policies.outbox,
        loads=policies.load.own,
        endpoints=lambda: [endpoint.id for endpoint in directory.all()],
        service=lambda: policies.attained.told(time.monotonic(), config.mesh.gossip.max_accounts).items(),
        clock=time.monotonic,
    )


def watchers(
    config: Config,
    directory: Directory,
    session: Session,
    client: Client,
    policies: Policies,
    providers: Mapping[str, Provider] = NONE,
) -> Iterator[Watcher]:
    """Keep directory and breakers in step, after the endpoints that are given were put in.

    `providers`: those that are not ours, by their slugs. They are up until their breakers say otherwise: nobody reads
    figures of them, and of a pool whose provider has no check the next caller's request is what tries it out.
    """
    for pool, section in config.pools():
        match section.discovery:
            case None:
                url = providers[pool.slug].base_url
                directory.replace(pool.name, [provider_endpoint(pool.slug, pool.upstream_model, url)])
            case StaticSection(endpoints=urls):
                directory.replace(pool.name, static_endpoints(urls))
            case RaySection() as ray:
                secret = ray.token
                yield RayDiscovery(
                    directory=directory,
                    pool_name=pool.name,
                    dashboard=ray.dashboard,
                    application=ray.application,
                    token=(lambda: None) if secret is None else partial(secret.read, os.environ),
                    interval_s=ray.interval_s,
                    timeout_s=ray.timeout_s,
                )
            case KubernetesSection() as kubernetes:
                access = kubernetes.access(os.environ)
                yield KubernetesDiscovery(
                    session=session,
                    directory=directory,
                    pool_name=pool.name,
                    access=access,
                    wanted=kubernetes.wanted(access),
                    settings=kubernetes.watch,
                )
    probe, mesh = config.probe, policies.mesh
    ours = [pool for pool, _ in config.pools() if pool.dialect is Dialect.VLLM]
    checked = {
        pool.name: providers[pool.slug].check
        for pool, _ in config.pools()
        if pool.dialect is not Dialect.VLLM and providers[pool.slug].has_check
    }
    yield Prober(
        session=session,
        directory=directory,
        endpoints=lambda: dict.fromkeys(each for pool in ours for each in directory.endpoints(pool.name)),
        interval_s=lambda: probe.alone_s if mesh.is_alone(time.monotonic()) else probe.interval_s,
        timeout_s=probe.timeout_s,
    )
    if probe.revive_s is not None:
        yield Reviver(
            pools=[pool for pool, _ in config.pools() if pool.dialect is Dialect.VLLM or pool.name in checked],
            asks=checked,
            endpoints=directory.endpoints,
            breakers=policies.breakers,
            deadlines=policies.rules.deadlines,
            client=client,
            clock=time.monotonic,
            interval_s=probe.revive_s,
        )
