// What the page asks the server. An answer always is an object; what went wrong on the way is its `problem`.

import { t } from "./state.js";

const form = document.querySelector("[data-editor-form]");

/** Post `body` to one of the form's addresses (data-words, data-value...); without a body it is asked with a query. */
export async function ask(name, body, query) {
  const address = new URL(form.dataset[name], window.location.href);
  for (const [key, value] of Object.entries(query ?? {})) address.searchParams.set(key, value);
  const options = { headers: { Accept: "application/json" } };
  if (body !== undefined) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.headers["X-CSRFToken"] = form.elements.csrfmiddlewaretoken.value;
    options.body = JSON.stringify(body);
  }
  try {
    const response = await fetch(address, options);
    const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
    if (isJson) return await response.json();
    return { problem: response.redirected ? t("You are signed out: sign in again in another tab, then go on here.") : t("The server answered with an error.") };
  } catch {
    return { problem: t("The server cannot be reached. What you typed is still here.") };
  }
}
