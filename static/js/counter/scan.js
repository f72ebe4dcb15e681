// Labels read by the camera, one after the other, where the browser knows how (Chrome on Android does). Elsewhere the
// button stays away: a hand scanner types into the search box, and so can a person.
import { enter, tellFound } from "./goods.js";
import { title } from "./catalogue.js";
import { quantity } from "./basket.js";
import { say } from "./words.js";

const part = (id) => document.getElementById(id);
const [dialog, video, said] = ["scan", "scan-video", "scan-said"].map(part);
const KINDS = ["qr_code", "ean_13", "ean_8", "code_128", "code_39", "upc_a"];
/** The same label is read many times a second; a second piece is held up again. */
const AGAIN = 1800;
let stream = null;

async function read(detector) {
  let last = "", until = 0;
  while (stream) {
    const [found] = await detector.detect(video).catch(() => []);
    if (found && (found.rawValue !== last || Date.now() > until)) {
      const one = await enter(found.rawValue);
      said.textContent = one ? say("added", { title: title(one), count: quantity(one.sku) }) : part("find-said").textContent;
      last = found.rawValue;
    }
    if (found) until = Date.now() + AGAIN;
    await new Promise((resolve) => { setTimeout(resolve, 120); });
  }
}

async function open(detector) {
  said.textContent = say("scanning");
  dialog.showModal();
  try {
    const camera = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
    if (!dialog.open) return camera.getTracks().forEach((track) => track.stop());
    stream = camera;
    video.srcObject = stream;
    await video.play();
    read(detector);
  } catch {
    said.textContent = say("no_camera");
  }
}

export async function begin() {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return;
  const able = await BarcodeDetector.getSupportedFormats().catch(() => []);
  const formats = KINDS.filter((kind) => able.includes(kind));
  if (!formats.includes("qr_code")) return;
  const detector = new BarcodeDetector({ formats });
  part("scan-open").hidden = false;
  part("scan-open").addEventListener("click", () => open(detector));
  dialog.addEventListener("close", () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    tellFound();
  });
}
