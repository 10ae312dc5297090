// The editor of a program's points table: its rows in order, and what limits whole categories.

import { start } from "./editor/shell.js";
import { dayShown, t } from "./editor/state.js";
import { categoriesForm } from "./points/categories.js";
import { addRow, duplicateRow, heldBy, rowForm } from "./points/row.js";

start({
  empty: { points: [] },
  kinds: {
    points: {
      title: t("Rows of the table"), add: addRow, adds: t("Add a row"), form: rowForm, symbol: "stars", copy: duplicateRow, held: heldBy,
      id: (row) => `${row.code}/${row.starts_on}`, note: (row) => t("from {day}", { day: dayShown(row.starts_on) }),
    },
  },
  settings: { categories: { title: t("Categories"), form: categoriesForm, icon: "category" } },
  names: {
    parts: t("Parts of the table"), whole: t("The whole table"), save: t("Save the table"),
    toMend: (count) => t("To mend before it can be saved: {count}", { count }),
  },
});
