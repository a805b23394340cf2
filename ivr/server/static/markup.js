// What a message says, as nodes of the page. A stranger's words never become markup: each piece is put in as text, and
// the few elements that there are for it are made one by one.

const PIECE = /\\([!-/:-@[-`{-~])|\[([^\][]{1,300})\]\(([^()\s]{1,2000})\)|(\*\*|__|\*|_)/g;
const TAG = /<(\/?)(b|i|u|s|ss)(?:\s[^<>]{0,100})?>|<a\s+href="([^"<>]{1,2000})"\s*>|<\/a>/gi;
const ENTITIES = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&#x27;": "'", "&apos;": "'", "&amp;": "&" };
const CALLABLE = /^(tel:\+?[0-9().*#-]{1,40}|skype:[\w.:,+-]{1,100}(\?call)?)$/;

// The addresses that a message may lead to: of the web with TLS, and of this very server. Else null.
export function webAddress(text) {
  try {
    const url = new URL(String(text ?? ""));
    return url.protocol === "https:" || url.origin === location.origin ? url.href : null;
  } catch {
    return null;
  }
}

export function telephoneAddress(text) {
  return CALLABLE.test(String(text ?? "")) ? String(text) : null;
}

export function element(name, text = "", classes = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (classes) made.className = classes;
  return made;
}

// Another page opens beside this one, and is told nothing of it.
export function link(address, text) {
  const made = element("a", text);
  made.href = address;
  made.target = "_blank";
  made.rel = "noopener noreferrer";
  return made;
}

// Bold, italic, and links: the part of Markdown that cannot be mistaken for anything else.
export function markdown(text) {
  const root = document.createDocumentFragment();
  const open = [{ node: root, mark: "" }];
  const here = () => open[open.length - 1].node;
  let read = 0;
  for (const found of text.matchAll(PIECE)) {
    here().append(text.slice(read, found.index));
    read = found.index + found[0].length;
    const [whole, escaped, words, address, mark] = found;
    if (escaped) here().append(escaped);
    else if (words !== undefined) here().append(webAddress(address) ? link(webAddress(address), words) : whole);
    else emphasis(open, mark, text, found.index);
  }
  here().append(text.slice(read));
  while (open.length > 1) unmade(open); // what was begun and never ended is no emphasis
  return root;
}

function emphasis(open, mark, text, index) {
  const { node, mark: begun } = open[open.length - 1];
  const [before, after] = [text[index - 1] ?? " ", text[index + mark.length] ?? " "];
  if (begun === mark && !/\s/.test(before)) {
    open.pop();
    return;
  }
  const begins = !/\s/.test(after) && (mark[0] === "*" || !/\w/.test(before)); // snake_case is no emphasis
  if (!begins || open.some((one) => one.mark === mark) || open.length > 8) {
    node.append(mark);
    return;
  }
  const made = element(mark.length === 2 ? "strong" : "em");
  node.append(made);
  open.push({ node: made, mark });
}

function unmade(open) {
  const { node, mark } = open.pop();
  node.replaceWith(mark, ...node.childNodes);
}

// The tags of Skype's `xml`; others are shown as they stand.
export function xml(text) {
  const root = document.createDocumentFragment();
  const open = [root];
  let read = 0;
  for (const found of text.matchAll(TAG)) {
    const here = open[open.length - 1];
    here.append(unescaped(text.slice(read, found.index)));
    read = found.index + found[0].length;
    const [whole, closing, name, address] = found;
    if (closing || whole.toLowerCase() === "</a>") {
      if (open.length > 1) open.pop();
      continue;
    }
    const made = name ? element({ ss: "span" }[name.toLowerCase()] ?? name.toLowerCase()) : anchor(unescaped(address));
    here.append(made);
    if (open.length < 9) open.push(made);
  }
  open[open.length - 1].append(unescaped(text.slice(read)));
  return root;
}

function anchor(address) {
  const good = webAddress(address);
  return good ? link(good, "") : element("span");
}

function unescaped(text) {
  return text.replace(/&(?:lt|gt|quot|#39|#x27|apos|amp);/g, (entity) => ENTITIES[entity]);
}

// A text in the format that its message names; without one it is Markdown (activity protocol, textFormat).
export function written(text, format) {
  const whole = String(text);
  if (format === "plain") return document.createTextNode(whole);
  return format === "xml" ? xml(whole) : markdown(whole);
}
