"""What the chart renders for a machine without a GPU runs: an engine under Ray, a migrated database, a router.

`helm test`'s own pod asks them about a picture.
"""

from tests.e2e.chart.release import APPLICATION, Release


def test_the_rendered_chart_answers_a_question_about_a_picture(release: Release) -> None:
    said = release.helm_test()
    assert "circle" in said


def test_the_application_is_the_rendered_one_with_a_replica_on_the_worker(release: Release) -> None:
    state = release.ray.dashboard.read(APPLICATION)
    assert state is not None
    assert ("RUNNING", 1) == (state.status, len(state.replicas))
    assert [] != release.ray.nodes[1].processes("ray::ServeReplica:pocket")


def test_the_replica_runs_with_every_rendered_variable(release: Release) -> None:
    """Ray hands on what its node was started with."""
    pod = release.ray.nodes[1].pod
    rendered = {it["name"]: pod.here(it["value"]) for it in pod.container()["env"]}
    (replica,) = release.ray.nodes[1].processes("ray::ServeReplica:pocket")
    assert rendered == {name: value for name, value in replica.environ().items() if name in rendered}


def test_the_migration_job_finds_nothing_to_do_the_second_time(release: Release) -> None:
    assert release.migrate()
