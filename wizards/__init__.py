from . import (
    commerce_bulk_resend,
    commerce_conflict,
    commerce_correction,
    commerce_flow_template,
    commerce_preview,
    commerce_privacy,
    commerce_reconciliation_repair,
    partner_merge,
)
