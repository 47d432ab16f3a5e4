// The tags of an image's page, as the site's own page makes them: by script, after the call that tells them.
(async () => {
  const group = document.getElementById("image-tags");
  const { id, video, green } = group.dataset;

  // Both encodings of an answer; of devalue only what this answer holds.
  const opened = (data) => {
    if (typeof data !== "string") return data.json;
    const flat = JSON.parse(data);
    const revived = (at) => {
      const value = at < 0 ? undefined : flat[at];
      if (Array.isArray(value)) return value[0] === "Date" ? value[1] : value.map(revived);
      if (value === null || typeof value !== "object") return value;
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, revived(one)]));
    };
    return revived(0);
  };

  const badge = (text) => {
    const made = document.createElement("div");
    made.className = "badge";
    made.textContent = text;
    return made;
  };

  const tagged = (tag) => {
    const link = document.createElement("a");
    link.dataset.activity = "tag-click:image";
    link.href = `/${video ? "videos" : "images"}?tags=${tag.id}&view=feed`;
    if (tag.concrete !== false) link.title = `Score: ${tag.score}`;
    link.textContent = names[tag.id] ?? tag.name;
    const made = badge("");
    made.append(document.createElement("button"), link, document.createElement("button"));
    return made;
  };

  const show = () => {
    const all = localStorage.getItem("showAllTags") === "true";
    const toggle = document.createElement("button");
    toggle.innerHTML = `<svg class="tabler-icon-chevron-${all ? "up" : "down"}"></svg>`;
    toggle.onclick = () => {
      localStorage.setItem("showAllTags", String(!all));
      show();
    };
    const shown = all ? tags : tags.slice(0, 6);
    const fixed = [badge(group.dataset.rating), badge("Tag")];
    group.replaceChildren(...fixed, ...shown.map(tagged), ...(tags.length > 6 ? [toggle] : []));
  };

  const names = JSON.parse(group.dataset.names);
  const input = encodeURIComponent(JSON.stringify({ json: { id: Number(id), type: "image" } }));
  const answer = await fetch(`/api/trpc/tag.getVotableTags?input=${input}`);
  if (!answer.ok) return;
  const told = opened((await answer.json()).result.data);
  const mild = told.filter((tag) => tag.nsfwLevel & 1);
  const tags = [...(green ? [] : told.filter((tag) => !(tag.nsfwLevel & 1))), ...mild];
  show();
})();
