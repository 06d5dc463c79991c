"""What each operation does: one small function for each, found by the operation's id."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from paylera_mock.operations import admin, api_tokens, catalog, customers, invoices, payments, subscriptions, webhooks
from paylera_mock.operations.common import get_object, list_objects
from paylera_mock.pipeline.context import Effect

EFFECTS: Final[Mapping[str, Effect]] = MappingProxyType(
    {
        "list_products": list_objects,
        "get_product": get_object,
        "create_product": catalog.create_product,
        "list_plans": list_objects,
        "get_plan": catalog.get_plan,
        "create_plan": catalog.create_plan,
        "list_customers": list_objects,
        "get_customer": get_object,
        "create_customer": customers.create_customer,
        "update_customer": customers.update_customer,
        "delete_customer": customers.delete_customer,
        "list_subscriptions": list_objects,
        "get_subscription": get_object,
        "create_subscription": subscriptions.create_subscription,
        "cancel_subscription": subscriptions.cancel_subscription,
        "pause_subscription": subscriptions.pause_subscription,
        "list_invoices": list_objects,
        "get_invoice": get_object,
        "create_invoice": invoices.create_invoice,
        "finalize_invoice": invoices.finalize_invoice,
        "void_invoice": invoices.void_invoice,
        "pay_invoice": invoices.pay_invoice,
        "list_payments": list_objects,
        "get_payment": get_object,
        "cancel_payment": payments.cancel_payment,
        "refund_payment": payments.refund_payment,
        "list_wallets": list_objects,
        "get_wallet": get_object,
        "create_wallet": customers.create_wallet,
        "credit_wallet": customers.credit_wallet,
        "list_webhook_endpoints": list_objects,
        "get_webhook_endpoint": get_object,
        "create_webhook_endpoint": webhooks.create_webhook_endpoint,
        "update_webhook_endpoint": webhooks.update_webhook_endpoint,
        "delete_webhook_endpoint": webhooks.delete_webhook_endpoint,
        "rotate_secret_webhook_endpoint": webhooks.rotate_secret_webhook_endpoint,
        "list_api_tokens": api_tokens.list_api_tokens,
        "get_api_token": api_tokens.get_api_token,
        "create_api_token": api_tokens.create_api_token,
        "rotate_api_token": api_tokens.rotate_api_token,
        "revoke_api_token": api_tokens.revoke_api_token,
        "list_actors": admin.list_actors,
        "create_actor": admin.create_actor,
        "delete_actor": admin.delete_actor,
        "list_audit_records": list_objects,
    }
)
"""Every operation of `paylera_fixtures.api.operations`; a test holds the two tables together."""
