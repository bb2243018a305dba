"""Invented goods and people. No name, address or number here belongs to anybody.

``example.com`` is reserved by RFC 2606, the numbers 555-0100 to 555-0199 for fiction.
"""

FIRST_NAMES = ("Ada", "Bruno", "Clara", "Dario", "Edda", "Fabio", "Greta", "Hugo", "Ines", "Jonas")
LAST_NAMES = ("Example", "Muster", "Sample", "Beispiel", "Testa", "Fiction", "Dummy", "Placeholder")
STREETS = ("Example Street", "Sample Road", "Test Lane", "Specimen Square")
CITIES = (("Exampleton", "10001"), ("Sampleville", "20002"), ("Testburg", "30003"))
NOTES = ("", "", "", "Please ring twice.", "Leave it with the neighbour, please.")

COLOURS = ("Blue", "Red", "Green", "White", "Black", "Yellow", "Grey", "Orange")
THINGS = ("mug", "notebook", "lamp", "bottle", "bag", "cushion", "clock", "tray", "vase", "pen")


def product(number, random):
    """The fields of the n-th invented product, e.g. "Blue mug", SKU "SB-00001"."""
    colour = COLOURS[number % len(COLOURS)]
    thing = THINGS[number // len(COLOURS) % len(THINGS)]
    series = number // (len(COLOURS) * len(THINGS))
    return {
        "name": f"{colour} {thing}" + (f" {series + 1}" if series else ""),
        "sku": f"SB-{number + 1:05}",
        "regular_price": f"{random.randrange(300, 9000) / 100:.2f}",
        "manage_stock": True,
        "stock_quantity": random.randrange(5, 60),
    }


def person(random, country):
    """Name, address, e-mail and phone, under WooCommerce's names; others rename them."""
    first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
    city, postcode = random.choice(CITIES)
    return {
        "first_name": first,
        "last_name": last,
        "company": "",
        "address_1": f"{random.randrange(1, 200)} {random.choice(STREETS)}",
        "address_2": "",
        "city": city,
        "state": "",
        "postcode": postcode,
        "country": country,
        "email": f"{first}.{last}@example.com".lower(),
        "phone": f"555-01{random.randrange(100):02}",
    }
