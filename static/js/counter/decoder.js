// What BarcodeDetector does, for browsers that have none: the same `detect`, of QR codes alone, which is what our labels
// carry. The decoder is fetched when it is first asked for; the counter's service worker keeps it for when there is no line.

/** Points across of the picture that is read: the square that the page shows. More is slower, not better. */
const ACROSS = 640;

/** `{ detect(source) → [{ rawValue }], end() }` of a video or a canvas; `detect` throws when the decoder cannot start. */
export function decoder(address) {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const thread = new Worker(address, { type: "module" });

  async function detect(source) {
    const [width, height] = [source.videoWidth ?? source.width, source.videoHeight ?? source.height];
    const side = Math.min(width, height);
    if (!side) return [];
    canvas.width = canvas.height = Math.min(side, ACROSS);
    context.drawImage(source, (width - side) / 2, (height - side) / 2, side, side, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const rawValue = await new Promise((done, failed) => {
      thread.onmessage = (answer) => done(answer.data);
      thread.onerror = failed;
      thread.postMessage({ data, width: canvas.width, height: canvas.height }, [data.buffer]);
    });
    return rawValue ? [{ rawValue }] : [];
  }

  return { detect, end: () => thread.terminate() };
}
