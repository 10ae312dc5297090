// The editor of a commission plan: its rules in order, and what holds for all of them.

import { start } from "./editor/shell.js";
import { t } from "./editor/state.js";
import { planForm } from "./plan/head.js";
import { addRule, duplicateRule, ruleForm } from "./plan/rule.js";

start({
  empty: { plan: {}, rules: [] },
  kinds: {
    rules: {
      title: t("Rules, in the order in which they are looked at"), add: addRule, adds: t("Add a rule"), form: ruleForm,
      symbol: "percent", copy: duplicateRule,
    },
  },
  settings: { plan: { title: t("Days, currency, hold"), form: planForm, icon: "event" } },
  names: {
    parts: t("Parts of the plan"), whole: t("The whole plan"), save: t("Save the draft"),
    toMend: (count) => t("To mend before it can be published: {count}", { count }),
  },
});
