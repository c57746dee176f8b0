"""`infra/aws/edge.yaml`: the shop front behind CloudFront. `test_aws_stacks.py` deploys it."""

import json
import re
from fnmatch import fnmatchcase

import pytest

from flashsale.http.errors import SECURITY_HEADERS
from flashsale_server.edge.shop_front import POLICY
from tests.helpers import iam

TEMPLATE = iam.read("infra/aws/edge.yaml")
DISTRIBUTION = TEMPLATE["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # AWS' CachingDisabled


def only(kind):
    (properties,) = iam.of_type(kind, TEMPLATE).values()
    return properties


def behavior(path):
    """Return what answers this path: `*` of a pattern matches slashes, and the first one counts."""
    listed = DISTRIBUTION["CacheBehaviors"]
    return next(
        (one for one in listed if fnmatchcase(path, one["PathPattern"])),
        DISTRIBUTION["DefaultCacheBehavior"],
    )


def rewritten(path):
    """Return the path that S3 is asked for."""
    if "FunctionAssociations" not in behavior(path):
        return path
    code = only("AWS::CloudFront::Function")["FunctionCode"]
    pattern, target = re.search(
        r'if \(/(.+)/\.test\(request\.uri\)\) request\.uri = "(.+)";', code
    ).groups()
    return target if re.search(pattern.replace("$", r"\Z"), path) else path


@pytest.mark.parametrize("product", ["p-01", "shirt.v2", "poster.js", "a:b", "p%2E1", "files"])
def test_each_product_is_answered_with_the_page(product):
    assert rewritten(f"/shop/{product}") == "/shop/files/shop.html"


@pytest.mark.parametrize(
    "path",
    ["/shop/", "/shop/files/shop.js", "/shop/files/settings.json", "/shop/p-01/", "/shop/a/b"],
)
def test_files_and_other_paths_are_asked_for_as_they_are(path):
    assert rewritten(path) == path


def test_the_function_is_published_and_is_that_of_the_page():
    function = only("AWS::CloudFront::Function")

    assert function["AutoPublish"] is True
    (associated,) = behavior("/shop/p-01")["FunctionAssociations"]
    assert associated == {
        "EventType": "viewer-request",
        "FunctionARN": {"Fn::GetAtt": ["ShopPaths", "FunctionARN"]},
    }


def test_the_headers_are_those_of_the_asgi_edge():
    headers = only("AWS::CloudFront::ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
    security = headers["SecurityHeadersConfig"]

    assert security["ContentSecurityPolicy"]["ContentSecurityPolicy"] == POLICY
    assert security["ReferrerPolicy"]["ReferrerPolicy"] == SECURITY_HEADERS["referrer-policy"]
    seconds = security["StrictTransportSecurity"]["AccessControlMaxAgeSec"]
    assert f"max-age={seconds}" == SECURITY_HEADERS["strict-transport-security"]
    assert "ContentTypeOptions" in security
    assert all(one["Override"] for one in security.values())


def test_the_bucket_gets_no_cookie_no_query_and_no_header():
    page, files = behavior("/shop/p-01").copy(), behavior("/shop/files/shop.js").copy()
    for one in (page, files):
        del one["PathPattern"]
    policy = TEMPLATE["Resources"]["ShopCachePolicy"]["Properties"]["CachePolicyConfig"]

    assert page.pop("FunctionAssociations")
    assert page == files
    assert page["TargetOriginId"] == "shop"
    assert page["AllowedMethods"] == ["GET", "HEAD"]
    assert "OriginRequestPolicyId" not in page
    forwarded = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    assert forwarded["CookiesConfig"] == {"CookieBehavior": "none"}
    assert forwarded["QueryStringsConfig"] == {"QueryStringBehavior": "none"}
    assert forwarded["HeadersConfig"] == {"HeaderBehavior": "none"}


def test_a_spike_of_visitors_is_answered_by_the_cache():
    """The files say no-cache. Without a least time, each visitor would be a request to S3."""
    policy = TEMPLATE["Resources"]["ShopCachePolicy"]["Properties"]["CachePolicyConfig"]

    assert behavior("/shop/p-01")["CachePolicyId"] == {"Ref": "ShopCachePolicy"}
    assert 1 <= policy["MinTTL"] <= policy["MaxTTL"] <= 60, "seconds until a deployment is seen"


@pytest.mark.parametrize(
    "path", ["/api/v5/products/p-01/events", "/api/v5/orders/p-01:1-0/events", "/api/v5/buy"]
)
def test_no_cache_keeps_a_stream_that_does_not_exist(path):
    """Behind API Gateway a stream is 404, and the page polls. Containers may take its place."""
    errors = {one["ErrorCode"]: one["ErrorCachingMinTTL"]
              for one in DISTRIBUTION["CustomErrorResponses"]}  # fmt: skip

    assert behavior(path)["CachePolicyId"] == DISABLED
    assert behavior(path)["TargetOriginId"] == "api"
    assert errors[404] == 1


def rules():
    return {one["Name"]: one for one in only("AWS::WAFv2::WebACL")["Rules"]}


@pytest.mark.parametrize(
    ("path", "is_a_look"),
    [
        ("/shop/p-01", True),
        ("/shop/files/shop.js", True),
        ("/api/v5/rooms/p-01", True),
        ("/api/v5/rooms/p-01/tickets", False),
        ("/api/v5/buy", False),
        ("/api/v5/orders/x", False),
        ("/shop", False),
    ],
)
def test_each_request_counts_for_one_limit_of_an_address(path, is_a_look):
    """An office behind one address must not use up its requests by loading the page."""
    found = [json.dumps(rules()[f"too-many{name}-from-one-address"]) for name in ("", "-looks")]
    patterns = {re.search(r'"RegexString": "(.*?)"', text)[1] for text in found}

    (pattern,) = patterns
    assert bool(re.search(pattern, path)) is is_a_look
    assert ['"NotStatement"' in text for text in found] == [True, False]


def test_only_this_distribution_reads_the_bucket_and_only_files():
    (statement,) = iam.statements(only("AWS::S3::BucketPolicy"))

    assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert statement["Action"] == "s3:GetObject"
    assert statement["Resource"] == {"Fn::Sub": "${ShopBucket.Arn}/shop/files/*"}
    assert "${Distribution}" in json.dumps(statement["Condition"])
    access = only("AWS::CloudFront::OriginAccessControl")["OriginAccessControlConfig"]
    assert access["SigningBehavior"] == "always"
