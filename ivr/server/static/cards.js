// Draws the cards and files of a message (activity protocol, A7). What is not known is shown by its text.

import { element, link, markdown, telephoneAddress, webAddress } from "./markup.js";

const CARD = "application/vnd.microsoft.card.";
const MOST = 50; // of anything in a list: a message must not hang the page
const ANSWERS = new Set(["imBack", "postBack", "messageBack"]);
const PAGES = new Set(["openUrl", "signin", "playAudio", "playVideo", "showImage", "downloadFile"]);

// `answer(button)` is told which button was pressed.
export function attachments(activity, answer) {
  const drawn = list(activity.attachments).map((one) => attachment(one, answer)).filter(Boolean);
  if (drawn.length < 2) return drawn;
  const carousel = activity.attachmentLayout === "carousel";
  const all = element("ul", "", carousel ? "cards carousel" : "cards");
  all.setAttribute("aria-label", `${drawn.length} cards`);
  if (carousel) all.tabIndex = 0; // can be scrolled by key
  for (const one of drawn) {
    const item = element("li");
    item.append(one);
    all.append(item);
  }
  return [all];
}

// The buttons of a message itself.
export function suggested(activity, answer) {
  return buttons(activity.suggestedActions?.actions, answer);
}

function attachment(one, answer) {
  const kind = text(one?.contentType);
  if (!kind.startsWith(CARD)) return file(kind, one);
  const content = one.content ?? {};
  switch (kind.slice(CARD.length)) {
    case "receipt":
      return receipt(content, answer);
    case "audio":
    case "video":
    case "animation":
      return card(content, answer, list(content.media).map((media) => played(kind, media?.url, content.title)));
    case "thumbnail":
      return card(content, answer, [], "thumbnail");
    default:
      return card(content, answer);
  }
}

function card(content, answer, media = [], classes = "") {
  const drawn = element("div", "", `card ${classes}`.trim());
  drawn.append(...list(content.images).map((one) => picture(one, answer)).filter(Boolean), ...media.filter(Boolean));
  for (const [name, classes_] of [["title", "name"], ["subtitle", "soft"]]) {
    if (content[name]) drawn.append(element("p", text(content[name]), classes_));
  }
  const words = content.text ?? content.fallbackText;
  if (words) drawn.append(paragraph(words));
  drawn.append(...tapped(content.tap, text(content.title) || "Open", answer), ...buttons(content.buttons, answer));
  return drawn.childNodes.length ? drawn : null;
}

function receipt(content, answer) {
  const drawn = element("div", "", "card receipt");
  if (content.title) drawn.append(element("p", text(content.title), "name"));
  const facts = list(content.facts).map((one) => [one?.key, one?.value]);
  if (facts.length) drawn.append(pairs(facts));
  const items = element("ul", "", "items");
  for (const one of list(content.items)) items.append(item(one ?? {}, answer));
  if (items.childNodes.length) drawn.append(items);
  const sums = [["Tax", content.tax], ["VAT", content.vat], ["Total", content.total]].filter(([, sum]) => sum);
  if (sums.length) drawn.append(pairs(sums, "sums"));
  drawn.append(...tapped(content.tap, text(content.title) || "Open", answer), ...buttons(content.buttons, answer));
  return drawn;
}

function item(one, answer) {
  const drawn = element("li");
  const image = picture(one.image, answer);
  const words = element("div");
  const count = one.quantity && text(one.quantity) !== "1" ? `${text(one.quantity)} × ` : "";
  words.append(element("p", `${count}${text(one.title)}`, "name"));
  if (one.subtitle) words.append(element("p", text(one.subtitle), "soft"));
  if (one.text) words.append(paragraph(one.text));
  words.append(...tapped(one.tap, text(one.title) || "Open", answer));
  drawn.append(...(image ? [image] : []), words, element("p", text(one.price), "price"));
  return drawn;
}

function pairs(all, classes = "") {
  const drawn = element("dl", "", classes);
  for (const [name, value] of all) drawn.append(element("dt", text(name)), element("dd", text(value)));
  return drawn;
}

// --- pictures and files ---

function picture(one, answer) {
  const address = webAddress(one?.url);
  if (!address) return null;
  const drawn = element("img");
  drawn.loading = "lazy"; // before its address, or it would be fetched at once
  drawn.referrerPolicy = "no-referrer";
  drawn.alt = text(one.alt);
  drawn.addEventListener("error", () => drawn.alt && drawn.replaceWith(element("p", drawn.alt, "soft")));
  drawn.src = address;
  const page = one.tap && PAGES.has(one.tap.type) && webAddress(one.tap.value);
  if (!page) {
    const [button] = one.tap ? buttons([{ title: drawn.alt || "Choose", ...one.tap }], answer) : [];
    if (!button) return drawn;
    const both = element("div");
    both.append(drawn, button);
    return both;
  }
  const around = link(page, "");
  if (!drawn.alt) around.setAttribute("aria-label", text(one.tap.title) || "Open the picture's page");
  around.append(drawn);
  return around;
}

function file(kind, one) {
  const address = webAddress(one?.contentUrl);
  const name = text(one?.name) || "File";
  if (!address) return one?.name ? element("p", name) : null;
  if (kind.startsWith("image/")) return picture({ url: address, alt: text(one.name) }, null);
  if (/^(audio|video)\//.test(kind)) return played(kind, address, one.name);
  return link(address, name);
}

function played(kind, from, name) {
  const address = webAddress(from);
  if (!address) return null;
  const drawn = element(kind.includes("video") || kind.includes("animation") ? "video" : "audio");
  drawn.controls = true;
  drawn.preload = "none";
  drawn.src = address;
  drawn.setAttribute("aria-label", text(name) || "Recording");
  return drawn;
}

// --- buttons ---

function tapped(tap, name, answer) {
  return tap ? buttons([{ title: name, ...tap }], answer) : [];
}

function buttons(all, answer) {
  const drawn = list(all).map((one) => button(one ?? {}, answer)).filter(Boolean);
  if (!drawn.length) return [];
  const group = element("div", "", "actions");
  group.append(...drawn);
  return [group];
}

function button(one, answer) {
  const title = text(one.title) || text(one.value);
  if (!title) return null;
  if (ANSWERS.has(one.type)) {
    const drawn = element("button", title, "button small answer");
    drawn.type = "button";
    drawn.addEventListener("click", () => answer(one));
    return drawn;
  }
  const address = PAGES.has(one.type) ? webAddress(one.value) : one.type === "call" ? telephoneAddress(one.value) : null;
  if (!address) return element("span", title, "soft");
  const drawn = link(address, title);
  drawn.className = "button small";
  if (one.type === "call") drawn.removeAttribute("target");
  return drawn;
}

// --- values of which nobody promises the kind ---

function list(value) {
  return Array.isArray(value) ? value.slice(0, MOST) : [];
}

function text(value) {
  return ["string", "number"].includes(typeof value) ? String(value) : "";
}

function paragraph(words) {
  const drawn = element("p", "", "words");
  drawn.append(markdown(text(words)));
  return drawn;
}
