"""Meta data: ``[{"id", "key", "value"}]`` on products, orders, lines, customers.

WC_Data::update_meta_data() in includes/abstracts/abstract-wc-data.php says how it is merged.
"""

from .rest import php_int


def merge(store, current, given):
    """The list after an update.

    With an id, that entry is replaced. Without, the first entry of the key is, and further ones of
    the same key are deleted. A null deletes. An unknown key is added.
    """
    merged = [dict(entry) for entry in current]
    for entry in given if isinstance(given, list) else []:
        if isinstance(entry, dict) and ("key" in entry or "id" in entry):
            _update(store, merged, entry)
    return [entry for entry in merged if entry["value"] is not None]


def _update(store, merged, given):
    number, key, value = php_int(given.get("id")), str(given.get("key", "")), given.get("value")
    if number:
        found = [entry for entry in merged if entry["id"] == number]
    else:
        found = [entry for entry in merged if entry["key"] == key]
        for entry in found:
            entry["value"] = None
    if found:
        found[0].update(value=value, **({"key": key} if key else {}))
    elif value is not None:
        merged.append({"id": store.next_id("meta"), "key": key, "value": value})
