// One conversation with the server: what is written goes there once, in order, and what is said is fetched, once.
// It lives as long as its tab: what is needed to go on with it is in the tab's own memory (sessionStorage).

const SHORTEST = 500; // milliseconds between two tries, twice as long each time
const LONGEST = 15_000;
const KEPT = 200; // of what was written here
const SERVICE = "page:";

const nothing = () => ({ wrote: [], owed: [] });
const chance = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(15))));
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

export class Conversation {
  // `name` is that of its place in the tab's memory. `begin(before)` asks the server for it; `on` is told:
  // said(activity), wrote(message), over(reason), reaches(bool)
  constructor(name, begin, on) {
    this.place = `ivr-chat ${name}`;
    this.begin = begin;
    this.on = on;
    this.kept = this.remembered();
    this.ready = false; // it can be written to
    this.closed = false;
    this.failures = 0;
    this.seen = new Set(); // what was said, by its id
    this.told = new Set(); // of what was written here
    this.awake = () => {};
    addEventListener("online", () => this.awake());
    document.addEventListener("visibilitychange", () => this.awake());
  }

  // Begins, or goes on: what was said and written before is told again, in its order.
  async open() {
    const begun = await this.begin(this.kept.begun?.token ?? "");
    if (begun.conversation !== this.kept.begun?.conversation) this.kept = nothing();
    this.taken(begun);
    this.ready = true;
    if (!this.kept.joined) {
      this.kept.joined = true;
      this.post({ type: "conversationUpdate", membersAdded: [{ id: begun.user }], locale: navigator.language });
    }
    this.last = "";
    this.tellWritten("");
    this.flush();
    this.listen();
  }

  close() {
    this.closed = true;
    this.asking?.abort();
    this.awake();
  }

  forget() {
    this.kept = nothing();
    this.keep();
  }

  // Writes a message; `shown` is what is seen of it here, "" if nothing is.
  write(shown, members) {
    const message = { shown, after: this.last };
    this.kept.wrote = [...this.kept.wrote, message].slice(-KEPT);
    this.tell(message);
    this.post({ type: "message", textFormat: "plain", ...members });
    this.flush();
  }

  leave() {
    this.post({ type: "endOfConversation" });
    return this.flush();
  }

  // --- to the server ---

  post(members) {
    const { conversation, user } = this.kept.begun;
    this.kept.owed.push({
      id: chance(), // the same each time that it is sent: so it is taken once
      channelId: "page",
      serviceUrl: SERVICE,
      from: { id: user },
      recipient: { id: "bot" },
      conversation: { id: conversation },
      ...members,
    });
    this.keep();
  }

  async flush() {
    if (this.flushing) return;
    this.flushing = true;
    while (this.kept.owed.length && !this.closed) {
      const [first] = this.kept.owed;
      const { flow } = this.kept.begun;
      const answer = await this.asked(flow ? `/chat/messages/${encodeURIComponent(flow)}` : "/chat/messages", first);
      if (answer === null) continue;
      if (!answer.ok) this.on.refused?.(answer.status);
      this.kept.owed.shift();
      this.keep();
    }
    this.flushing = false;
  }

  // --- from the server ---

  async listen() {
    while (!this.closed) {
      const answer = await this.asked(`/chat/activities?after=${encodeURIComponent(this.last)}`);
      if (answer === null) continue;
      const found = answer.ok ? (await answer.json().catch(() => ({}))).activities ?? [] : [];
      for (const activity of found) {
        if (this.closed || this.seen.has(activity.id)) continue;
        this.seen.add(activity.id);
        this.last = activity.id;
        this.on.said(activity);
        this.tellWritten(activity.id);
      }
      if (!answer.ok) await this.rest();
    }
  }

  // Tells what was written before this tab was loaded, each after what it followed.
  tellWritten(last) {
    for (const message of this.kept.wrote) {
      if (message.after === last && !this.told.has(message)) this.tell(message);
    }
  }

  tell(message) {
    this.told.add(message);
    this.on.wrote(message);
  }

  // Returns the server's answer; null: there is none that counts, and it may be asked again.
  async asked(address, body) {
    await this.renew();
    const answer = await this.fetched(address, body);
    if (answer === null || answer.status >= 500 || answer.status === 429 || answer.status === 408) {
      this.failures += 1;
      if (this.failures > 1 && !this.closed) this.on.reaches(false);
      await this.rest();
      return null;
    }
    if (this.failures > 1) this.on.reaches(true);
    this.failures = 0;
    if (answer.status === 401) {
      this.close();
      this.on.over();
      return null;
    }
    return answer;
  }

  async fetched(address, body) {
    const fields = { Authorization: `Bearer ${this.kept.begun.token}` };
    if (body) fields["Content-Type"] = "application/json";
    const asking = new AbortController();
    if (!body) this.asking = asking;
    const late = setTimeout(() => asking.abort(), 40_000);
    try {
      return await fetch(address, {
        method: body ? "POST" : "GET",
        headers: fields,
        body: body && JSON.stringify(body),
        cache: "no-store",
        credentials: "omit",
        signal: asking.signal,
      });
    } catch {
      return null;
    } finally {
      clearTimeout(late);
    }
  }

  // Waits before another try: any time up to twice the last one, so that not all come at once.
  async rest() {
    const pause = Math.min(LONGEST, SHORTEST * 2 ** Math.min(this.failures, 6));
    await Promise.race([sleep(pause * (0.5 + Math.random() / 2)), new Promise((done) => (this.awake = done))]);
  }

  async renew() {
    if (Date.now() < this.kept.renew || this.closed) return;
    this.kept.renew = Date.now() + 60_000; // if this fails, the token may be good for a while yet
    const answer = await this.fetched("/chat/renewals", {});
    if (answer?.ok) this.taken(await answer.json());
  }

  taken(begun) {
    this.kept.begun = begun;
    this.kept.renew = Date.now() + begun.life * 500;
    this.keep();
  }

  // --- the tab's memory ---

  remembered() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.place));
      if (kept?.begun) return kept;
    } catch {
      // none is there, or the browser keeps nothing for a frame: then it lasts as long as the page
    }
    return nothing();
  }

  keep() {
    try {
      sessionStorage.setItem(this.place, JSON.stringify(this.kept));
    } catch {
      // as above
    }
  }
}
