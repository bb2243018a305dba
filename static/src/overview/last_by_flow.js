import { deserializeDateTime, formatDateTime } from "@web/core/l10n/dates";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component } from "@odoo/owl";

/** When each flow of a connection last did something: a small table on its card. */
export class LastByFlow extends Component {
    static template = "commerce_sync.LastByFlow";
    static props = { ...standardFieldProps };

    get lines() {
        return (this.props.record.data[this.props.name] || []).map((line) => ({
            ...line,
            at: line.at && formatDateTime(deserializeDateTime(line.at)),
        }));
    }
}

registry.category("fields").add("commerce_last_by_flow", { component: LastByFlow });
