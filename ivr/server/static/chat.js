// The chat: what is said and written, drawn; alone on a page of this server, or inside a company's page.

import { attachments, suggested } from "./cards.js";
import { Conversation } from "./conversation.js";
import { element, written } from "./markup.js";

const $ = (id) => document.getElementById(id);
const flow = $("flow");
const framed = document.body.classList.contains("framed");
const site = framed ? decodeURIComponent(location.hash.slice(1)) : ""; // the page around this one says who it is
const WAITS = 10_000; // milliseconds for which it shows that an answer may come

let conversation = null;
let waiting = 0;
let follows = true;

// --- what is seen ---

function line(who, speaker) {
  const item = element("li", "", who);
  item.append(element("span", `${speaker}: `, "only-read"));
  return item;
}

function said(activity) {
  if (activity.type !== "message") return;
  stopWaiting();
  const item = line("flow", "They");
  if (activity.text) {
    const words = element("div", "", "said");
    words.append(written(activity.text, activity.textFormat));
    item.append(words);
  }
  item.append(...attachments(activity, answered), ...suggested(activity, answered));
  if (item.childNodes.length > 1) add(item);
}

function wrote({ shown }) {
  for (const button of document.querySelectorAll("#talk .answer")) button.disabled = true; // they answer what is past
  if (!shown) return;
  const item = line("caller", "You");
  item.append(element("div", shown, "said"));
  add(item);
}

function note(text) {
  add(element("li", text, "note"));
}

function add(item) {
  $("talk").append(item);
  follow();
}

function follow() {
  if (follows) $("paper").scrollTop = $("paper").scrollHeight;
}

function startWaiting() {
  clearTimeout(waiting);
  $("waiting").hidden = false;
  waiting = setTimeout(stopWaiting, WAITS);
  follow();
}

function stopWaiting() {
  clearTimeout(waiting);
  $("waiting").hidden = true;
}

$("paper").addEventListener("scroll", () => {
  const { scrollTop, scrollHeight, clientHeight } = $("paper");
  follows = scrollHeight - scrollTop - clientHeight < 80; // whoever has scrolled back to read is left alone
});
new ResizeObserver(follow).observe($("paper"));
$("talk").addEventListener("load", follow, true); // pictures come later than their messages

// --- what is done ---

function send(shown, members) {
  if (!conversation?.ready) return;
  follows = true;
  conversation.write(shown, members);
  startWaiting();
}

function answered({ type, value, text, displayText }) {
  const plain = typeof value === "string" || typeof value === "number" ? String(value) : "";
  if (type === "imBack") send(plain, { text: plain });
  else if (type === "postBack") send("", plain ? { text: plain } : { value });
  else send(displayText ?? "", { ...(text ? { text } : {}), ...(value === undefined ? {} : { value }) });
  $("words").focus(); // the button may be gone
}

function write() {
  const words = $("words").value.trim();
  if (!words || !conversation?.ready) return; // what was typed stays there
  $("words").value = "";
  send(words, { text: words });
}

$("write").addEventListener("submit", (event) => {
  event.preventDefault();
  write();
});
$("words").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  write();
});
$("anew").addEventListener("click", async () => {
  if (conversation) await Promise.race([conversation.leave(), new Promise((done) => setTimeout(done, 1000))]);
  conversation?.forget();
  await open();
  $("words").focus();
});

// --- the conversation ---

let token = "";
let renewing = null;

async function begun(before) {
  let asked = false;
  for (let pause = 500; ; pause = Math.min(2 * pause, 15_000)) {
    const body = JSON.stringify({ site, flow: flow?.value ?? "", before });
    const fields = { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    const answer = await fetch("/chat/conversations", { method: "POST", headers: fields, body, credentials: "omit" })
      .catch(() => null);
    if (answer?.ok) {
      $("state").textContent = "";
      return answer.json();
    }
    if (answer?.status === 401 && framed && !asked) {
      asked = true; // once: a site whose tokens are refused is not asked for ever
      if (await another()) continue;
    }
    if (answer && answer.status < 500 && answer.status !== 429) throw new Error(`refused: ${answer.status}`);
    $("state").textContent = "No connection. Trying again …";
    await new Promise((done) => setTimeout(done, pause));
  }
}

async function open() {
  conversation?.close();
  conversation = null;
  $("talk").replaceChildren();
  follows = true;
  const name = framed ? "frame" : `page ${flow.value}`;
  const one = new Conversation(name, begun, {
    said: (activity) => one === conversation && said(activity),
    wrote: (message) => one === conversation && wrote(message),
    over: () => ended("This conversation is over."),
    refused: (status) => note(status === 413 ? "That was too long to be sent." : "That could not be sent."),
    reaches: (reached) => ($("state").textContent = reached ? "" : "No connection. Trying again …"),
  });
  conversation = one;
  startWaiting();
  try {
    await one.open();
  } catch {
    ended(framed ? "The chat cannot be opened. Load the page again." : "The chat cannot be opened.");
  }
}

function ended(why) {
  stopWaiting();
  conversation?.forget();
  conversation = null;
  note(why);
}

// --- inside a company's page ---

function tell(message) {
  if (site) parent.postMessage({ ivrChat: message }, site);
}

// Asks the page around this one for another token; whether it has one.
function another() {
  return new Promise((done) => {
    renewing = done;
    tell("renew");
    setTimeout(() => done(false), 10_000);
  });
}

function heard({ source, origin, data }) {
  if (source !== parent || origin !== site || typeof data?.ivrChat !== "string") return;
  if (data.ivrChat === "token" && typeof data.token === "string") {
    const first = !token;
    token = data.token;
    renewing?.(true);
    renewing = null;
    if (first) open();
  } else if (data.ivrChat === "none") {
    if (renewing) renewing(false);
    else ended("The chat cannot be opened. Load the page again.");
  } else if (data.ivrChat === "opened") {
    $("words").focus();
  }
}

if (framed) {
  addEventListener("message", heard);
  $("close").addEventListener("click", () => tell("close"));
  addEventListener("keydown", (event) => event.key === "Escape" && tell("close"));
  tell("ready");
} else {
  const about = () => ($("about").textContent = flow.selectedOptions[0]?.dataset.about ?? "");
  flow.addEventListener("change", () => {
    about();
    open();
  });
  $("choose").addEventListener("submit", (event) => event.preventDefault());
  about();
  if (flow.value) open();
}
