// A page of long work follows it: every two seconds the bars move, and when the work ends the page is loaded again.

const EVERY = 2000;

function show(section, progress) {
  section.querySelector("[data-state]").textContent = progress.state;
  for (const step of progress.steps) {
    const row = section.querySelector(`[data-step="${CSS.escape(step.key)}"]`);
    if (!row) continue;
    row.querySelector("[data-says]").textContent = step.says;
    const bar = row.querySelector("progress");
    if (step.total) {
      bar.max = step.total;
      bar.value = step.done;
    } else if (step.done) {
      bar.removeAttribute("value");
    }
  }
}

async function follow(section) {
  try {
    const response = await fetch(section.dataset.progress, { headers: { Accept: "application/json" } });
    if (!response.ok) return;
    const progress = await response.json();
    show(section, progress);
    if (!progress.running) {
      window.location.reload();
      return;
    }
  } catch {
    // The server could not be asked this time; the next time may do.
  }
  setTimeout(follow, EVERY, section);
}

for (const section of document.querySelectorAll('[data-progress][data-running="yes"]')) {
  setTimeout(follow, EVERY, section);
}
