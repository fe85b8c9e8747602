"""Every port, variable, path, command and metric in compose/aws is one of the code's own."""

import re
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file
from cfnlint.decode import cfn_yaml

from minequeue.chain.ledger import RedisClient
from minequeue.compose.cli.main import cli
from minequeue.compose.config.settings import Settings, variable
from minequeue.compose.stack import processes
from minequeue.web.aws.embedded_metrics import DIMENSION, NAMESPACE, UNITS
from minequeue.workers.runtime.watchdog import STOP_S
from tests.ledgers import make_ledger
from tests.server_options import RIGHTS
from tests.web_clients import make_client

AWS = Path(__file__).parents[2] / "compose" / "aws"
TEMPLATES = sorted(AWS.glob("*-stack.yaml"))
SERVICES = ["Web", "Worker", "Resolver", "Flower"]
SERVER_PORT = 6379
DEFAULTS = Settings.from_environment({})


def _load(name: str) -> dict[str, Any]:
    template: dict[str, Any] = cfn_yaml.load(str(AWS / f"{name}-stack.yaml"))
    return template


def _properties(stack: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = _load(stack)["Resources"][name]["Properties"]
    return found


def _of_type(stack: str, kind: str) -> dict[str, dict[str, Any]]:
    resources = _load(stack)["Resources"].items()
    return {name: r["Properties"] for name, r in resources if r["Type"] == kind}


def _container(name: str) -> dict[str, Any]:
    (container,) = _properties("service", f"{name}Task")["ContainerDefinitions"]
    found: dict[str, Any] = container
    return found


def _environment(name: str) -> dict[str, Any]:
    return {entry["Name"]: entry["Value"] for entry in _container(name)["Environment"]}


def _find(given: Any, key: str) -> list[Any]:
    """All values of ``key`` at any depth."""
    if isinstance(given, dict):
        own = [given[key]] if key in given else []
        return own + [found for value in given.values() for found in _find(value, key)]
    if isinstance(given, list):
        return [found for value in given for found in _find(value, key)]
    return []


def test_there_are_four_stacks() -> None:
    assert [path.name for path in TEMPLATES] == [
        "data-stack.yaml",
        "lambda-stack.yaml",
        "service-stack.yaml",
        "vpc-stack.yaml",
    ]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_cfn_lint_finds_nothing(path: Path) -> None:
    assert [f"{match.linenumber}: {match.message}" for match in lint_file(path)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_variable_is_a_setting(path: Path) -> None:
    named = set(re.findall(r"\bMINEQUEUE_[A-Z_]+", path.read_text("utf-8")))
    assert named <= {variable(name) for name in Settings.__dataclass_fields__}


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_runs_a_command_that_there_is(name: str) -> None:
    program, command = _container(name)["Command"]
    assert program == "minequeue"
    assert command == name.lower()
    assert command in cli.commands


@pytest.mark.parametrize("name", ["Worker", "Resolver"])
def test_a_part_without_a_port_is_checked_by_its_own_command(name: str) -> None:
    word, program, command, option = _container(name)["HealthCheck"]["Command"]
    assert (word, program, command) == ("CMD", "minequeue", name.lower())
    assert option in {o for p in cli.commands[command].params for o in p.opts}
    assert "PortMappings" not in _container(name)


@pytest.mark.parametrize(("name", "setting"), [("Web", "port"), ("Flower", "flower_port")])
def test_the_port_of_a_part_is_its_settings_everywhere(name: str, setting: str) -> None:
    port = getattr(DEFAULTS, setting)
    (mapping,) = _container(name)["PortMappings"]
    assert mapping["ContainerPort"] == port
    assert _environment(name)[variable(setting)] == str(port)
    assert f"127.0.0.1:{port}/" in _container(name)["HealthCheck"]["Command"][-1]
    group = _properties("vpc", f"{name}Group")
    assert set(_find(group["SecurityGroupIngress"], "FromPort")) == {port}
    assert set(_find(group["SecurityGroupIngress"], "ToPort")) == {port}


def test_the_load_balancer_sends_to_webs_port_and_reaches_nothing_else() -> None:
    assert _properties("service", "WebTargets")["Port"] == DEFAULTS.port
    (balancer,) = _properties("service", "WebService")["LoadBalancers"]
    assert balancer["ContainerPort"] == DEFAULTS.port
    (egress,) = _properties("vpc", "LoadBalancerGroup")["SecurityGroupEgress"]
    assert (egress["FromPort"], egress["ToPort"]) == (DEFAULTS.port, DEFAULTS.port)


def test_the_paths_of_health_checks_are_webs_own(redis_client: RedisClient) -> None:
    client = make_client(make_ledger(redis_client))
    path = _properties("service", "WebTargets")["HealthCheckPath"]
    assert path == "/health/ready"
    live = re.search(r"127\.0\.0\.1:\d+(/[^']*)'", _container("Web")["HealthCheck"]["Command"][-1])
    assert live
    for asked in (path, live[1]):
        assert client.get(asked).status_code == 200


def test_every_part_reaches_the_server_at_its_port_and_nobody_else_does() -> None:
    assert _properties("data", "Cluster")["Port"] == SERVER_PORT
    rules = _properties("vpc", "ServerGroup")["SecurityGroupIngress"]
    assert {(rule["FromPort"], rule["ToPort"]) for rule in rules} == {(SERVER_PORT, SERVER_PORT)}
    sources = {rule["SourceSecurityGroupId"]["Ref"] for rule in rules}
    assert sources == {f"{name}Group" for name in (*SERVICES, "Function")}
    for source in sources:
        egress = _properties("vpc", source)["SecurityGroupEgress"]
        assert SERVER_PORT in {rule["FromPort"] for rule in egress}
    (text,) = _find(_properties("data", "Settings"), "Fn::Sub")
    assert f".Address}}:{SERVER_PORT}/0" in text


def test_what_answers_knows_its_own_name_and_those_that_are_given() -> None:
    (web,) = _find(_environment("Web"), "MINEQUEUE_HOSTS")
    assert web == {"Fn::Sub": "${LoadBalancer.DNSName},${Hosts}"}
    (function,) = _find(_properties("lambda", "Function"), "MINEQUEUE_HOSTS")
    assert function["Fn::Sub"].endswith(",${Hosts}")
    assert "${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}" in function["Fn::Sub"]
    for stack in ("service", "lambda"):
        assert _load(stack)["Parameters"]["Hosts"]["Default"] == ""
    name = "Minequ-LoadB-1ABCDEF.eu-central-1.elb.amazonaws.com"
    given = {"MINEQUEUE_HOSTS": f"{name},"}
    assert Settings.from_environment(given).hosts == (name.lower(),)


def test_web_lets_those_nodes_register_that_the_resolver_may_call() -> None:
    name = "MINEQUEUE_PEER_ALLOW"
    assert _environment("Web")[name] == _environment("Resolver")[name] == {"Ref": "PeerAllow"}
    assert _find(_properties("lambda", "Function"), name) == [{"Ref": "PeerAllow"}]
    defaults = {
        _load(stack)["Parameters"]["PeerAllow"]["Default"] for stack in ("service", "lambda")
    }
    assert len(defaults) == 1


def test_only_the_load_balancer_may_be_open_to_all() -> None:
    for name, group in _of_type("vpc", "AWS::EC2::SecurityGroup").items():
        open_to = _find(group.get("SecurityGroupIngress"), "CidrIp")
        if name != "LoadBalancerGroup":
            assert {"Ref": "Clients"} not in open_to
            assert not [one for one in open_to if isinstance(one, str)], name


def test_the_servers_user_may_do_what_a_test_shows_to_be_enough() -> None:
    # MemoryDB has no CONFIG
    rights = [right for right in RIGHTS if right != "+config|get"]
    assert _properties("data", "User")["AccessString"].split() == ["on", *rights]


def test_the_server_is_one_that_keeps_what_it_answered() -> None:
    cluster = _properties("data", "Cluster")
    assert cluster["TLSEnabled"] is True
    assert cluster["ACLName"] == {"Ref": "Acl"}
    assert (cluster["NumShards"], cluster["NumReplicasPerShard"]) == (1, 0)
    assert cluster["FinalSnapshotName"]
    parameters = _properties("data", "ServerParameters")["Parameters"]
    assert parameters == {"maxmemory-policy": "noeviction"}


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_reach_a_task_by_name_and_never_as_text(name: str) -> None:
    (text,) = _find(_properties("data", "Settings"), "Fn::Sub")
    kept = set(re.findall(r'"(MINEQUEUE_\w+)":', text))
    secrets = {secret["Name"]: secret["ValueFrom"] for secret in _container(name)["Secrets"]}
    assert "MINEQUEUE_REDIS_URL" in secrets
    assert set(secrets) <= kept
    for secret, place in secrets.items():
        assert place["Fn::Sub"][0] == f"${{Settings}}:{secret}::"
    assert not kept & set(_environment(name))


@pytest.mark.parametrize("name", SERVICES)
def test_a_task_gets_longer_to_stop_than_its_process_takes(name: str) -> None:
    assert _container(name)["StopTimeout"] > max(processes._STOP_S, STOP_S)


@pytest.mark.parametrize("name", SERVICES)
def test_a_deployment_that_fails_is_rolled_back(name: str) -> None:
    deployment = _properties("service", f"{name}Service")["DeploymentConfiguration"]
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}


@pytest.mark.parametrize("name", SERVICES)
def test_a_task_writes_its_log_where_its_role_lets_it(name: str) -> None:
    options = _container(name)["LogConfiguration"]["Options"]
    assert options["awslogs-group"] == {"Ref": f"{name}Log"}
    assert {"Fn::GetAtt": [f"{name}Log", "Arn"]} in [
        place for found in _find(_properties("service", "ExecutionRole"), "Resource")
        if isinstance(found, list) for place in found
    ]  # fmt: skip


@pytest.mark.parametrize("stack", ["service", "lambda"])
def test_no_role_may_do_more_than_named_actions(stack: str) -> None:
    roles = _of_type(stack, "AWS::IAM::Role") | _of_type(stack, "AWS::IAM::RolePolicy")
    assert roles
    for role in roles.values():
        assert "ManagedPolicyArns" not in role
        for actions in _find(role, "Action"):
            for action in [actions] if isinstance(actions, str) else actions:
                assert "*" not in action


def test_what_scales_the_workers_is_a_metric_that_web_prints() -> None:
    assert _environment("Web")["MINEQUEUE_METRICS_EMF"] == "yes"
    policy = _properties("service", "WorkerByBacklog")
    alarm = _properties("service", "WorkWithoutWorkers")
    for holder in (policy, alarm):
        metrics = [m for m in _find(holder, "Metric") if m["Namespace"] == NAMESPACE]
        (metric,) = metrics
        assert metric["MetricName"] in UNITS
        assert metric["Dimensions"] == [{"Name": DIMENSION, "Value": {"Ref": "Network"}}]
    assert _environment("Web")["MINEQUEUE_NETWORK"] == {"Ref": "Network"}
    assert alarm["AlarmActions"] == [{"Ref": "WorkerFromZero"}]
    (cluster,) = _properties("service", "Cluster")["ClusterSettings"]
    assert (cluster["Name"], cluster["Value"]) == ("containerInsights", "enabled")


def test_the_page_explains_every_metric() -> None:
    page = (AWS.parents[1] / "docs" / "aws.md").read_text("utf-8")
    for name in UNITS:
        assert f"| {name} |" in page


def test_all_parts_know_how_many_miners_the_fleet_may_have() -> None:
    for name in SERVICES:
        assert _environment(name)["MINEQUEUE_FLEET"] == {"Fn::Sub": "0,${MaxWorkers}"}
    assert _properties("service", "WorkerScaling")["MaxCapacity"] == {"Ref": "MaxWorkers"}
    assert _properties("service", "WorkerScaling")["MinCapacity"] == 0


def test_what_scaling_made_of_a_service_survives_an_update() -> None:
    for name in ("Web", "Worker"):
        assert "DesiredCount" not in _properties("service", f"{name}Service")


def test_every_trigger_that_knows_batches_gives_back_bad_records_alone() -> None:
    mappings = _of_type("lambda", "AWS::Lambda::EventSourceMapping")
    assert set(mappings) == {"QueueTrigger", "TableTrigger"}
    for mapping in mappings.values():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_a_queue_hides_a_message_for_longer_than_the_function_may_take() -> None:
    function = _properties("lambda", "Function")
    assert _properties("lambda", "Queue")["VisibilityTimeout"] >= 6 * function["Timeout"]
    assert function["Handler"] == "minequeue.web.lambda_handler.handler"


def test_whoever_may_call_the_function_is_one_named_source() -> None:
    for permission in _of_type("lambda", "AWS::Lambda::Permission").values():
        assert permission["SourceArn"]
    (notified,) = _find(_properties("lambda", "Bucket"), "LambdaConfigurations")[0]
    assert notified["Function"] == {"Fn::GetAtt": ["Function", "Arn"]}
