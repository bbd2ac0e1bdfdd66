"""Who keeps a router in step with the world beside its requests: discovery of each pool, probes, other routers.

Discovery that a new configuration does not change goes on; all else begins anew with each, which loses nothing.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from router.beside import Watcher
from router.config import Config, Secrets
from router.learnt import Learnt
from router.policies import Policies
from router.policy.catalog import Dialect, Endpoint, Pool
from router.sections import KubernetesSection, PoolSection, RaySection, StaticSection
from router.upstream.client import Client
from router.upstream.directory import Directory
from router.upstream.discovery import provider_endpoint, static_endpoints
from router.upstream.gossip import Gossip
from router.upstream.kubernetes_discovery import KubernetesDiscovery
from router.upstream.probe import Prober
from router.upstream.provider import Provider
from router.upstream.ray_discovery import RayDiscovery
from router.upstream.ray_waker import RayWaker
from router.upstream.reviver import Reviver
from router.upstream.session import Session


def gossip_of(started: Config, secrets: Secrets, directory: Directory, learnt: Learnt) -> Gossip | None:
    """Keeps this router and its sisters in step; None where it has none."""
    if learnt.outbox is None:
        return None
    return Gossip(
        started.mesh.gossip,
        secrets.mesh,
        mesh=learnt.mesh,
        outbox=learnt.outbox,
        loads=learnt.load.own,
        endpoints=lambda: [endpoint.id for endpoint in directory.all()],
        service=lambda: learnt.attained.told(time.monotonic(), started.mesh.gossip.max_accounts).items(),
        clock=time.monotonic,
    )


def given_endpoints(pool: Pool, section: PoolSection, providers: Mapping[str, Provider]) -> tuple[Endpoint, ...] | None:
    """Of a pool whose endpoints are in the configuration; None: they are to be discovered.

    Of providers that are not ours nobody reads figures: they are up until their breakers say otherwise.
    """
    match section.discovery:
        case None:
            return (provider_endpoint(pool.slug, pool.upstream_model, providers[pool.slug].base_url),)
        case StaticSection(endpoints=urls):
            return static_endpoints(urls)
        case _:
            return None


def discovery_of(
    section: PoolSection, slot: str, directory: Directory, session: Session, is_wanted: Callable[[], bool]
) -> Watcher:
    """Keeps a pool's slot of the directory up to date, if its endpoints are not given.

    `is_wanted`: does anybody wait for it?
    """
    match section.discovery:
        case RaySection() as ray:
            secret = ray.token
            return RayDiscovery(
                directory=directory,
                pool_name=slot,
                dashboard=ray.dashboard,
                application=ray.application,
                token=(lambda: None) if secret is None else partial(secret.read, os.environ),
                interval_s=ray.interval_s,
                timeout_s=ray.timeout_s,
                waker=RayWaker(session, slot) if section.scales_to_zero else None,
                is_wanted=is_wanted,
            )
        case KubernetesSection() as kubernetes:
            access = kubernetes.access(os.environ)
            return KubernetesDiscovery(
                session=session,
                directory=directory,
                pool_name=slot,
                access=access,
                wanted=kubernetes.wanted(access),
                settings=kubernetes.watch,
            )
        case _:
            raise ValueError("the endpoints are given")


def prober_of(config: Config, slots: Sequence[str], directory: Directory, session: Session, learnt: Learnt) -> Prober:
    """Reads figures of all engines in these slots of the directory."""
    probe, mesh = config.probe, learnt.mesh
    return Prober(
        session=session,
        directory=directory,
        endpoints=lambda: dict.fromkeys(each for slot in slots for each in directory.endpoints(slot)),
        interval_s=lambda: probe.alone_s if mesh.is_alone(time.monotonic()) else probe.interval_s,
        timeout_s=probe.timeout_s,
    )


def reviver_of(config: Config, policies: Policies, client: Client, providers: Mapping[str, Provider]) -> Reviver:
    """Tries out who was given up. Of a pool whose provider has no check the next caller's request is what does so."""
    assert config.probe.revive_s is not None
    pools = [pool for pool, _ in config.pools()]
    checked = {
        pool.name: providers[pool.slug].check
        for pool in pools
        if pool.dialect is not Dialect.VLLM and providers[pool.slug].has_check
    }
    rules = policies.rules
    return Reviver(
        pools=[pool for pool in pools if pool.dialect is Dialect.VLLM or pool.name in checked],
        asks=checked,
        endpoints=rules.endpoints,
        breakers=rules.breakers,
        deadlines=rules.deadlines,
        client=client,
        clock=time.monotonic,
        interval_s=config.probe.revive_s,
    )
