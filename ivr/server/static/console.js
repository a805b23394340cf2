// Keeps a page up to date: asks for it again every few seconds and exchanges the parts that are marked `data-live`.
// What comes is the same escaped markup that the page was made of, from the same server and behind the same login.

const every = 1000 * Number(document.querySelector("main").dataset.every);
const status = document.querySelector("[data-status]");

async function refresh() {
  const answer = await fetch(location.href, { headers: { "X-Refresh": "1" }, redirect: "error", cache: "no-store" });
  if (answer.status === 401) location.reload(); // the session is over: to the login
  if (!answer.ok) throw new Error(String(answer.status));
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = page.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`);
    if (next && next.innerHTML !== part.innerHTML && !isInUse(part)) part.replaceWith(document.adoptNode(next));
  }
}

// Nobody wants a sound cut off, or the keyboard's place lost, by a number that changed.
function isInUse(part) {
  const playing = [...part.querySelectorAll("audio")].some((sound) => !sound.paused);
  return playing || (part !== document.activeElement && part.contains(document.activeElement));
}

async function loop() {
  if (!document.querySelector("[data-live]")) return;
  for (;;) {
    await new Promise((done) => setTimeout(done, every));
    if (document.hidden) continue;
    try {
      await refresh();
      if (status) status.textContent = "live";
    } catch {
      if (status) status.textContent = "not reached; trying again";
    }
  }
}

loop();
