"""compose/aws deployed by the commands of docs/aws.md, with the real aws command line, to moto.

tests/acceptance/cloudformation.py says what moto's CloudFormation does not know and what stands for
it there; tests/unit/test_aws_templates.py looks at the templates themselves.
"""

import json
import os
import re
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from minequeue.compose.config.settings import Settings
from minequeue.web.aws.embedded_metrics import DIMENSION, NAMESPACE, UNITS
from minequeue.web.guard.tokens import draw_token, make_entry
from tests.stack import free_port
from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "aws.md").read_text("utf-8")
WORLD = "0.0.0.0/0"
IMAGE = "registry.example/minequeue:1"
SERVICES = ["web", "worker", "resolver", "flower"]


def _commands(*sections: str) -> list[str]:
    """What the page says to run in these sections; to build the function is not tried here."""
    parts = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    chosen = {part.partition("\n")[0]: part for part in parts}
    blocks = [
        block
        for name in sections
        for block in re.findall(r"^```sh\n(.*?)^```", chosen[name], re.MULTILINE | re.DOTALL)
    ]
    lines = [line for block in blocks for line in block.splitlines()]
    assert lines
    return [line for line in lines if line != "make lambda"]


class Cloud:
    """What stands for AWS, and a directory from which its commands are run."""

    def __init__(self, directory: Path, port: int) -> None:
        self._directory = directory
        (directory / "compose").symlink_to(ROOT / "compose")
        (directory / "dist").mkdir()
        with zipfile.ZipFile(directory / "dist" / "lambda.zip", "w") as archive:
            archive.writestr("web/lambda_handler.py", "def handler(event, context): ...")
        self._environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(directory),  # no configuration of whoever runs this
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "IMAGE": IMAGE,
            "TOKENS": str(make_entry("shop", ["submit", "mine"], draw_token(), 0, 0)),
            "CERTIFICATE": "",
            "BUCKET": "code-of-minequeue",
        }

    def run(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self._directory,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def ask(self, command: str) -> Any:
        return json.loads(self.run(f"aws {command} --output json"))

    def services(self) -> list[dict[str, Any]]:
        names = " ".join(SERVICES)
        found = self.ask(f"ecs describe-services --cluster minequeue --services {names}")
        services: list[dict[str, Any]] = found["services"]
        assert [service["serviceName"] for service in services] == SERVICES
        return services

    def container(self, service: dict[str, Any]) -> dict[str, Any]:
        name = service["taskDefinition"]
        task = self.ask(f"ecs describe-task-definition --task-definition {name}")["taskDefinition"]
        (container,) = task["containerDefinitions"]
        found: dict[str, Any] = container
        return found

    def secret(self, place: str) -> str:
        """What ECS would put into the variable that is filled from ``place``."""
        arn, key = re.fullmatch(
            r"(arn:aws:secretsmanager:[^:]+:\d+:secret:[^:]+):(\w+)::", place
        ).groups()  # type: ignore[union-attr]  # it has to match
        text = self.ask(f"secretsmanager get-secret-value --secret-id {arn}")["SecretString"]
        return str(json.loads(text)[key])

    def routes(self, subnets: list[str]) -> list[dict[str, Any]]:
        """The routes of the tables of these subnets, each of which has one of its own."""
        found = self.ask(
            "ec2 describe-route-tables --filters "
            f"Name=association.subnet-id,Values={','.join(subnets)}"
        )["RouteTables"]
        tied = {a.get("SubnetId") for table in found for a in table["Associations"]}
        assert set(subnets) <= tied
        return [route for table in found for route in table["Routes"]]

    def leads_out(self, subnets: list[str]) -> bool:
        return any(r.get("GatewayId", "").startswith("igw-") for r in self.routes(subnets))


@contextmanager
def _start(directory: Path) -> Iterator[Cloud]:
    port = free_port()
    with (directory / "moto.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.cloudformation", str(port)],
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: server.poll() is not None or _listens(port), "moto")
        assert server.poll() is None, (directory / "moto.log").read_text()
        yield Cloud(directory, port)
    finally:
        server.terminate()
        server.wait()


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """All four stacks, deployed as the page says."""
    with _start(tmp_path_factory.mktemp("aws")) as started:
        for command in _commands("Deploy"):
            started.run(command)
        yield started


def _private_subnets(service: dict[str, Any]) -> dict[str, Any]:
    network: dict[str, Any] = service["networkConfiguration"]["awsvpcConfiguration"]
    return network


def test_no_part_is_in_a_subnet_with_a_route_to_an_internet_gateway(cloud: Cloud) -> None:
    for service in cloud.services():
        network = _private_subnets(service)
        assert network["assignPublicIp"] == "DISABLED"
        assert len(network["subnets"]) == 2
        assert not cloud.leads_out(network["subnets"])
    function = cloud.ask("lambda get-function-configuration --function-name minequeue-lambda")
    assert not cloud.leads_out(function["VpcConfig"]["SubnetIds"])
    (group,) = cloud.ask("memorydb describe-subnet-groups --subnet-group-name minequeue-data")[
        "SubnetGroups"
    ]
    assert not cloud.leads_out([subnet["Identifier"] for subnet in group["Subnets"]])


def test_the_load_balancer_alone_is_in_the_public_subnets_of_two_zones(cloud: Cloud) -> None:
    (balancer,) = cloud.ask("elbv2 describe-load-balancers")["LoadBalancers"]
    zones = balancer["AvailabilityZones"]
    subnets = [zone["SubnetId"] for zone in zones]
    assert len({zone["ZoneName"] for zone in zones}) == 2
    assert cloud.leads_out(subnets)
    private = _private_subnets(cloud.services()[0])["subnets"]
    assert not set(subnets) & set(private)


def test_the_world_reaches_the_load_balancer_alone(cloud: Cloud) -> None:
    (balancer,) = cloud.ask("elbv2 describe-load-balancers")["LoadBalancers"]
    groups = cloud.ask(
        f"ec2 describe-security-groups --filters Name=vpc-id,Values={balancer['VpcId']}"
    )["SecurityGroups"]
    open_doors = {
        (group["GroupId"], rule.get("FromPort"), rule.get("ToPort"))
        for group in groups
        for rule in group["IpPermissions"]
        if WORLD in {r["CidrIp"] for r in rule["IpRanges"]} or rule["Ipv6Ranges"]
    }
    (entrance,) = balancer["SecurityGroups"]
    assert open_doors == {(entrance, 80, 80), (entrance, 443, 443)}
    used = {g for service in cloud.services() for g in _private_subnets(service)["securityGroups"]}
    assert len(used) == len(SERVICES)
    assert used < {group["GroupId"] for group in groups}
    assert entrance not in used


def test_the_workers_scale_by_a_metric_that_the_code_emits(cloud: Cloud) -> None:
    policies = cloud.ask(
        "application-autoscaling describe-scaling-policies --service-namespace ecs"
    )
    by_name = {policy["PolicyName"]: policy for policy in policies["ScalingPolicies"]}
    tracked = by_name["minequeue-worker-by-backlog"]["TargetTrackingScalingPolicyConfiguration"]
    queries = {q["Id"]: q for q in tracked["CustomizedMetricSpecification"]["Metrics"]}
    backlog = queries["backlog"]["MetricStat"]["Metric"]
    container = cloud.container(cloud.services()[0])
    environment = {entry["name"]: entry["value"] for entry in container["environment"]}
    assert backlog["Namespace"] == NAMESPACE
    assert backlog["MetricName"] in UNITS
    assert backlog["Dimensions"] == [{"Name": DIMENSION, "Value": environment["MINEQUEUE_NETWORK"]}]
    assert queries["running"]["MetricStat"]["Metric"]["Dimensions"] == [
        {"Name": "ClusterName", "Value": "minequeue"},
        {"Name": "ServiceName", "Value": "worker"},
    ]
    (told,) = [query for query in queries.values() if query["ReturnData"]]
    assert set(re.findall(r"[a-z]+", told["Expression"])) == {"backlog", "running"}
    step = by_name["minequeue-worker-from-zero"]["StepScalingPolicyConfiguration"]
    assert step["AdjustmentType"] == "ExactCapacity"
    (adjustment,) = step["StepAdjustments"]
    assert adjustment["ScalingAdjustment"] == 1
    web = by_name["minequeue-web-by-requests"]["TargetTrackingScalingPolicyConfiguration"]
    (balancer,) = cloud.ask("elbv2 describe-load-balancers")["LoadBalancers"]
    (targets,) = cloud.ask("elbv2 describe-target-groups")["TargetGroups"]
    assert web["PredefinedMetricSpecification"]["ResourceLabel"] == (
        balancer["LoadBalancerArn"].partition("loadbalancer/")[2]
        + "/"
        + targets["TargetGroupArn"].rpartition(":")[2]
    )


def test_workers_go_to_zero_and_web_never_below_one_in_each_zone(cloud: Cloud) -> None:
    targets = cloud.ask("application-autoscaling describe-scalable-targets --service-namespace ecs")
    bounds = {
        target["ResourceId"]: (target["MinCapacity"], target["MaxCapacity"])
        for target in targets["ScalableTargets"]
    }
    assert bounds == {"service/minequeue/web": (2, 8), "service/minequeue/worker": (0, 20)}


def test_the_variables_and_secrets_of_every_task_are_settings_that_it_starts_with(
    cloud: Cloud,
) -> None:
    for service in cloud.services():
        container = cloud.container(service)
        assert container["image"] == IMAGE
        assert container["command"] == ["minequeue", service["serviceName"]]
        environment = {entry["name"]: entry["value"] for entry in container["environment"]}
        secrets = {s["name"]: cloud.secret(s["valueFrom"]) for s in container["secrets"]}
        assert not set(environment) & set(secrets)
        settings = Settings.from_environment(environment | secrets)
        assert settings.redis_url.startswith("rediss://minequeue-data:")
        assert ".memorydb." in settings.redis_url
        assert settings.fleet == (0, 20)
        if service["serviceName"] == "web":
            assert settings.tokens
            assert settings.metrics_emf
        if service["serviceName"] == "flower":
            assert settings.flower_auth.startswith("minequeue:")


def test_the_server_speaks_tls_keeps_snapshots_and_has_an_acl(cloud: Cloud) -> None:
    """moto keeps these of a cluster; the engine and the user's rights it does not."""
    (server,) = cloud.ask("memorydb describe-clusters")["Clusters"]
    assert server["TLSEnabled"] is True
    assert server["ACLName"] == "minequeue-data"
    assert server["NumberOfShards"] == 1
    assert server["SnapshotRetentionLimit"] > 0


def test_container_insights_tell_how_many_tasks_run(cloud: Cloud) -> None:
    (cluster,) = cloud.ask("ecs describe-clusters --clusters minequeue --include SETTINGS")[
        "clusters"
    ]
    assert {"name": "containerInsights", "value": "enabled"} in cluster["settings"]


def test_the_function_starts_with_its_variables_and_gives_back_bad_messages_alone(
    cloud: Cloud,
) -> None:
    function = cloud.ask("lambda get-function-configuration --function-name minequeue-lambda")
    assert function["Handler"] == "minequeue.web.lambda_handler.handler"
    variables = {name: str(value) for name, value in function["Environment"]["Variables"].items()}
    settings = Settings.from_environment(variables)
    assert settings.redis_url.startswith("rediss://minequeue-data:")
    assert settings.tokens
    (mapping,) = cloud.ask("lambda list-event-source-mappings")["EventSourceMappings"]
    assert ":sqs:" in mapping["EventSourceArn"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_a_network_with_endpoints_has_no_way_out(cloud: Cloud) -> None:
    (deploy,) = [line for line in _commands("Deploy") if "vpc-stack.yaml" in line]
    cloud.run(deploy.replace("minequeue-vpc", "closed") + " --parameter-overrides Egress=endpoints")
    outputs = cloud.ask("cloudformation describe-stacks --stack-name closed")["Stacks"][0][
        "Outputs"
    ]
    by_name = {output["OutputKey"]: output["OutputValue"] for output in outputs}
    routes = cloud.routes(by_name["PrivateSubnets"].split(","))
    assert [r for r in routes if r.get("DestinationCidrBlock") == WORLD] == []
    endpoints = cloud.ask(
        f"ec2 describe-vpc-endpoints --filters Name=vpc-id,Values={by_name['Vpc']}"
    )["VpcEndpoints"]
    names = {endpoint["ServiceName"].partition("eu-central-1.")[2] for endpoint in endpoints}
    assert names == {"s3", "ecr.api", "ecr.dkr", "logs", "secretsmanager"}


def test_the_commands_that_update_and_delete_do(tmp_path: Path) -> None:
    with _start(tmp_path) as cloud:
        for command in _commands("Deploy", "Update"):
            cloud.run(command)
        targets = cloud.ask(
            "application-autoscaling describe-scalable-targets --service-namespace ecs "
            "--resource-ids service/minequeue/web"
        )["ScalableTargets"]
        assert [target["MaxCapacity"] for target in targets] == [12]
        for command in _commands("Delete"):
            cloud.run(command)
        stacks = cloud.ask("cloudformation list-stacks")["StackSummaries"]
        assert {stack["StackStatus"] for stack in stacks} == {"DELETE_COMPLETE"}
        assert cloud.ask("elbv2 describe-load-balancers")["LoadBalancers"] == []
