"""Any system that speaks HTTP and JSON, as the connection and its flows describe it."""

import hashlib
import json
import re
from datetime import datetime, timezone
from urllib.parse import quote

from . import failures, standard_webhooks
from .base import (
    Adapter,
    Capabilities,
    CredentialField,
    FlowSupport,
    Page,
    Result,
    StoreIdentity,
    register,
)
from .documents import Record
from .errors import AuthenticationFailed, Gone, Rejected, SyncError, Temporary
from .expressions import evaluate, is_true
from .http_auth import ClientCredentials, HeaderAuth, HmacAuth, StandardWebhooksAuth

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
EXTERNAL_ID = "external_id"


class _Answered(SyncError):
    """A status of 400 and above that the flow may describe as it likes."""

    def __init__(self, response, error):
        super().__init__(error.message)
        self.response, self.error = response, error


@register
class HttpPlatform(standard_webhooks.StandardWebhookMixin, Adapter):
    platform = "http"
    label = "Any system (HTTP)"
    address_help = "The common beginning of all addresses, for example https://api.example.com/v1"
    credential_fields = (
        CredentialField("username", "User", "Basic", required=False),
        CredentialField("password", "Password", "Basic", required=False),
        CredentialField("token", "Token", "Bearer, or the header's value", required=False),
        CredentialField("client_id", "Client ID", "OAuth 2", required=False),
        CredentialField("client_secret", "Client Secret", "OAuth 2", required=False),
        CredentialField("signing_secret", "Signing Secret", "HMAC, whsec_...", required=False),
        CredentialField(
            "previous_signing_secret",
            "Previous Signing Secret",
            "While receivers change over: messages are signed with both",
            required=False,
        ),
        CredentialField(
            "webhook_secret",
            "Webhook Secret",
            "Messages to Odoo are signed with it",
            required=False,
        ),
    )
    capabilities = Capabilities(
        outbound={"record": FlowSupport(batch=100)}, inbound={"record": FlowSupport()}
    )

    def __init__(self, settings, client):
        super().__init__(settings, client)
        secrets = settings.credentials
        client.hide(*secrets.values())
        self.way = settings.options.get("auth", "none")
        self._tokens = None
        if self.way == "oauth2":
            self._tokens = ClientCredentials(
                client,
                settings.options.get("token_url", ""),
                self._secret("client_id"),
                self._secret("client_secret"),
                settings.options.get("scope", ""),
            )
        else:
            client.auth = self._get_auth()

    def _secret(self, name):
        value = self.settings.credentials.get(name)
        if not value:
            raise AuthenticationFailed(
                f"Not set: {name.replace('_', ' ')}.", hint="Type it under Credentials."
            )
        return value

    def _get_auth(self):
        options = self.settings.options
        match self.way:
            case "basic":
                return self._secret("username"), self._secret("password")
            case "bearer":
                return HeaderAuth("Authorization", f"Bearer {self._secret('token')}")
            case "header":
                return HeaderAuth(options["auth_header"], self._secret("token"))
            case "hmac":
                secret = self._secret("signing_secret")
                return HmacAuth(
                    options["auth_header"], secret, options["hmac_encoding"], options["hmac_prefix"]
                )
            case "standard_webhooks":
                previous = self.settings.credentials.get("previous_signing_secret")
                return StandardWebhooksAuth([self._secret("signing_secret"), previous])
        return None

    def check(self):
        host = failures.host_of(self.settings.address)
        warnings = ()
        try:
            self._request("GET", self.settings.options.get("check_path") or "")
        except _Answered as answered:
            if answered.response.status in (401, 403):
                raise answered.error from answered
            warnings = (f"It answers HTTP {answered.response.status} at this address.",)
        return StoreIdentity(name=host, version="HTTP", warnings=warnings)

    # === PUSH === #

    def parcels(self, kind, documents):
        groups = {}
        for position, document in enumerate(documents):
            call = document.call
            target = target_of(document) if call.batch > 1 else position
            found = groups.setdefault((call, target), [[]])
            if len(found[-1]) >= max(1, call.batch):
                found.append([])
            found[-1].append(position)
        return [parcel for found in groups.values() for parcel in found]

    def _push_record(self, documents, keys):
        call = documents[0].call
        identity = message_id(documents, keys)
        headers = {call.key_header: identity} if call.key_header else {}
        if self.way == "standard_webhooks":
            headers[standard_webhooks.ID_HEADER] = identity
        method, path = target_of(documents[0])
        refusal = None
        try:
            response = self._request(method, path, json=body_of(documents), headers=headers)
        except _Answered as answered:
            response, refusal = answered.response, answered.error
        refused = refusal and not (call.success and self._succeeded(call, answer_of(response)))
        if refused and (not isinstance(refusal, Rejected) or isinstance(refusal, Gone)):
            raise refusal
        if refused and len(documents) > 1:
            # one bad record must not fail the others: nothing of a refused message was taken
            half = len(documents) // 2
            return self._push_record(documents[:half], keys[:half]) + self._push_record(
                documents[half:], keys[half:]
            )
        if refused:
            return [Result(error=self._in_words(call, answer_of(response), refusal))]
        answers = self._answers(call, response, len(documents))
        pairs = zip(documents, answers, strict=True)
        return [self._result(call, document, answer) for document, answer in pairs]

    def _request(self, method, path, **options):
        options |= {"expect_json": False, "interpret": self._interpret}
        if not self._tokens:
            return self.client.request(method, path, **options)
        auth = self._tokens.auth()
        try:
            return self.client.request(method, path, auth=auth, **options)
        except _Answered as answered:
            if answered.response.status != 401:
                raise
        return self.client.request(method, path, auth=self._tokens.auth(refused=auth), **options)

    def _interpret(self, response):
        now = datetime.now(timezone.utc)
        data = response.data if isinstance(response.data, dict) else {}
        words = failures.plain_words(data.get("message") or data.get("error"))
        error = failures.explain_status(response, response.method, response.url, now, words)
        if response.status == 410 and self.way == "standard_webhooks":
            error = Gone(
                f"{failures.host_of(response.url)} wants no more messages (HTTP 410).",
                hint="The flow was switched off. Ask the receiver, then switch it on again.",
                code="410",
            )
        if response.status >= 500 or response.status in (408, 425, 429):
            return error
        return _Answered(response, error)

    @staticmethod
    def _answers(call, response, count):
        answer = answer_of(response)
        if not call.items:
            return [answer] * count
        items = _evaluate(call.items, answer)
        if not isinstance(items, list) or len(items) != count:
            raise Temporary(
                f"The answer does not hold one result for each of {count} records.",
                hint="Check the flow's 'Answers of a batch'.",
                code="malformed_answer",
                uncertain=True,
            )
        return [{**answer, "body": item} for item in items]

    def _result(self, call, document, answer):
        if call.success and not self._succeeded(call, answer):
            refusal = Rejected(
                "The answer is not what the flow takes for a success.", code=str(answer["status"])
            )
            return Result(error=self._in_words(call, answer, refusal))
        external_id = _evaluate(call.external_id, answer) if call.external_id else None
        external_id = "" if external_id is None else str(external_id)
        known = document.external_id
        return Result(outcome="updated" if known else "created", external_id=external_id or known)

    @staticmethod
    def _succeeded(call, answer):
        return is_true(_evaluate(call.success, answer))

    def _in_words(self, call, answer, error):
        words = call.message and failures.plain_words(_evaluate(call.message, answer))
        if words:
            host = failures.host_of(self.settings.address)
            error.message = f"{host} refuses it: {words}"
            error.args = (error.message,)
        return error

    # === RECEIVE === #

    @classmethod
    def _describe(cls, topic, message):
        return {"kind": "record"}

    def _read_record(self, body):
        data = _load(body)
        topic = data.get("type") if isinstance(data, dict) else ""
        return Record(label=str(topic or "message"), values={"body": data})

    def fetch(self, kind, since=None, cursor=""):
        """Nothing is asked for: the other side sends."""
        return Page(())


def _load(body):
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Rejected("The message is no JSON.", code="malformed") from error


def _evaluate(expression, answer):
    try:
        return evaluate(expression, answer)
    except ValueError as error:
        raise Rejected(f"The answer cannot be read: {error}", uncertain=True) from error


def answer_of(response):
    body = response.data if response.is_json else response.text
    return {"status": response.status, "body": body}


def message_id(documents, keys):
    """The same for every try of the same message. A job that is tried again with newer values sends
    another message: the receiver may have the first one, and would drop its double."""
    parts = [key.value for key in keys] + [document.text() for document in documents]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def body_of(documents):
    call = documents[0].call
    bodies = [document.values for document in documents]
    if call.event:
        now = datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
        bodies = [{"type": call.event, "timestamp": now, "data": values} for values in bodies]
    if call.batch <= 1:
        return bodies[0]
    return {call.batch_key: bodies} if call.batch_key else bodies


def target_of(document):
    """``(method, path)``: of an update where the other side knows the record."""
    call = document.call
    method, path = call.method, call.path
    if document.external_id:
        method, path = call.update_method or method, call.update_path or path
    return method, PLACEHOLDER.sub(lambda found: quote(_fill(found[1], document), safe=""), path)


def _fill(name, document):
    if name == EXTERNAL_ID:
        return document.external_id
    value = document.values
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return "" if value is None else str(value)


def placeholders(template):
    """The names in braces of a path."""
    return PLACEHOLDER.findall(template or "")
