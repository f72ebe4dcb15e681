// Lets this device be told (seller/notices.html). The worker that shows what arrives is the shop's own, sw.js.
const form = document.querySelector("[data-push]");
const say = (name) => {
  for (const part of form.querySelectorAll("[data-push-say]")) part.hidden = part.dataset.pushSay !== name;
};

async function subscribe() {
  say("wait");
  try {
    if (await Notification.requestPermission() !== "granted") return say("denied");
    await navigator.serviceWorker.register("/sw.js");
    const worker = await navigator.serviceWorker.ready;
    const asked = { userVisibleOnly: true, applicationServerKey: form.dataset.push };
    // One that was made with another key is of no use any more.
    const made = await worker.pushManager.subscribe(asked).catch(async () => {
      await (await worker.pushManager.getSubscription())?.unsubscribe();
      return worker.pushManager.subscribe(asked);
    });
    const { endpoint, keys } = made.toJSON();
    for (const [name, value] of Object.entries({ endpoint, ...keys })) form.elements[name].value = value;
    form.submit();
  } catch {
    say("failed");
  }
}

if (form) {
  const able = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  say(!able ? "cannot" : Notification.permission === "denied" ? "denied" : "can");
  form.addEventListener("submit", (event) => { event.preventDefault(); subscribe(); });
}
