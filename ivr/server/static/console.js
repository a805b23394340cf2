// Keeps a page up to date: asks for it again every few seconds and takes over what has changed in the parts that are
// marked `data-live`. What comes is the same escaped markup that the page was made of, from the same server and behind
// the same login.

import { fit, reveal } from "./picture.js";
import { renew } from "./renew.js";

const REACHED = "a, button, audio, [tabindex]"; // by keyboard
const main = document.querySelector("main");
const status = document.querySelector("[data-status]");

// While somebody presses, or drags to select text, nothing may move under their hand.
const SETTLES = 300; // ms: on a touch screen the click comes a moment after the finger has gone
let pressed = false;
let released = -SETTLES;
addEventListener("pointerdown", () => (pressed = true));
for (const over of ["pointerup", "pointercancel", "blur"]) {
  addEventListener(over, () => {
    pressed = false;
    released = performance.now();
  });
}
const isHeld = () => pressed || performance.now() - released < SETTLES;

async function refresh() {
  const answer = await fetch(location.href, { headers: { "X-Refresh": "1" }, redirect: "error", cache: "no-store" });
  if ([401, 404].includes(answer.status)) location.reload(); // to the login; what was erased is said to be gone
  if (!answer.ok) throw new Error(String(answer.status));
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (isHeld()) return;
  main.dataset.every = page.querySelector("main").dataset.every;
  const row = document.activeElement?.closest("[data-key]");
  const which = row && [...row.querySelectorAll(REACHED)].indexOf(document.activeElement);
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = page.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`);
    if (next) renew(part, next);
  }
  fit(main);
  // A call that ends moves to another list; the keyboard's place goes with it.
  if (row && document.activeElement === document.body) {
    const places = document.querySelector(`[data-key="${CSS.escape(row.dataset.key)}"]`)?.querySelectorAll(REACHED) ?? [];
    (places[which] ?? places[0])?.focus({ preventScroll: true });
  }
}

async function loop() {
  if (!document.querySelector("[data-live]")) return;
  for (;;) {
    await new Promise((done) => setTimeout(done, 1000 * Number(main.dataset.every)));
    if (document.hidden) continue;
    try {
      await refresh();
      say("live");
    } catch {
      say("not reached; trying again");
    }
  }
}

function say(words) {
  if (status && status.textContent !== words) status.textContent = words; // it is read aloud at each change
}

fit(main);
const now = document.querySelector(".state.lit, .state.first");
if (now) reveal(now, now.closest(".picture"));
loop();
