// The sliders of "What if": each move asks the server what the same rules make of it, and shows that part.

const form = document.querySelector("[data-what-if]");
const result = document.getElementById("what-if-result");
const PAUSE = 120; // milliseconds without a move

if (form && result) {
  let waiting = 0;
  let asking = null;

  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    const address = `${form.action}?${new URLSearchParams(new FormData(form))}`;
    try {
      const answer = await fetch(address, { headers: { "X-Part": "yes" }, signal: asking.signal });
      if (!answer.ok) return;
      result.innerHTML = await answer.text();
    } catch (error) {
      if (error.name !== "AbortError") throw error;
      return;
    }
    for (const figure of result.querySelector("template")?.content.querySelectorAll("[data-for]") ?? []) {
      const says = form.querySelector(`[data-says="${CSS.escape(figure.dataset.for)}"]`);
      if (says) says.textContent = figure.textContent;
    }
  };

  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE);
  });
  form.addEventListener("reset", () => setTimeout(ask));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
}
