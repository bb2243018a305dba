import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

/** A problem is seen; its product was repaired meanwhile; one click sends it, and says so. */
tours.add("commerce_sync_repair", {
    url: "/odoo/commerce-problems",
    steps: () => [
        {
            content: "The problem says what is wrong",
            trigger: ".o_data_row:contains(The product has no SKU)",
        },
        {
            content: "and what to do",
            trigger: ".o_data_row:contains(Set the product's Internal Reference)",
        },
        {
            content: "Resend the group",
            trigger: ".o_data_row button[name=action_resend]",
            run: "click",
        },
        {
            content: "The result is there at once",
            trigger: ".o_notification:contains(was sent)",
        },
        {
            content: "and the problem is gone",
            trigger: ".o_nocontent_help:contains(No problems)",
        },
    ],
});

/** Whoever sees a product sees where it is, and why it is not. */
tours.add("commerce_sync_document", {
    steps: () => [
        {
            content: "The product says that it was not sent",
            trigger: ".o_commerce_status:contains(not sent, 1 problem)",
        },
        {
            content: "Look at its history",
            trigger: ".o_commerce_history",
            run: "click",
        },
        {
            content: "There is the reason",
            trigger: ".o_commerce_status table:contains(has no SKU)",
        },
    ],
});

/** From a new connection to the dry run, along the steps that it shows. */
tours.add("commerce_sync_set_up", {
    steps: () => [
        {
            content: "The next step is the test",
            trigger: ".o_commerce_checklist button.btn-primary[name=step_test]",
            run: "click",
        },
        {
            content: "The store says who it is",
            trigger: ".o_notification:contains(answers)",
        },
        {
            content: "Choose what is kept in agreement",
            trigger: ".o_commerce_checklist button.btn-primary[name=step_flows]",
            run: "click",
        },
        {
            content: "Products are matched next",
            trigger: ".o_commerce_checklist button.btn-primary[name=step_variant]",
        },
        {
            content: "Go live, as a dry run",
            trigger: ".o_commerce_checklist button[name=step_live]",
            run: "click",
        },
        {
            content: "Nothing is sent yet",
            trigger: ".o_notification:contains(Live as a dry run)",
        },
    ],
});

/** An ordinary commerce user looks at a connection: nothing to configure, nothing secret. */
tours.add("commerce_sync_clerk", {
    url: "/odoo/commerce-sync",
    steps: () => [
        {
            content: "The card has no buttons that configure",
            trigger:
                ".o_kanban_record:contains(Demo Store):not(:has(button[name=action_pause])):not(:has(button[name=action_test]))",
        },
        {
            content: "The menu Configuration is not there",
            trigger: ".o_menu_sections:not(:contains(Configuration))",
        },
    ],
});
