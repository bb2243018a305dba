from . import commerce_correction, commerce_reconciliation_repair
