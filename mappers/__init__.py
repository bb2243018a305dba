from . import base, inventory, invoice, matching, order, price
