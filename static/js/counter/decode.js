// A thread of its own that finds QR codes in pictures, for browsers that cannot (every iPhone, Firefox): a picture
// may take a fraction of a second, and the page must go on meanwhile. Started by decoder.js when the camera opens.
import { binarize, Decoder, Detector, grayscale } from "../../vendor/nuintun-qrcode-5.0.3.min.js";

/** Places of one picture that are tried. A code is nearly always the first; a blurred one is left for the next picture. */
const MOST = 6;
const detector = new Detector(), decoder = new Decoder();

function read({ data, width, height }) {
  const places = detector.detect(binarize(grayscale({ data, width, height }), width, height));
  for (let place = places.next(), tries = 0; !place.done && tries < MOST; place = places.next(false), tries += 1) {
    try { return decoder.decode(place.value.matrix).content; } catch { /* three squares that are no code */ }
  }
  return null;
}

onmessage = ({ data }) => postMessage(read(data));
