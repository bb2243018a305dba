"""Product categories and tags, as far as names have to be found or made.

class-wc-rest-product-categories-controller.php of version 3 and WordPress's wp_insert_term()
"""

from .calls import created, listing
from .products import like, slugify
from .rest import INTEGER, PAGING, STRING, ApiError, php_int, php_text

LIST_PARAMS = {**PAGING, "parent": INTEGER, "slug": STRING}
PARAMS = {"name": STRING, "slug": STRING, "parent": INTEGER, "description": STRING}


def handlers(taxonomy):
    """:param taxonomy: ``categories`` or ``tags``
    :return: the functions that list, make and show its terms
    """

    def show(documents):
        return [_shown(document) for document in documents]

    def list_terms(call):
        conditions = []
        if call.params.get("search"):
            conditions.append(("title LIKE ? ESCAPE '\\'", [like(call.params["search"])]))
        if call.params.get("parent") is not None:
            conditions.append(("parent_id = ?", [call.params["parent"]]))
        return listing(call, taxonomy, conditions, "id", show)

    def create_term(call):
        name, parent = php_text(call.params.get("name")), php_int(call.params.get("parent"))
        same = [("title = ? COLLATE NOCASE", [name]), ("parent_id = ?", [parent])]
        found = call.site.store.find(taxonomy, same, limit=1)
        if found:
            message = "A term with the name provided already exists with this parent."
            raise ApiError(400, "term_exists", message, resource_id=found[0]["id"])
        return created(call, _shown(make(call.site, taxonomy, name, parent)))

    def get_term(call):
        found = call.site.store.get(taxonomy, call.id)
        if not found:
            raise ApiError(404, "woocommerce_rest_term_invalid", "Resource does not exist.")
        return _shown(found)

    return list_terms, create_term, get_term


def make(site, taxonomy, name, parent=0):
    term = {"id": site.store.next_id("term"), "name": name, "parent_id": parent}
    site.store.put(taxonomy, term)
    known = site.store.setting(f"terms:{taxonomy}", {})
    site.store.set_setting(f"terms:{taxonomy}", {**known, str(term["id"]): name})
    return term


def _shown(term):
    return {
        "id": term["id"],
        "name": term["name"],
        "slug": slugify(term["name"]),
        "parent": term["parent_id"],
        "description": "",
        "count": 0,
    }
