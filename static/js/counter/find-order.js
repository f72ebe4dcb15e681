// A buyer's code read by the camera, where the browser knows how; the page then looks for that order. Elsewhere the
// button stays away: a hand scanner types into the field, and so can a person.
const part = (id) => document.getElementById(id);
const [dialog, video] = [part("scan-view"), part("scan-picture")];
let stream = null;

function stop() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
}

async function read(detector) {
  while (stream) {
    const [found] = await detector.detect(video).catch(() => []);
    if (found?.rawValue) {
      part("find-order").elements.q.value = found.rawValue;
      dialog.close();
      part("find-order").requestSubmit();
      return;
    }
    await new Promise((resolve) => { setTimeout(resolve, 150); });
  }
}

async function open(detector) {
  part("scan-none").hidden = true;
  dialog.showModal();
  try {
    const camera = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
    if (!dialog.open) return camera.getTracks().forEach((track) => track.stop());
    stream = camera;
    video.srcObject = stream;
    await video.play();
    read(detector);
  } catch {
    part("scan-none").hidden = false;
  }
}

if ("BarcodeDetector" in window && navigator.mediaDevices?.getUserMedia) {
  const able = await BarcodeDetector.getSupportedFormats().catch(() => []);
  if (able.includes("qr_code")) {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    part("scan-order").hidden = false;
    part("scan-order").addEventListener("click", () => open(detector));
    dialog.addEventListener("close", stop);
  }
}
