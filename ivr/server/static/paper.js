// What can be read of a call: the conversation, what can be answered, and the flow's picture.
// Whatever a bot says is text: it is put in as `textContent`, never as markup.

import { fit, reveal } from "./picture.js";

export function element(name, text = "", classes = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (classes) made.className = classes;
  return made;
}

export class Paper {
  // `speaker` is who speaks to the caller, for those who do not see on which side it stands.
  constructor(list, scroll, speaker) {
    this.list = list;
    this.scroll = scroll;
    this.speaker = speaker[0].toUpperCase() + speaker.slice(1);
    this.begun = 0;
    this.last = null;
    this.follows = true;
    scroll.addEventListener("scroll", () => (this.follows = this.isAtEnd()));
    new ResizeObserver(() => this.follow()).observe(scroll); // what stands below it comes and goes
  }

  isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroll;
    return scrollHeight - scrollTop - clientHeight < 60;
  }

  follow() {
    if (this.follows) this.scroll.scrollTop = this.scroll.scrollHeight;
  }

  clear() {
    this.list.replaceChildren();
    this.follows = true;
    this.begun = performance.now(); // no clock of the day, which may be set back
    this.last = null;
  }

  // Adds to what the caller is doing already (key after key), or begins a new line.
  // Whoever has scrolled back to read is left alone.
  add(who, text, { join = "" } = {}) {
    const said = this.last;
    if (join && said?.join === join) {
      said.span.append(text);
    } else {
      const line = element("li", "", who);
      const span = element("span", join ? `${join} ${text}` : text, who === "note" ? "" : "said");
      line.append(span);
      if (who === "flow") span.prepend(element("span", `${this.speaker}: `, "only-read"));
      if (who === "caller") span.prepend(element("span", "You ", "only-read"));
      if (who !== "note") line.append(element("span", this.clock(), "when"));
      this.list.append(line);
      this.last = { join, span };
    }
    this.follow();
    return this.last.span;
  }

  clock() {
    const seconds = Math.floor((performance.now() - this.begun) / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }
}

export class Picture {
  constructor(place, where) {
    this.place = place;
    this.where = where;
    this.flow = "";
  }

  async show(flow) {
    this.flow = flow;
    const answer = await fetch(`/phone/picture/${encodeURIComponent(flow)}`);
    if (!answer.ok) return;
    const drawn = new DOMParser().parseFromString(await answer.text(), "image/svg+xml").documentElement;
    if (flow !== this.flow) return; // another one was chosen meanwhile
    this.place.replaceChildren(document.adoptNode(drawn));
    fit(this.place);
    this.where.textContent = "";
  }

  light({ state, states, transitions, over, outcome }) {
    const been = new Set(states);
    const taken = new Set(transitions.map(([from, to]) => `${from}\n${to}`));
    for (const box of this.place.querySelectorAll(".state")) {
      box.classList.toggle("been", been.has(box.dataset.state));
      box.classList.toggle("lit", !over && box.dataset.state === state);
    }
    for (const way of this.place.querySelectorAll(".way")) {
      way.classList.toggle("been", taken.has(`${way.dataset.from}\n${way.dataset.to}`));
    }
    this.where.textContent = over ? `ended: ${outcome ?? "no outcome"}` : `now: ${state}`;
    const lit = this.place.querySelector(".state.lit");
    if (lit) reveal(lit, this.place);
  }
}

// What the flow remembers of the call. What is private never comes here; that it is there is all that is told.
export class Variables {
  constructor(list, frame) {
    this.list = list;
    this.frame = frame;
    this.rows = new Map();
  }

  clear() {
    this.list.replaceChildren();
    this.rows.clear();
    this.frame.hidden = true;
  }

  show(variables) {
    this.frame.hidden = !variables.length;
    for (const { name, value, sealed } of variables) {
      const words = sealed ? "sealed" : value || "–";
      const known = this.rows.get(name);
      const row = known ?? this.add(name);
      if (row.textContent === words) continue;
      row.textContent = words;
      row.className = sealed || !value ? "soft" : known ? "changed" : "";
      row.title = sealed ? "It is sensitive, and shown nowhere." : "";
    }
  }

  add(name) {
    const row = element("div");
    const value = element("dd");
    row.append(element("dt", name), value);
    this.list.append(row);
    this.rows.set(name, value);
    return value;
  }
}
