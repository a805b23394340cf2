// Makes a part of a page what it has become, and leaves alone what has not changed: so the keyboard's place, selected
// text, scrolled boxes and sounds that play stay as they are.
// Elements with `data-key` are found again by it, wherever they stand now; others by their place and name.

export function renew(part, next) {
  if (part.nodeType !== Node.ELEMENT_NODE) {
    if (part.data !== next.data) part.data = next.data;
    return;
  }
  for (const { name } of [...part.attributes]) {
    // No style comes from the server: what there is of it, a script of the page has set.
    if (name !== "style" && !next.hasAttribute(name)) part.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (part.getAttribute(name) === value) continue;
    if (part instanceof HTMLMediaElement && name === "src") move(part, value);
    else part.setAttribute(name, value);
  }
  renewContent(part, next);
}

// The address of a recording is good for a while only. Whoever listens goes on with the old one; whoever stopped goes
// on where they stopped.
function move(sound, address) {
  if (!sound.paused) return;
  const heard = sound.currentTime;
  sound.src = address;
  if (heard) sound.currentTime = heard;
}

// Where browsers can, an element moves as it is; elsewhere the move takes the keyboard's place from it.
function put(part, child, place) {
  if (part.moveBefore) part.moveBefore(child, place);
  else part.insertBefore(child, place);
}

const keyOf = (node) => node.dataset?.key;

function renewContent(part, next) {
  const wanted = [...next.childNodes];
  const keys = new Set(wanted.map(keyOf));
  const known = new Map();
  for (const child of [...part.childNodes]) {
    if (keyOf(child) === undefined) continue;
    if (keys.has(keyOf(child))) known.set(keyOf(child), child);
    else child.remove();
  }
  let place = part.firstChild;
  for (const child of wanted) {
    const same = keyOf(child) === undefined ? place : known.get(keyOf(child));
    if (!same || same.nodeName !== child.nodeName || keyOf(same) !== keyOf(child)) {
      part.insertBefore(document.adoptNode(child), place);
      continue;
    }
    if (same === place) place = place.nextSibling;
    else put(part, same, place);
    renew(same, child);
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}
