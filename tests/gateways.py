"""What AWS' gateways make of a request: the events that a function gets for it.

As AWS documents them (the Developer Guides of API Gateway, Lambda and Elastic Load Balancing), and
where these say nothing as was observed there:

* a REST API and a load balancer hand the path on as it was sent, and so does a function URL in
  ``rawPath``; an HTTP API decodes it, twice, and cuts it at a ``?`` that the first time laid open
* a REST API decodes the query, a load balancer does not, the others give it as it was sent, too
* a REST API keeps the letters of headers' names, the others write them small; a repeated header is
  a list, or one text with commas, or its last value alone
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

Event: TypeAlias = dict[str, Any]
_TEXTS = ("text/", "application/json", "application/javascript", "application/xml")


@dataclass(frozen=True)
class Request:
    """A request as a client sends it.

    Attributes:
        method: of the request.
        target: path and query as they stand in the request's first line.
        headers: in their order, without Host.
        body: of the request, None where there is none.
        host: that the client names; each gateway has one of its own.
    """

    method: str
    target: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | None = None
    host: str = ""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def all_headers(self, host: str, *, small: bool) -> dict[str, list[str]]:
        """Each header's values, with those that a gateway adds."""
        sent = [
            ("Host", self.host or host),
            *self.headers,
            ("X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678"),
            ("X-Forwarded-For", "192.0.2.1"),
            ("X-Forwarded-Port", "443"),
            ("X-Forwarded-Proto", "https"),
        ]
        found: dict[str, list[str]] = {}
        for name, value in sent:
            found.setdefault(name.lower() if small else name, []).append(value)
        return found

    def encode_body(self, *, none: str | None = None) -> dict[str, Any]:
        """The body's members of an event: text as it is, all else in base64."""
        if self.body is None:
            return {"body": none, "isBase64Encoded": False}
        kind = next((v for name, v in self.headers if name.lower() == "content-type"), "")
        if kind.startswith(_TEXTS):
            return {"body": self.body.decode(), "isBase64Encoded": False}
        return {"body": b64encode(self.body).decode(), "isBase64Encoded": True}


REST_HOST = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
HTTP_HOST = "f6g7h8i9j0.execute-api.eu-central-1.amazonaws.com"
URL_HOST = "k1l2m3n4o5p6q7r8s9t0.lambda-url.eu-central-1.on.aws"
BALANCER_HOST = "payments-1234567890.eu-central-1.elb.amazonaws.com"
HOSTS = (REST_HOST, HTTP_HOST, URL_HOST, BALANCER_HOST)


def rest_api(request: Request, stage: str = "prod") -> Event:
    """Of API Gateway's REST API, whose events name no version."""
    headers = request.all_headers(REST_HOST, small=False)
    query = _gather(parse_qsl(request.query, keep_blank_values=True))
    return {
        "resource": "/{proxy+}",
        "path": request.path,
        "httpMethod": request.method,
        "headers": _take_last(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": _take_last(query) or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": {"proxy": request.path.removeprefix("/")},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": REST_HOST.partition(".")[0],
            "domainName": REST_HOST,
            "domainPrefix": REST_HOST.partition(".")[0],
            "extendedRequestId": "ATfSdF7nPHcErRA=",
            "httpMethod": request.method,
            "identity": {"sourceIp": "192.0.2.1", "userAgent": "curl/8.7.1", "user": None},
            "path": f"/{stage}{request.path}",
            "protocol": "HTTP/1.1",
            "requestId": "7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e0",
            "requestTimeEpoch": 1783711144836,
            "resourceId": "al6gqb",
            "resourcePath": "/{proxy+}",
            "stage": stage,
        },
        **request.encode_body(),
    }


def http_api(request: Request, stage: str = "$default") -> Event:
    """Of API Gateway's HTTP API in the second version of its format."""
    path = _decode_twice(request.path, stage)
    return _second_version(request, HTTP_HOST, path, path, stage)


def http_api_of_first_version(request: Request, stage: str = "$default") -> Event:
    """Of API Gateway's HTTP API in the first version of its format."""
    event = rest_api(request, stage)
    path = _decode_twice(request.path, stage)
    headers = request.all_headers(HTTP_HOST, small=False)
    context = {**event["requestContext"], "domainName": HTTP_HOST, "path": path}
    return {
        "version": "1.0",
        **event,
        "path": path,
        "headers": {name: ",".join(values) for name, values in headers.items()},
        "multiValueHeaders": headers,
        "requestContext": context,
    }


def function_url(request: Request) -> Event:
    """Of a function's own URL: as the second version of an HTTP API but for the path."""
    return _second_version(request, URL_HOST, request.path, unquote(request.path), "$default")


def balancer(request: Request) -> Event:
    """Of an application load balancer."""
    headers = request.all_headers(BALANCER_HOST, small=True)
    return {
        **_of_balancer(request),
        "queryStringParameters": _take_last(_split(request.query)),
        "headers": _take_last(headers),
        **request.encode_body(none=""),
    }


def balancer_of_many_values(request: Request) -> Event:
    """Of an application load balancer whose target group has multi-value headers."""
    return {
        **_of_balancer(request),
        "multiValueQueryStringParameters": _split(request.query),
        "multiValueHeaders": request.all_headers(BALANCER_HOST, small=True),
        **request.encode_body(none=""),
    }


GATEWAYS: dict[str, Callable[[Request], Event]] = {
    "REST API": rest_api,
    "HTTP API": http_api,
    "HTTP API, first version": http_api_of_first_version,
    "function URL": function_url,
    "load balancer": balancer,
    "load balancer, many values": balancer_of_many_values,
}


def _second_version(request: Request, host: str, raw: str, decoded: str, stage: str) -> Event:
    headers = request.all_headers(host, small=True)
    cookies = headers.pop("cookie", [])
    query = _gather(parse_qsl(request.query, keep_blank_values=True))
    body = request.encode_body()
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": raw,
        "rawQueryString": request.query,
        **({"cookies": cookies} if cookies else {}),
        "headers": {name: ",".join(values) for name, values in headers.items()},
        **({"queryStringParameters": _join(query)} if query else {}),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": host.partition(".")[0],
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": request.method,
                "path": decoded,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "curl/8.7.1",
            },
            "requestId": "ATfSmjLgPHcESJw=",
            "routeKey": "$default",
            "stage": stage,
            "timeEpoch": 1783711145766,
        },
        **(body if body["body"] is not None else {"isBase64Encoded": False}),
    }


def _of_balancer(request: Request) -> Event:
    group = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/payments/4efa1ab384"
    return {
        "requestContext": {"elb": {"targetGroupArn": group}},
        "httpMethod": request.method,
        "path": request.path,
    }


def _decode_twice(path: str, stage: str) -> str:
    decoded = unquote(unquote(path).partition("?")[0])
    return decoded if stage == "$default" else f"/{stage}{decoded}"


def _split(query: str) -> dict[str, list[str]]:
    """The parameters of a query, still encoded."""
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    return _gather([(name, value) for name, _, value in pairs])


def _gather(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _take_last(values: dict[str, list[str]]) -> dict[str, str]:
    return {name: each[-1] for name, each in values.items()}


def _join(values: dict[str, list[str]]) -> dict[str, str]:
    return {name: ",".join(each) for name, each in values.items()}
