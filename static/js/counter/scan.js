// Labels read by the camera, one after the other: by the browser itself where it knows how (Chrome on Android), else by a
// decoder of our own (decoder.js). Without a camera the button stays away: a hand scanner types into the search box, and
// so can a person.
import { decoder } from "./decoder.js";
import { enter, tellFound } from "./goods.js";
import { title } from "./catalogue.js";
import { quantity } from "./basket.js";
import { root, say } from "./words.js";

const part = (id) => document.getElementById(id);
const [dialog, video, said] = ["scan", "scan-video", "scan-said"].map(part);
const KINDS = ["qr_code", "ean_13", "ean_8", "code_128", "code_39", "upc_a"];
/** The same label is read many times a second; a second piece is held up again. */
const AGAIN = 1800;
let stream = null;

/** The browser's own reader, or null. */
async function builtIn() {
  if (!("BarcodeDetector" in window)) return null;
  const able = await BarcodeDetector.getSupportedFormats().catch(() => []);
  const formats = KINDS.filter((kind) => able.includes(kind));
  return formats.includes("qr_code") ? new BarcodeDetector({ formats }) : null;
}

async function read(reader, camera) {
  let last = "", until = 0;
  while (stream === camera) {
    const [found] = await reader.detect(video).catch((error) => {
      if (!(error instanceof Event)) return [];
      said.textContent = say("no_reader"); // the decoder's file did not come
      return [null];
    });
    if (found === null) break;
    if (found && (found.rawValue !== last || Date.now() > until)) {
      const one = await enter(found.rawValue);
      said.textContent = one ? say("added", { title: title(one), count: quantity(one.sku) }) : part("find-said").textContent;
      last = found.rawValue;
    }
    if (found) until = Date.now() + AGAIN;
    await new Promise((resolve) => { setTimeout(resolve, 120); });
  }
  reader.end?.();
}

async function open(own) {
  said.textContent = say("scanning");
  dialog.showModal();
  try {
    const camera = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
    if (!dialog.open) return camera.getTracks().forEach((track) => track.stop());
    stream = camera;
    video.srcObject = stream;
    await video.play();
    read(own ?? decoder(root.dataset.decoder), camera);
  } catch {
    said.textContent = say("no_camera");
  }
}

export async function begin() {
  if (!navigator.mediaDevices?.getUserMedia) return;
  const own = await builtIn();
  part("scan-open").hidden = false;
  part("scan-open").addEventListener("click", () => open(own));
  dialog.addEventListener("close", () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    tellFound();
  });
}
