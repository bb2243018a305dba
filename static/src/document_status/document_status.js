import { deserializeDateTime, formatDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

import { Component, useState } from "@odoo/owl";

/** A word and an icon for each state: the colour is never the only signal. */
const LOOKS = {
    ok: { icon: "fa-check-circle", color: "text-success", word: _t("Up to date") },
    waiting: { icon: "fa-clock-o", color: "text-info", word: _t("Waiting") },
    failed: { icon: "fa-exclamation-triangle", color: "text-danger", word: _t("Problem") },
    off: { icon: "fa-link", color: "text-muted", word: _t("Linked") },
};

/** Seconds for which the button and the line of one form share an answer. */
const SHARED = 2;

/** Asks where a document is, once for all widgets of a form. */
const documentStatusService = {
    dependencies: ["orm"],
    start(env, { orm }) {
        const asked = new Map();
        return {
            get(model, resId) {
                const key = `${model},${resId}`;
                const known = asked.get(key);
                if (known && Date.now() - known.since < SHARED * 1000) {
                    return known.answer;
                }
                const answer = orm.silent
                    .call("commerce.flow", "get_document_status", [model, resId])
                    .catch(() => ({ stores: [], problems: 0 }));
                asked.set(key, { answer, since: Date.now() });
                return answer;
            },
            forget() {
                asked.clear();
                env.bus.trigger("COMMERCE:STATUS");
            },
        };
    },
};
registry.category("services").add("commerce_document_status", documentStatusService);

class DocumentWidget extends Component {
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.status = useService("commerce_document_status");
        this.state = useState({ stores: [], problems: 0, can_open: false, can_resend: false });
        useRecordObserver((record) => this.load(record.resModel, record.resId, record.data));
        this.env.bus.addEventListener("COMMERCE:STATUS", () => this.reload());
    }

    get record() {
        return this.props.record;
    }

    reload() {
        return this.load(this.record.resModel, this.record.resId);
    }

    async load(model, resId) {
        const status = resId ? await this.status.get(model, resId) : { stores: [], problems: 0 };
        if (this.record.resId === resId) {
            Object.assign(this.state, status);
        }
    }

    async openHistory() {
        const action = await this.orm.call("commerce.flow", "open_document_history", [
            this.record.resModel,
            this.record.resId,
        ]);
        return this.action.doAction(action);
    }
}

/** The line in words: one for each store. */
export class DocumentStatus extends DocumentWidget {
    static template = "commerce_sync.DocumentStatus";

    setup() {
        super.setup();
        this.notification = useService("notification");
        this.looks = LOOKS;
        this.shown = useState({ history: null, sending: 0 });
    }

    async load(model, resId) {
        await super.load(model, resId);
        if (this.shown) {
            this.shown.history = null;
        }
    }

    async resend(store) {
        this.shown.sending = store.connection_id;
        try {
            const message = await this.orm.call("commerce.flow", "resend_document", [
                this.record.resModel,
                this.record.resId,
                store.connection_id,
            ]);
            this.notification.add(message, { title: store.connection });
        } finally {
            this.shown.sending = 0;
            this.status.forget();
        }
    }

    async toggleHistory() {
        if (this.shown.history) {
            this.shown.history = null;
            return;
        }
        const lines = await this.orm.call("commerce.flow", "get_document_history", [
            this.record.resModel,
            this.record.resId,
        ]);
        this.shown.history = lines.map((line) => ({
            ...line,
            time: formatDateTime(deserializeDateTime(line.time)),
        }));
    }
}

/** The smart button. */
export class DocumentButton extends DocumentWidget {
    static template = "commerce_sync.DocumentButton";

    get label() {
        return this.state.problems ? _t("Not Sent") : _t("Stores");
    }
}

registry.category("view_widgets").add("commerce_document_status", { component: DocumentStatus });
registry.category("view_widgets").add("commerce_document_button", { component: DocumentButton });
