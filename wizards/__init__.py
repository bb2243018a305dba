from . import commerce_correction
