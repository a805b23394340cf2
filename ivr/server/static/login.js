// The address that `ivr serve --dev` prints ends in #<token>: that part never leaves the browser by itself, stands in
// no log, and is put into the form here.

function enter() {
  const token = location.hash.slice(1);
  if (!token) return;
  history.replaceState(null, "", location.pathname);
  document.querySelector("input[name=token]").value = token;
  document.querySelector("form").requestSubmit();
}

addEventListener("hashchange", enter); // the address was opened where this page stood already
enter();
