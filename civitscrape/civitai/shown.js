// Waits until an image's page shows its tags, and tells how that ended: "shown", "none" (its call was answered, and it
// shows no tags), "hidden" (the page shows no image to this caller) or "late". Names of tags that are not known are asked
// for as the page itself asks.
async ([known, patience]) => {
  const links = () => [...document.querySelectorAll('a[data-activity="tag-click:image"]')];
  const answered = () =>
    performance.getEntriesByType("resource").filter((one) => one.name.includes("/tag.getVotableTags") && one.responseEnd);

  // The page's data, in either of its encodings: without the image there will be no tags.
  const imageless = () => {
    try {
      const state = JSON.parse(document.getElementById("__NEXT_DATA__").textContent).props.pageProps.trpcState;
      if (typeof state === "string") return !JSON.parse(state).includes("get");
      const image = state.json.queries.find((one) => one.queryKey[0].join(".") === "image.get");
      return !image || !(image.state.data.nsfwLevel & 1);
    } catch {
      return true;
    }
  };

  // What the page heard cannot be seen from here, and a call that failed leaves it as bare as one without tags.
  const heard = async () => {
    const url = answered().at(-1).name;
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(patience) });
      return { url, status: answer.status, text: await answer.text() };
    } catch (error) {
      return { url, status: 0, text: String(error) };
    }
  };

  const begun = performance.now();
  const outcome = () => {
    if (links().length) return "shown";
    const at = performance.now();
    if (answered().some((one) => at - one.responseEnd > 500)) return "none";
    return at - begun > patience ? "late" : null;
  };
  if (imageless()) return { state: "hidden", names: null };
  const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
  while (outcome() === null) await pause();
  const call = outcome() === "none" ? await heard() : null;
  // A busy machine may show late what the call has told.
  while (call?.text.includes("nsfwLevel") && !links().length && performance.now() - begun < patience) await pause();

  const ids = links().map((one) => Number(new URL(one.href).searchParams.get("tags")));
  const nameless = ids.filter((id) => id && !known.includes(id)).slice(0, 50);
  if (!nameless.length) return { state: outcome(), names: null, call };
  const input = Object.fromEntries(nameless.map((id, place) => [place, { json: { id } }]));
  const calls = nameless.map(() => "tag.getById").join(",");
  const answer = await fetch(`/api/trpc/${calls}?batch=1&input=${encodeURIComponent(JSON.stringify(input))}`);
  return { state: outcome(), names: await answer.text() };
}
