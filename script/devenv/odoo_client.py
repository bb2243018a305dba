"""Odoo as a person's browser talks to it."""

import requests


class OdooClient:
    """A session, signed in."""

    def __init__(self, url, database, login, password):
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._call("/web/session/authenticate", db=database, login=login, password=password)

    @property
    def session_id(self):
        return self._session.cookies["session_id"]

    def call(self, model, method, *args, **kwargs):
        """Call a method of a model, e.g. ``call("res.partner", "read", [1], ["name"])``."""
        return self._call(
            f"/web/dataset/call_kw/{model}/{method}",
            model=model,
            method=method,
            args=args,
            kwargs=kwargs,
        )

    def search_read(self, model, domain, fields, **options):
        return self.call(model, "search_read", domain, fields, **options)

    def create(self, model, /, **values):
        """Create one record and return its id."""
        return self.call(model, "create", [values])[0]

    def _call(self, path, **params):
        answer = self._session.post(self.url + path, json={"params": params}, timeout=120)
        answer.raise_for_status()
        content = answer.json()
        if "error" in content:
            data = content["error"]["data"]
            raise RuntimeError(f"{path}: {data.get('message')}\n{data.get('debug', '')}")
        return content["result"]
