"""A moto server that stands for AWS, with what moto's CloudFormation does not know or leaves out.

moto's CloudFormation passes over types that it does not know, and refuses templates that name
their attributes. Those of minequeue's templates are added here. Where moto has the service, its own
backend makes the resource, and the aws command line finds it there. What is only REMEMBERED is
marked so: nothing but the template says what AWS would make of it.

Run as a program: python -m tests.acceptance.cloudformation PORT
"""

import ipaddress
import json
import re
import sys
from collections.abc import Callable
from typing import Any

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.cloudformation import parsing
from moto.cloudformation.models import CloudFormationBackend
from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends
from moto.ec2.models.route_tables import RouteTable
from moto.ecs.models import ecs_backends
from moto.iam.models import iam_backends
from moto.memorydb.models import memorydb_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.server import main
from moto.sns.models import sns_backends

Properties = dict[str, Any]
# gives what Ref gives, and the attributes
Make = Callable[[str, Properties, str, str], tuple[str, dict[str, str]]]


_NOT_SUSPENDED: Any = {}  # its type in moto is wrong


class _Resource:
    def __init__(self, ref: str, attributes: dict[str, str]) -> None:
        self.physical_resource_id = ref
        self._attributes = attributes

    def get_cfn_attribute(self, name: str) -> str:
        return self._attributes[name]

    def is_created(self) -> bool:
        return True


def _know(kind: str, make: Make) -> None:
    """Teach moto the type ``kind``."""

    def create(
        name: str, resource: dict[str, Any], account_id: str, region_name: str, **_: Any
    ) -> _Resource:
        return _Resource(*make(name, resource["Properties"], account_id, region_name))

    def update(
        original_resource: _Resource,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> _Resource:
        if kind not in _MADE_AGAIN:
            return original_resource
        return create(new_resource_name, cloudformation_json, account_id, region_name)

    def delete(name: str, _: Any, account_id: str, region_name: str) -> None:
        if kind in _UNMADE:
            _UNMADE[kind](name, account_id, region_name)

    type(
        kind.replace("::", ""),
        (CloudFormationModel,),
        {
            "cloudformation_name_type": staticmethod(lambda: ""),
            "cloudformation_type": staticmethod(lambda: kind),
            "has_cfn_attr": staticmethod(lambda _: True),
            "create_from_cloudformation_json": staticmethod(create),
            "update_from_cloudformation_json": staticmethod(update),
            "delete_from_cloudformation_json": staticmethod(delete),
        },
    )


def _make_secret(name: str, given: Properties, account: str, region: str) -> Any:
    generate = given.get("GenerateSecretString")
    text = "x" * generate["PasswordLength"] if generate else given["SecretString"]
    made = secretsmanager_backends[account][region].create_secret(
        name, text, None, given["Description"], None, None, None, [], False
    )
    return json.loads(made)["ARN"], {}


def _make_ecs_cluster(_: str, given: Properties, account: str, region: str) -> Any:
    """moto's own leaves out the settings."""
    made = ecs_backends[account][region].create_cluster(
        given["ClusterName"], cluster_settings=_lower(given["ClusterSettings"])
    )
    return made.name, {"Arn": made.arn}


def _make_service(_: str, given: Properties, account: str, region: str) -> Any:
    """moto's own leaves out the network."""
    made = ecs_backends[account][region].create_service(
        given["Cluster"],
        given["ServiceName"],
        given.get("DesiredCount", 1),
        given["TaskDefinition"],
        _lower(given.get("LoadBalancers", [])),
        launch_type=given["LaunchType"],
        platform_version=given["PlatformVersion"],
        network_configuration=_lower(given["NetworkConfiguration"]),
    )
    return made.arn, {"Name": made.name}


def _lower(given: Any) -> Any:
    """As the service's own interface writes keys."""
    if isinstance(given, list):
        return [_lower(one) for one in given]
    if isinstance(given, dict):
        return {key[0].lower() + key[1:]: _lower(value) for key, value in given.items()}
    return given


def _make_association(_: str, given: Properties, account: str, region: str) -> Any:
    """moto's own is not seen by who asks for the table of a subnet."""
    made = ec2_backends[account][region].associate_route_table(
        given["RouteTableId"], subnet_id=given["SubnetId"]
    )
    return made, {}


def _delete_route_table(table: RouteTable, account: str, region: str) -> None:
    """moto's own leaves them, and then cannot delete their network."""
    ec2_backends[account][region].delete_route_table(table.id)


def _delete_association(name: str, account: str, region: str) -> None:
    ec2_backends[account][region].disassociate_route_table(name)


def _make_scalable_target(_: str, given: Properties, account: str, region: str) -> Any:
    kind, resource, dimension = (
        given[key] for key in ("ServiceNamespace", "ResourceId", "ScalableDimension")
    )
    applicationautoscaling_backends[account][region].register_scalable_target(
        kind, resource, dimension, given["MinCapacity"], given["MaxCapacity"], "", _NOT_SUSPENDED
    )
    return f"{resource}|{dimension}|{kind}", {}


def _make_scaling_policy(_: str, given: Properties, account: str, region: str) -> Any:
    resource, dimension, kind = given["ScalingTargetId"].split("|")
    body = given[f"{given['PolicyType']}PolicyConfiguration"]
    made = applicationautoscaling_backends[account][region].put_scaling_policy(
        given["PolicyName"], kind, resource, dimension, body, given["PolicyType"]
    )
    return made.policy_arn, {}


def _make_cluster(_: str, given: Properties, account: str, region: str) -> Any:
    made = memorydb_backends[account][region].create_cluster(
        cluster_name=given["ClusterName"],
        node_type=given["NodeType"],
        parameter_group_name=given["ParameterGroupName"],
        description="",
        subnet_group_name=given["SubnetGroupName"],
        security_group_ids=given["SecurityGroupIds"],
        maintenance_window="",
        port=given["Port"],
        sns_topic_arn="",
        tls_enabled=given["TLSEnabled"],
        kms_key_id="",
        snapshot_arns=[],
        snapshot_name="",
        snapshot_retention_limit=given["SnapshotRetentionLimit"],
        tags=[],
        snapshot_window="",
        acl_name=given["ACLName"],
        engine_version=given["EngineVersion"],
        auto_minor_version_upgrade=given["AutoMinorVersionUpgrade"],
        data_tiering=False,
        num_shards=given["NumShards"],
        num_replicas_per_shard=given["NumReplicasPerShard"],
    )
    name = f"clustercfg.{made.cluster_name}.memorydb.{region}.amazonaws.com"
    return made.cluster_name, {"ClusterEndpoint.Address": name}


def _make_server_subnets(_: str, given: Properties, account: str, region: str) -> Any:
    name = given["SubnetGroupName"]
    memorydb_backends[account][region].create_subnet_group(name, "", given["SubnetIds"], [])
    return name, {}


def _make_subscription(_: str, given: Properties, account: str, region: str) -> Any:
    made = sns_backends[account][region].subscribe(
        given["TopicArn"], given["Endpoint"], given["Protocol"]
    )
    return made.arn, {}


def _make_role_policy(_: str, given: Properties, account: str, __: str) -> Any:
    iam_backends[account]["aws"].put_role_policy(
        given["RoleName"], given["PolicyName"], json.dumps(given["PolicyDocument"])
    )
    return given["PolicyName"], {}


def _remember(key: str = "") -> Make:
    """REMEMBERED: by the property ``key`` or the name that CloudFormation draws."""
    return lambda name, given, _, region: (
        given.get(key, name),
        {"ApiEndpoint": f"https://{name}.execute-api.{region}.amazonaws.com"},
    )


_KINDS: dict[str, Make] = {
    "AWS::EC2::SubnetRouteTableAssociation": _make_association,
    "AWS::ECS::Cluster": _make_ecs_cluster,
    "AWS::ECS::Service": _make_service,
    "AWS::SecretsManager::Secret": _make_secret,
    "AWS::ApplicationAutoScaling::ScalableTarget": _make_scalable_target,
    "AWS::ApplicationAutoScaling::ScalingPolicy": _make_scaling_policy,
    "AWS::CloudWatch::Alarm": _remember("AlarmName"),
    "AWS::MemoryDB::Cluster": _make_cluster,
    "AWS::MemoryDB::SubnetGroup": _make_server_subnets,
    "AWS::MemoryDB::User": _remember("UserName"),
    "AWS::MemoryDB::ACL": _remember("ACLName"),
    "AWS::MemoryDB::ParameterGroup": _remember("ParameterGroupName"),
    "AWS::SNS::Subscription": _make_subscription,
    "AWS::IAM::RolePolicy": _make_role_policy,
    "AWS::Lambda::EventInvokeConfig": _remember(),
    "AWS::ApiGatewayV2::Api": _remember(),
    "AWS::ApiGatewayV2::Integration": _remember(),
    "AWS::ApiGatewayV2::Route": _remember(),
    "AWS::ApiGatewayV2::Stage": _remember("StageName"),
}
# to make one a second time changes it; the others' updates are not tried
_MADE_AGAIN = {kind for kind in _KINDS if "AutoScaling" in kind}
# what keeps others from being deleted as long as it is there
_UNMADE = {"AWS::EC2::SubnetRouteTableAssociation": _delete_association}
_moto_clean = parsing.clean_json
_SECRET = re.compile(r"\{\{resolve:secretsmanager:(arn:[^}]+?)(?::SecretString:([^}:]+))?\}\}")


def _clean(given: Any, resources: Any) -> Any:
    """moto's resolving of functions, with those that it lacks."""
    if isinstance(given, dict):
        if "Fn::Cidr" in given:
            block, count, bits = (_clean(part, resources) for part in given["Fn::Cidr"])
            subnets = ipaddress.ip_network(block).subnets(new_prefix=32 - int(bits))
            return [str(next(subnets)) for _ in range(int(count))]
        if "Fn::GetAtt" in given:
            name, attribute = given["Fn::GetAtt"][0], ".".join(given["Fn::GetAtt"][1:])
            if attribute in {"LoadBalancerFullName", "TargetGroupFullName"}:
                arn = str(resources[name].physical_resource_id).rpartition(":")[2]
                return arn.removeprefix("loadbalancer/")
            given = {"Fn::GetAtt": [name, attribute]}
    cleaned = _moto_clean(given, resources)
    if isinstance(cleaned, str):
        return _SECRET.sub(lambda found: _read_secret(resources, *found.groups()), cleaned)
    return cleaned


def _read_secret(resources: Any, arn: str, key: str | None) -> str:
    backend = secretsmanager_backends[resources["AWS::AccountId"]][resources["AWS::Region"]]
    text = str(backend.get_secret_value(arn, "", "")["SecretString"])
    return str(json.loads(text)[key]) if key else text


def _execute(backend: CloudFormationBackend, **names: Any) -> None:
    """moto's, which forgets the outputs and exports of a stack that a change set makes."""
    for found in backend.stacks.values():
        found.resource_map.cross_stack_resources = backend.exports
    _moto_execute(backend, **names)
    for found in backend.stacks.values():
        found._parse_template()
        found.output_map = found._create_output_map()
        backend.exports.update({export.name: export for export in found.exports})


_moto_execute = CloudFormationBackend.execute_change_set

if __name__ == "__main__":
    setattr(CloudFormationBackend, "execute_change_set", _execute)  # noqa: B010  # not its type
    setattr(RouteTable, "delete", _delete_route_table)  # noqa: B010
    setattr(parsing, "clean_json", _clean)  # noqa: B010
    for kind, make in _KINDS.items():
        _know(kind, make)
    main(["--port", sys.argv[1]])
