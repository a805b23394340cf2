// Shows the chat of this server inside a page of another site, in a frame of its own: neither can read the other.
//
//   <script src="…/chat/embed.js" data-token="…" data-label="Chat with us" defer></script>
//
// `data-token` is a token of this visitor, which the site's server has asked for. With `data-token-url`, an address of
// the site that answers with such a token, it is fetched when the chat is opened, and again when it has expired.

(() => {
  const script = document.currentScript;
  const chat = new URL(script.src).origin;
  const { token = "", tokenUrl = "", label = "Chat" } = script.dataset;
  const narrow = matchMedia("(max-width: 30rem), (max-height: 26rem)");
  let frame = null;
  let ready = false; // it is this server's page

  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.setAttribute("aria-expanded", "false");
  Object.assign(button.style, {
    position: "fixed", right: "1rem", bottom: "1rem", zIndex: "2147483000", padding: ".8rem 1.2rem", border: "0",
    borderRadius: "2rem", background: "#2559c7", color: "#ffffff", font: "600 1rem system-ui, sans-serif",
    cursor: "pointer", boxShadow: "0 .2rem .8rem rgb(0 0 0 / 30%)",
  });

  function place() {
    if (!frame) return;
    const whole = narrow.matches;
    Object.assign(frame.style, {
      position: "fixed", zIndex: "2147483001", border: "0", colorScheme: "normal",
      right: whole ? "0" : "1rem", bottom: whole ? "0" : "5rem",
      width: whole ? "100%" : "24rem", height: whole ? "100%" : "min(38rem, calc(100% - 6rem))",
      borderRadius: whole ? "0" : ".9rem", boxShadow: "0 .3rem 1.5rem rgb(0 0 0 / 35%)",
    });
  }

  function tell(message) {
    frame?.contentWindow?.postMessage(message, chat); // to this server's frame, and to no other
  }

  async function give(fresh) {
    if (!tokenUrl) {
      tell(fresh ? { ivrChat: "none" } : { ivrChat: "token", token });
      return;
    }
    const answer = await fetch(tokenUrl, { credentials: "same-origin", cache: "no-store" }).catch(() => null);
    tell(answer?.ok ? { ivrChat: "token", token: (await answer.text()).trim() } : { ivrChat: "none" });
  }

  function open() {
    if (!frame) {
      frame = document.createElement("iframe");
      frame.title = label;
      frame.src = `${chat}/chat/frame#${encodeURIComponent(location.origin)}`;
      place();
      document.body.append(frame);
    }
    frame.style.display = "block";
    button.setAttribute("aria-expanded", "true");
    frame.focus();
    if (ready) tell({ ivrChat: "opened" });
  }

  function close() {
    frame.style.display = "none";
    button.setAttribute("aria-expanded", "false");
    button.focus();
  }

  addEventListener("message", ({ source, origin, data }) => {
    if (!frame || source !== frame.contentWindow || origin !== chat) return;
    if (data?.ivrChat === "ready") {
      ready = true;
      give(false);
      tell({ ivrChat: "opened" });
    } else if (data?.ivrChat === "renew") give(true);
    else if (data?.ivrChat === "close") close();
  });
  narrow.addEventListener("change", place);
  button.addEventListener("click", () => (frame && frame.style.display !== "none" ? close() : open()));
  document.body.append(button);
})();
