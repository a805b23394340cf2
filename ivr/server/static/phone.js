// The phone: one line to the server, and what a person does and sees while a call is on.
// Commands and events are described in docs/browser-phone.md.

import { Loudspeaker, Microphone } from "./sound.js";
import { Paper, Picture, Variables, element } from "./paper.js";

const $ = (id) => document.getElementById(id);
const keys = [...document.querySelectorAll("[data-key]")];
const picture = $("picture") && new Picture($("picture"), $("where"));
const variables = $("variables") && new Variables($("variables"), $("known"));
const loudspeaker = new Loudspeaker();
const microphone = new Microphone((samples) => onCall && line.send(samples), showLevel);

let line = null;
let onCall = false;
let starting = false; // Call was pressed, and the call has not begun yet
let dialled = false;
let ticking = 0;
let speaking = null; // the words that are being heard
let told = 0; // how much of what went wrong in the flow is on the paper
let lastCall = ""; // a name for it, as good as another

// --- the line ---

async function open() {
  if (line?.readyState === WebSocket.OPEN) return;
  line = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/phone/line`);
  line.binaryType = "arraybuffer";
  line.onmessage = ({ data }) => (typeof data === "string" ? hear(JSON.parse(data)) : loudspeaker.play(data));
  await new Promise((done, failed) => {
    line.onopen = done;
    line.onerror = () => failed(new Error("The server does not answer."));
  });
  line.onclose = () => onCall && end("the line to the server is gone", { ok: false });
}

function send(command) {
  if (line?.readyState === WebSocket.OPEN) line.send(JSON.stringify(command));
}

// --- what happens ---

const speaker = picture ? "the flow" : "the bot"; // of a bot that is not ours we know no flow
const who = { bot: speaker, caller: "you", platform: "the platform" };
const paper = new Paper($("talk"), $("paper"), speaker);
const endings = {
  hangup: "hung up",
  left: "hung up",
  reject: "rejected the call",
  transfer: "transferred the call",
  unreachable: "could not reach the bot",
  refused: "was refused by the bot",
};
const verdicts = {
  same: "Same: with the current version of the flow, this caller hears and reaches the same.",
  changed: "Changed: with the current version of the flow, this caller hears or reaches something else.",
  undetermined: "Undetermined: the current version of the flow asks something that this caller never answered.",
};
const before = {
  mistake: "The file has a mistake. You are calling the previous version.",
  edit: "The file was just edited. You are calling the previous version.",
};
const came = { silence: "you kept silent", "wrong key": "that key is not one of the choices" };

const happens = {
  Dialled() {
    dialled = true;
    paper.add("note", time() ? `ringing; for the flow it is ${time()}` : "ringing");
  },
  StateChanged({ state }) {
    if (state === "established") show("on the line", "live");
  },
  PromptBegan({ text }) {
    stopSpeaking();
    speaking = paper.add("flow", text.replace(/\(audio [^)]*\)/g, "(an audio file)") || "…");
    speaking.classList.add("now");
  },
  PromptOver({ interrupted }) {
    if (interrupted) loudspeaker.stop(); // else let the last words be heard: they left the server before they are out
    stopSpeaking();
  },
  ListensFor: offer,
  KeyHeard: ({ key }) => paper.add("caller", key, { join: "pressed" }),
  WordsHeard({ words }) {
    if (words) paper.add("caller", `said “${words}”`);
    else paper.add("note", "that was not understood");
  },
  VoiceHeard: ({ active }) => ($("ear").textContent = active ? "hears you" : ""),
  RecordingBegan() {
    stopSpeaking();
    paper.add("note", "recording");
    show("recording", "bad");
  },
  RecordingOver({ seconds }) {
    paper.add("caller", `spoke for ${seconds.toFixed(1)} s`);
    show("on the line", "live");
  },
  TransferBegan({ target, whisper }) {
    stopSpeaking();
    paper.add("note", `transferring to ${target}${whisper ? `, which is shown “${whisper}”` : ""}`);
    offer({ kind: "transfer" });
  },
  Done({ ok, why, result }) {
    stopSpeaking();
    offer(null);
    if (!ok && result !== "left") paper.add("note", why || (came[result] ?? result));
  },
  WorkflowRefused: ({ problems }) => paper.add("note", `the bot's reply is not a valid workflow: ${problems.join("; ")}`),
  Ended({ by, reason, detail }) {
    const why = detail || (endings[reason] ? "" : reason);
    end(`${who[by]} ${endings[reason] ?? "ended the call"}${why && `: ${why}`}`, { ok: by !== "platform" });
  },
  Whereabouts(whereabouts) {
    picture.light(whereabouts);
    variables.show(whereabouts.variables);
    $("record").href = whereabouts.page;
    $("record").hidden = false;
    for (const mistake of whereabouts.mistakes.slice(told)) paper.add("note", mistake);
    told = whereabouts.mistakes.length;
  },
  Outdated: ({ fault }) => write($("outdated"), fault ? `${before.mistake}\n\n${fault}` : before.edit, "warm"),
  Missing({ what }) {
    $("missing").textContent = what.join(" ");
    $("missing").hidden = !what.length;
  },
  Saved: ({ file, replay }) => kept(`Saved as ${file}${replay ? `\nTo replay it:\n\n${replay}` : ""}`, "good"),
  Replayed({ verdict, text }) {
    const same = verdict === "same"; // then the report adds nothing
    kept(same ? verdicts.same : `${verdicts[verdict]}\n\n${text}`, same ? "good" : "warm");
  },
  Written({ text }) {
    const file = `${lastCall}.call.yaml`;
    hand(file, text);
    kept(`Saved as ${file} in the downloads of your browser. To make the call again:\n\nivr phone --script ${file}`, "good");
  },
  Sorry({ text }) {
    if (onCall && !dialled) refused(text);
    else kept(text, "bad");
  },
};

function hear(event) {
  happens[event.type]?.(event);
}

function stopSpeaking() {
  speaking?.classList.remove("now");
  speaking = null;
}

// While an answer is pressed, the others stay in place: the click is for the one under the finger.
const SETTLES = 300; // ms: on a touch screen the click comes a moment after the finger has gone
let pressing = false;
let next = null; // what is offered when the finger has gone
$("offers").addEventListener("pointerdown", () => (pressing = true));
for (const over of ["pointerup", "pointercancel", "blur"]) {
  addEventListener(over, () => {
    if (!pressing) return;
    setTimeout(() => {
      pressing = false;
      if (next) offer(...next);
    }, SETTLES);
  });
}

// A transfer rings at nobody's: whoever tries the flow plays the other side.
const answers = {
  connected: "Connect the caller",
  busy: "Busy",
  noAnswer: "Nobody answers",
  rejected: "Declined",
  unreachable: "Not reachable",
};

function answerButton([answer, label]) {
  const chip = element("button", label, "button small");
  chip.type = "button";
  chip.onclick = () => send({ do: "connect", answer });
  return chip;
}

function offer(question) {
  next = pressing ? [question] : null;
  if (pressing) return;
  const { kind, choices = [], most, terminators = "" } = question ?? {};
  const buttons = choices.map(({ name, key, speech = [] }) => {
    const chip = element("button", key ? `${key} · ${name}` : `“${speech[0] ?? name}”`, "button small");
    chip.type = "button";
    chip.title = speech.length ? `or say: ${speech.join(", ")}` : "";
    chip.onclick = () => (key ? send({ do: "press", key }) : send({ do: "say", words: speech[0] ?? name }));
    return chip;
  });
  if (kind === "transfer") buttons.push(...Object.entries(answers).map(answerButton));
  const ends = [...terminators].join(" or ");
  if (kind === "digits") buttons.push(element("p", `Keys, at most ${most}${ends ? `; ${ends} ends` : ""}`));
  if (kind === "recording") buttons.push(element("p", `Speak, or type${ends ? `; ${ends} ends` : ""}`));
  const answered = $("offers").contains(document.activeElement);
  $("offers").replaceChildren(...buttons);
  if (answered) $("paper").focus({ preventScroll: true }); // for the keyboard: the next offers are one Tab away
  const wanted = new Set([...choices.map(({ key }) => key), ...terminators]);
  for (const key of keys) key.classList.toggle("wanted", wanted.has(key.dataset.key));
}

// --- a call begins and ends ---

const time = () => $("at")?.value.trim() ?? "";

async function call() {
  if (onCall || starting) return;
  starting = true;
  const flow = $("flow")?.value ?? "";
  try {
    await loudspeaker.open();
    await open();
    if (picture) await picture.show(flow);
  } catch (error) {
    show(error.message, "bad");
    return;
  } finally {
    starting = false;
  }
  onCall = true;
  dialled = false;
  told = 0;
  paper.clear();
  variables?.clear();
  // The keyboard stays where it was, or goes to the one button that every call has.
  if ($("dial").contains(document.activeElement)) $("call").focus({ preventScroll: true });
  enable();
  $("keep").hidden = true;
  $("nothing").hidden = true;
  if ($("record")) $("record").hidden = true;
  kept("");
  write($("outdated"), "");
  show("calling", "warm");
  ticking = setInterval(() => ($("clock").textContent = paper.clock()), 500);
  const language = $("language")?.value ?? "";
  send({ do: "dial", flow, ...(time() && { at: time() }), ...(language && { language }) });
}

// The call never began: what was asked for makes no sense.
function refused(why) {
  end(why, { ok: false });
  $("keep").hidden = true;
  $("at")?.setAttribute("aria-invalid", "true");
  $("at")?.focus();
}

function end(why, { ok }) {
  const place = document.activeElement;
  onCall = false;
  clearInterval(ticking);
  loudspeaker.stop();
  stopSpeaking();
  offer(null);
  paper.add("note", why);
  show("ended", ok ? "" : "bad");
  enable();
  lastCall = nameOf(`${$("flow")?.value ?? "call"}-${new Date().toISOString().slice(0, 19).replace(/\D/g, "")}`);
  if ($("name")) $("name").value = lastCall;
  $("keep").hidden = false;
  if (place === document.body || place.disabled) $("call").focus({ preventScroll: true });
}

function enable() {
  for (const part of [...keys, $("words"), $("say").querySelector("button")]) part.disabled = !onCall;
  for (const part of [$("flow"), $("language"), $("at")]) if (part) part.disabled = onCall;
  $("call").textContent = onCall ? "Hang up" : "Call";
  $("call").className = `button ${onCall ? "bad" : "strong"}`;
  // Leaving the page hangs up, so while a call is on, other pages open beside it.
  for (const link of document.querySelectorAll(".top a")) link.target = onCall ? "_blank" : "";
  const page = document.querySelector("main").classList;
  page.toggle("calling", onCall);
  if (onCall) page.add("called");
}

function show(words, tone) {
  $("status").textContent = words;
  $("status").className = `tag ${tone}`.trim();
}

function kept(words, tone = "") {
  write($("kept"), words, tone);
  if (words) $("kept").scrollIntoView({ block: "nearest" });
}

// The first paragraph is for people; what follows are rows, of which those with carets below them must not wrap.
function write(place, words, tone = "") {
  const [lead, ...rest] = words.split("\n\n");
  const report = element("pre");
  const rows = rest.join("\n\n").split("\n");
  const marks = (row) => /^ *\^+$/.test(row ?? "");
  report.append(
    ...rows.flatMap((row, at) => [
      at ? "\n" : "",
      marks(row) || marks(rows[at + 1]) ? element("span", row, "columns") : row,
    ]),
  );
  report.tabIndex = 0; // so that it can be scrolled by keyboard
  place.replaceChildren(element("p", lead), ...(rest.length ? [report] : []));
  place.className = tone;
  place.hidden = !words;
}

// Gives the browser a file to keep.
function hand(name, text) {
  const link = element("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

// Makes a name that a case can have of what is typed: "Toothache 1" is toothache-1.
function nameOf(typed) {
  const plain = typed.toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
  return plain.replace(/[^a-z0-9]+/g, "-").replace(/^-/, "").slice(0, 60);
}

function showLevel(level) {
  $("level").className = `level l${level}`;
}

// --- what a person does ---

$("dial").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!onCall) call();
  else send({ do: "leave" });
});
// The second click of a double one is for the button as it was at the first.
$("call").addEventListener("click", (event) => event.detail > 1 && event.preventDefault());
$("at")?.addEventListener("input", () => $("at").removeAttribute("aria-invalid"));

$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const words = $("words").value.trim();
  if (words) send({ do: "say", words });
  $("words").value = "";
});

$("microphone").addEventListener("click", async () => {
  const button = $("microphone");
  button.disabled = true; // the browser may be asking
  try {
    if (microphone.open) microphone.stop();
    else await microphone.start();
    $("ear").textContent = "";
  } catch {
    microphone.stop();
    $("ear").textContent = "There is no microphone, or its use is not allowed. Type instead.";
  }
  button.disabled = false;
  $("level").hidden = !microphone.open;
  button.setAttribute("aria-pressed", String(microphone.open));
  button.textContent = microphone.open ? "Microphone is on" : "Use the microphone";
});

// A key is held for as long as the finger stays; the keyboard's Enter and Space, and screen readers,
// press it by a click that no pointer has made.
for (const key of keys) {
  const release = () => {
    if (!key.classList.contains("held")) return;
    key.classList.remove("held");
    send({ do: "up" });
  };
  key.addEventListener("pointerdown", () => {
    if (key.disabled) return;
    key.classList.add("held");
    send({ do: "down", key: key.dataset.key });
  });
  for (const over of ["pointerup", "pointerleave", "pointercancel"]) key.addEventListener(over, release);
  key.addEventListener("click", (event) => event.detail === 0 && send({ do: "press", key: key.dataset.key }));
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, select, textarea");
  if (!onCall || typing || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const key = keys.find((one) => one.dataset.key === event.key);
  if (!key) return;
  event.preventDefault();
  key.classList.add("held");
  setTimeout(() => key.classList.remove("held"), 150);
  send({ do: "press", key: event.key });
});

$("flow")?.addEventListener("change", choose);
function choose() {
  $("about").textContent = $("flow").selectedOptions[0]?.dataset.about ?? "";
  picture.show($("flow").value);
}
if ($("flow")) choose();

$("keep").addEventListener("submit", (event) => {
  event.preventDefault();
  send({ do: "save", name: $("name").value });
});
for (const typed of ["input", "compositionend"]) {
  $("name")?.addEventListener(typed, ({ isComposing }) => {
    const field = $("name");
    const name = nameOf(field.value);
    if (isComposing || name === field.value) return;
    const place = nameOf(field.value.slice(0, field.selectionStart)).length;
    field.value = name;
    field.setSelectionRange(place, place);
  });
}
$("replay")?.addEventListener("click", () => send({ do: "replay" }));
$("write").addEventListener("click", () => send({ do: "write" }));

// For tests, which have no ears: how many seconds of sound were given out.
Object.defineProperty(window, "secondsHeard", { get: () => loudspeaker.heard });
