from . import base, inventory, invoice, matching
