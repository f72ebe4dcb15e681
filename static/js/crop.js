// A frame on the photo, moved by mouse, finger or arrow keys; it writes the four numbers, which work without it.
const stage = document.querySelector("[data-cut]");
const form = document.querySelector("[data-cut-form]");
const { left, top: above, right, bottom } = form.elements;
const LEAST = 50;
const frame = document.createElement("div");
frame.className = "cut__frame";
stage.append(frame);
const corners = [[left, above], [right, above], [left, bottom], [right, bottom]].map(([x, y]) => {
  const grip = document.createElement("button");
  grip.type = "button";
  grip.className = "cut__grip";
  grip.setAttribute("aria-label", `${x.labels[0].textContent} · ${y.labels[0].textContent}`);
  stage.append(grip);
  return { grip, x, y };
});
const number = (input) => Math.min(1000, Math.max(0, Math.round(Number(input.value)) || 0));
const percent = (value) => `${value / 10}%`;

function draw() {
  frame.style.left = percent(number(left));
  frame.style.top = percent(number(above));
  frame.style.width = percent(number(right) - number(left));
  frame.style.height = percent(number(bottom) - number(above));
  for (const { grip, x, y } of corners) { grip.style.left = percent(number(x)); grip.style.top = percent(number(y)); }
}

function put(input, value) {
  const low = input === right ? number(left) + LEAST : input === bottom ? number(above) + LEAST : 0;
  const high = input === left ? number(right) - LEAST : input === above ? number(bottom) - LEAST : 1000;
  input.value = Math.round(Math.min(high, Math.max(low, value)));
}

function drag(handle, move) {
  handle.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    handle.focus?.();
    handle.setPointerCapture(event.pointerId);
    const from = { x: event.clientX, y: event.clientY, edges: [left, above, right, bottom].map(number) };
    const { width, height } = stage.getBoundingClientRect();
    const step = (at) => { move((at.clientX - from.x) / width * 1000, (at.clientY - from.y) / height * 1000, from.edges); draw(); };
    handle.addEventListener("pointermove", step);
    handle.addEventListener("lostpointercapture", () => handle.removeEventListener("pointermove", step), { once: true });
  });
}

for (const { grip, x, y } of corners) {
  drag(grip, (dx, dy, [l, t, r, b]) => { put(x, (x === left ? l : r) + dx); put(y, (y === above ? t : b) + dy); });
  grip.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10] }[event.key];
    if (!by) return;
    event.preventDefault();
    put(x, number(x) + by[0]);
    put(y, number(y) + by[1]);
    draw();
  });
}
drag(frame, (dx, dy, [l, t, r, b]) => {
  const x = Math.min(1000 - r, Math.max(-l, dx)), y = Math.min(1000 - b, Math.max(-t, dy));
  [left.value, right.value, above.value, bottom.value] = [l + x, r + x, t + y, b + y].map(Math.round);
});
form.addEventListener("input", draw);
draw();
