// Served at /sw.js while SERVICE_WORKER=off: whoever has a worker gets this one, which takes all of it away.
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil((async () => {
  const ours = (await caches.keys()).filter((name) => name.startsWith("shop-"));
  await Promise.all(ours.map((name) => caches.delete(name)));
  await registration.unregister();
})()));
