import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component } from "@odoo/owl";

/** The set-up of a connection, step by step: what is done has a tick, the rest a button. */
export class Checklist extends Component {
    static template = "commerce_sync.Checklist";
    static props = { ...standardFieldProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
    }

    get steps() {
        return this.props.record.data[this.props.name] || [];
    }

    get next() {
        return this.steps.find((step) => !step.done && !step.optional)?.key;
    }

    async go(step) {
        const record = this.props.record;
        if (step.key === "credentials") {
            document.querySelector(".o_notebook [name=connection]")?.click();
            document.querySelector("[name=credential_ids] .o_data_cell")?.click();
            return;
        }
        if (!(await record.save())) {
            return;
        }
        const action = await this.orm.call(record.resModel, "action_step", [
            [record.resId],
            step.key,
        ]);
        await record.load();
        if (action) {
            await this.action.doAction(action, { onClose: () => record.load() });
        }
    }
}

registry.category("fields").add("commerce_checklist", { component: Checklist });
