/* What the server wrote into the page: who it is for, and the token that its calls carry. */
const root = document.getElementById("app") as HTMLElement;

export const page = {
	root,
	kind: root.dataset.kind ?? "settings",
	product: root.dataset.product ?? "",
	csrf: root.dataset.csrf ?? "",
	link: root.dataset.link ?? "",
	texts: root.dataset.texts ?? "",
	expires: Number(root.dataset.expires ?? 0),
	/* the two texts that are there even when no others can be had */
	trouble: root.dataset.trouble ?? "",
	again: root.dataset.again ?? "",
	lang: document.documentElement.lang || "en",
};
