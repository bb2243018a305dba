"""Files: a place to upload to, the upload, and the file that is ready some time later."""

import email
import email.policy
import secrets

from ..messages import Response
from . import bulk
from .ids import now, split
from .paging import connection, find
from .registry import resolves, user_error

KIND, STAGED = "file", "staged"
UPLOADS = "/uploads/"
CONTENT = "/files/"
MAX_BYTES = 20 * 1024 * 1024


# === UPLOAD === #


@resolves("Mutation", "stagedUploadsCreate")
def _stage(call, _source, arguments):
    targets, errors = [], []
    for place, row in enumerate(arguments["input"]):
        if int(row.get("fileSize") or 0) > MAX_BYTES:
            errors.append(user_error("File size is too large", "input", str(place), "fileSize"))
            continue
        targets.append(_target(call, row))
    return {"stagedTargets": targets, "userErrors": errors}


def _target(call, row):
    staged = {
        "id": call.store.next_id(STAGED),
        "title": row["filename"],
        "type": row["mimeType"],
        "key": secrets.token_urlsafe(16),
        "method": row.get("httpMethod") or "PUT",
        "body": None,
    }
    call.store.put(STAGED, staged)
    url = f"{call.site.url}{UPLOADS}{staged['id']}/{staged['key']}"
    if staged["method"] == "PUT":
        parameters = [{"name": "content_type", "value": row["mimeType"]}]
    else:
        parameters = [{"name": "key", "value": staged["key"]}]
    return {"url": url, "resourceUrl": url, "parameters": parameters}


def receive(site, request):
    """The upload itself: the bytes are kept as they came."""
    with site.store.transaction():
        staged = _staged(site.store, request.path)
        if not staged or request.method != staged["method"]:
            return Response(403, b"<Error><Code>AccessDenied</Code></Error>")
        body = request.body if request.method == "PUT" else _file_part(request, staged)
        if body is None:
            return Response(403, b"<Error><Code>AccessDenied</Code></Error>")
        staged["body"] = body.decode("latin-1")
        site.store.put(STAGED, staged)
    return Response(200 if request.method == "PUT" else 201, b"")


def _file_part(request, staged):
    """The field ``file``, which comes after the fields of the target; or ``None``."""
    kind = request.headers.get("Content-Type") or ""
    message = email.message_from_bytes(
        f"Content-Type: {kind}\r\n\r\n".encode() + request.body, policy=email.policy.HTTP
    )
    if not message.is_multipart():
        return None
    fields = {
        part.get_param("name", header="Content-Disposition"): part.get_payload(decode=True)
        for part in message.iter_parts()
    }
    fits = fields.get("key", b"").decode() == staged["key"] and list(fields)[-1] == "file"
    return fields["file"] if fits else None


def _staged(store, path):
    number, _, key = path.partition(UPLOADS)[2].partition("/")
    staged = store.get(STAGED, int(number)) if number.isdigit() else None
    return staged if staged and secrets.compare_digest(staged["key"], key) else None


# === FILES === #


@resolves("Mutation", "fileCreate")
def _create(call, _source, arguments):
    created, errors = [], []
    for place, row in enumerate(arguments["files"]):
        staged = _staged(call.store, row["originalSource"])
        if not staged:
            errors.append(
                user_error(
                    "The file source is not supported.",
                    *("files", str(place), "originalSource"),
                    code="INVALID",
                )
            )
            continue
        created.append(_file(call, row, staged))
    if errors:
        return {"files": None, "userErrors": errors}
    return {"files": created, "userErrors": []}


def _file(call, row, staged):
    document = {
        "id": call.store.next_id(KIND),
        "alt": row.get("alt"),
        "title": row.get("filename") or staged["title"],
        "mimeType": staged["type"],
        "status": "UPLOADED" if staged["body"] else "FAILED",
        "polls": call.site.setting("file_polls"),
        "body": staged["body"] or "",
        "createdAt": now(call.site),
        "updatedAt": now(call.site),
    }
    call.store.put(KIND, document)
    call.created += 1
    return {**document, "__typename": "GenericFile"}


def look(call, document):
    """Each look brings a file nearer to being ready."""
    if document["status"] in ("UPLOADED", "PROCESSING"):
        document = {name: value for name, value in document.items() if name != "__typename"}
        document["polls"] -= 1
        document["status"] = "PROCESSING" if document["polls"] > 0 else "READY"
        if call.site.setting("files_fail") and document["status"] == "READY":
            document["status"] = "FAILED"
        call.store.put(KIND, document)
    return {**document, "__typename": "GenericFile"}


@resolves("QueryRoot", "files")
def _files(call, _source, arguments):
    return connection(call, KIND, "GenericFile", arguments, {"id": "id", "filename": "title"}, {})


@resolves("GenericFile", "fileStatus")
def _status(_call, document, _arguments):
    return document["status"]


@resolves("GenericFile", "url")
def _url(call, document, _arguments):
    if document["status"] != "READY":
        return None
    return f"{call.site.url}{CONTENT}{document['id']}/{document['title']}"


@resolves("GenericFile", "originalFileSize")
def _size(_call, document, _arguments):
    return len(document["body"].encode("latin-1"))


@resolves("GenericFile", "fileErrors")
def _errors(_call, document, _arguments):
    if document["status"] != "FAILED":
        return []
    return [{"code": "UNKNOWN", "message": "The file could not be processed.", "details": None}]


def serve(site, request):
    """The file's content, for whoever has its address."""
    number = request.path.removeprefix(CONTENT).partition("/")[0]
    document = site.store.get(KIND, int(number)) if number.isdigit() else None
    if not document:
        return Response(404, b"Not Found", content_type="text/plain")
    return Response(200, document["body"].encode("latin-1"), content_type=document["mimeType"])


@resolves("QueryRoot", "node")
def _node(call, _source, arguments):
    return node(call, arguments["id"])


@resolves("QueryRoot", "nodes")
def _nodes(call, _source, arguments):
    return [node(call, text) for text in arguments["ids"]]


def node(call, text):
    kind, _number = split(text)
    found = find(call, NODES.get(kind, kind), kind, text)
    if found and kind == "BulkOperation":
        return bulk.progress(call, found)
    return look(call, found) if found and kind == "GenericFile" else found


NODES = {
    "Order": "order",
    "Product": "product",
    "ProductVariant": "variant",
    "InventoryItem": "item",
    "Location": "location",
    "GenericFile": KIND,
    "FulfillmentOrder": "fulfillmentOrder",
    "Fulfillment": "fulfillment",
    "BulkOperation": "bulk",
    "WebhookSubscription": "webhook",
}
