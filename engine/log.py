"""The sync log: one row for each try of a job, written before it and closed once after it."""

import json
from dataclasses import dataclass

from odoo.tools import SQL

from .database import NOW, columns

#: A row's longest text; what is longer is cut, with a mark.
LONGEST_TEXT = 4000


@dataclass
class Try:
    """One try of one job, as the log keeps it. Texts are redacted before they come here."""

    job_id: int
    document: str = ""
    external_id: str = ""
    request_summary: str = ""
    attempt_id: int | None = None
    # === known when it has ended === #
    state: str = "sending"
    outcome: str | None = None
    error_kind: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    error_hint: str | None = None
    traceback: str | None = None
    request_line: str | None = None
    http_status: int | None = None
    response_summary: str | None = None
    remote_request_id: str | None = None
    duration_ms: int | None = None


def shorten(text):
    """``text`` within the log's limit."""
    if text and len(text) > LONGEST_TEXT:
        return f"{text[:LONGEST_TEXT]}… ({len(text)} characters)"
    return text


def summary(content):
    """Plain JSON values as the log shows them."""
    return shorten(json.dumps(content, ensure_ascii=False, sort_keys=True))


_OPENING = ("job_id", "document", "external_id", "request_summary", "state")
_CLOSING = (
    "attempt_id",
    "state",
    "outcome",
    "error_kind",
    "error_code",
    "error_message",
    "error_hint",
    "traceback",
    "request_line",
    "http_status",
    "response_summary",
    "remote_request_id",
    "duration_ms",
    "external_id",
    "document",
)


def open_tries(cr, worker, tries):
    """Write down that these tries are under way; to be committed before the first request.

    :return: ``{job id: id of the attempt}``
    """
    if not tries:
        return {}
    cr.execute(
        SQL(
            """
            INSERT INTO commerce_attempt (
                job_id, flow_id, connection_id, company_id, direction, kind, model, res_id,
                operation, number, idempotency_key, worker, document, external_id,
                request_summary, correction, state, started_at, create_date, write_date)
            SELECT job.id, job.flow_id, job.connection_id, job.company_id, job.direction, job.kind,
                   job.model, job.res_id, job.operation, job.tries, job.idempotency_key, %s,
                   try.document, NULLIF(try.external_id, ''), NULLIF(try.request, ''),
                   -- which values, not what they are: that stands in the request, redacted
                   (SELECT string_agg(path, ', ') FROM jsonb_object_keys(job.correction) AS path),
                   try.state,
                   %s, %s, %s
              FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[], %s::text[])
                   AS try(job_id, document, external_id, request, state)
              JOIN commerce_job AS job ON job.id = try.job_id
            RETURNING job_id, id
            """,
            worker,
            NOW,
            NOW,
            NOW,
            *columns(tries, *_OPENING),
        )
    )
    return dict(cr.fetchall())


def close_tries(cr, tries):
    """Write down how tries ended; each has its ``attempt_id``. A closed one never changes again."""
    if not tries:
        return
    cr.execute(
        SQL(
            """
            UPDATE commerce_attempt AS attempt
               SET state = try.state, outcome = try.outcome, error_kind = try.error_kind,
                   error_code = try.error_code, error_message = try.error_message,
                   error_hint = try.error_hint, traceback = try.traceback,
                   request_line = try.request_line, http_status = try.http_status,
                   response_summary = try.response, remote_request_id = try.request_id,
                   duration_ms = try.duration, finished_at = %s,
                   document = COALESCE(NULLIF(try.document, ''), attempt.document),
                   external_id = COALESCE(NULLIF(try.external_id, ''), attempt.external_id)
              FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
                          %s::text[], %s::text[], %s::text[], %s::int[], %s::text[], %s::text[],
                          %s::int[], %s::text[], %s::text[])
                   AS try(attempt_id, state, outcome, error_kind, error_code, error_message,
                          error_hint, traceback, request_line, http_status, response, request_id,
                          duration, external_id, document)
             WHERE attempt.id = try.attempt_id
               -- said so that the planner neither reads the index of those under way, which is
               -- full of dead entries while the queue is busy, nor takes them for few
               AND attempt.state = ANY(ARRAY(SELECT 'sending'))
            """,
            NOW,
            *columns(tries, *_CLOSING),
        )
    )
