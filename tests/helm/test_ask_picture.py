"""The pod of `helm test`."""

from pathlib import Path
from typing import Any

from deploy.chart import ask_picture
from tests.helm.render import one, render
from tests.helm.router_pod import POCKET, made


def pod(*values: Any) -> dict[str, Any]:
    return one(made(*values), "Pod", "tramontane-ask-picture")


def arguments(given: dict[str, Any]) -> dict[str, Any]:
    """As the program understands them."""
    (container,) = given["spec"]["containers"]
    assert ["python", "-m", "deploy.chart.ask_picture"] == container["command"]
    return vars(ask_picture.parser().parse_args(container["args"]))


def mounted(given: dict[str, Any], path: Path) -> tuple[str, str]:
    """Secret and key that lie at a path."""
    (container,) = given["spec"]["containers"]
    (mount,) = [it for it in container["volumeMounts"] if path.is_relative_to(it["mountPath"])]
    (volume,) = [it for it in given["spec"]["volumes"] if it["name"] == mount["name"]]
    (item,) = [it for it in volume["secret"]["items"] if Path(mount["mountPath"], it["path"]) == path]
    return volume["secret"]["secretName"], item["key"]


def test_it_runs_for_helm_test_alone_and_its_log_stays() -> None:
    annotations = pod()["metadata"]["annotations"]
    assert ("test", "before-hook-creation") == (
        annotations["helm.sh/hook"],
        annotations["helm.sh/hook-delete-policy"],
    )


def test_it_asks_through_the_routers_service_as_the_first_caller() -> None:
    given = pod({"service": {"port": 8000}, "router": {"callers": ["a.b", "c"]}})
    told = arguments(given)

    assert ("http://tramontane-router:8000", ["tramontane/pocket"]) == (told["base_url"], told["model"])
    assert ("What shape is it?", "circle") == (told["question"], told["expect"])
    assert ("tramontane-callers", "a.b") == mounted(given, told["key_file"])
    assert told["management_key_file"] is None


def test_with_a_database_it_makes_a_key_for_itself() -> None:
    given = pod({"database": {"embedded": {"enabled": True}}})
    told = arguments(given)

    assert "http://tramontane-router-peers:8081" == told["admin_url"]
    assert ("tramontane-management-key", "management-key") == mounted(given, told["management_key_file"])
    assert told["key_file"] is None


def test_secrets_of_yours_are_taken() -> None:
    given = pod({"router": {"callersSecret": "mine"}})
    assert ("mine", "first") == mounted(given, arguments(given)["key_file"])
    given = pod({"router": {"managementKeySecret": "mine"}, "database": {"external": {"secret": "db"}}})
    assert ("mine", "management-key") == mounted(given, arguments(given)["management_key_file"])


def test_callers_without_keys_need_none() -> None:
    told = arguments(pod({"router": {"callers": [], "config": {"allow_anonymous": True}}}))
    assert (None, None) == (told["key_file"], told["management_key_file"])


def test_question_and_answer_can_be_others() -> None:
    told = arguments(pod({"test": {"question": 'Which "form"?', "expect": "Kreis"}}))
    assert ('Which "form"?', "Kreis") == (told["question"], told["expect"])


def test_over_tls_the_routers_certificate_is_trusted_and_its_key_stays_away() -> None:
    tls = {"certificate": "/etc/tramontane/secrets/c/tls.crt", "key": "/etc/tramontane/secrets/c/tls.key"}
    given = pod({"router": {"secrets": ["c"], "config": {"listen": {"tls": tls}}}})

    assert "https://tramontane-router:80" == arguments(given)["base_url"]
    (variable,) = given["spec"]["containers"][0]["env"]
    assert "SSL_CERT_FILE" == variable["name"]
    assert ("c", "tls.crt") == mounted(given, Path(variable["value"]))


def model(**more: Any) -> dict[str, Any]:
    pool = {"name": "p", "upstream_model": "m", "discovery": {"kind": "static", "endpoints": ["http://10.0.0.1"]}}
    return {"router": {"models": [{"id": "a/m", "context_length": 1, "pools": [pool], **more}]}}


def test_models_from_elsewhere_are_asked_where_the_chart_has_none() -> None:
    seeing = model(input_modalities=["text", "image"])
    assert [] == arguments(one(render(seeing), "Pod"))["model"]
    assert ["tramontane/pocket"] == arguments(one(render(seeing, {"engines": {"pocket": POCKET}}), "Pod"))["model"]


def test_where_no_model_takes_pictures_there_is_no_test_and_no_policy_for_it() -> None:
    objects = render(model())
    assert "Pod" not in [it["kind"] for it in objects]
    assert "tramontane-test" not in [it["metadata"]["name"] for it in objects]
