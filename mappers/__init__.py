from . import (
    base,
    compare_stock,
    comparing,
    inventory,
    invoice,
    matching,
    order,
    price,
    product,
    record,
    shipment,
)
