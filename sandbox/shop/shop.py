"""The shop itself, and the app that asks."""

from .. import shopify_schema
from .registry import resolves


@resolves("QueryRoot", "shop")
def _shop(call, _source, _arguments):
    site = call.site
    return {
        "id": 1,
        "name": site.title,
        "email": "owner@example.com",
        "myshopifyDomain": site.domain,
        "currencyCode": site.currency,
        "url": site.url,
        "ianaTimezone": "America/New_York",
        "taxesIncluded": False,
        "primaryDomain": {"id": 1, "host": site.domain, "url": f"https://{site.domain}"},
        "plan": {"publicDisplayName": "Sandbox", "displayName": "Sandbox",
                 "partnerDevelopment": True, "shopifyPlus": False},
    }  # fmt: skip


@resolves("QueryRoot", "currentAppInstallation")
def _installation(call, _source, _arguments):
    scopes = sorted(call.site.setting("scopes"))
    return {
        "id": 1,
        "accessScopes": [{"handle": scope, "description": scope} for scope in scopes],
    }


@resolves("QueryRoot", "publicApiVersions")
def _versions(_call, _source, _arguments):
    return [
        {"handle": version, "displayName": version, "supported": True}
        for version in shopify_schema.versions()
    ]
