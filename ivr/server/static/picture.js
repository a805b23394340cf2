// Keeps what is written in the picture of a flow readable: a picture that is too wide for its place shrinks a little,
// and is scrolled where that is not enough.

const LEAST = 0.82; // of its size: letters of 9 pixels, the smallest there are

export function fit(place) {
  for (const drawn of place.querySelectorAll("svg.flow")) {
    drawn.style.minWidth = `${Math.round(drawn.viewBox.baseVal.width * LEAST)}px`;
  }
}

// Brings a box of the picture into sight, and leaves alone what is in sight already. The page itself stays.
export function reveal(box, place) {
  const { top, bottom, left, right } = box.getBoundingClientRect();
  const frame = place.getBoundingClientRect();
  if (top < frame.top || bottom > frame.bottom) place.scrollTop += (top + bottom - frame.top - frame.bottom) / 2;
  if (left < frame.left || right > frame.right) place.scrollLeft += (left + right - frame.left - frame.right) / 2;
}
