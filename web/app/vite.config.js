import { readFileSync } from "node:fs";
import { defineConfig } from "vite";

/* One plain script, without modules: the page loads it like any other asset, under an address that tools/embed.py makes of its content.
 * What it is made of goes out with its licence. */
const licence = readFileSync(new URL("node_modules/preact/LICENSE", import.meta.url), "utf8");

export default defineConfig({
	esbuild: { legalComments: "inline" },
	build: {
		target: "es2020",
		modulePreload: false,
		lib: { entry: "src/main.tsx", formats: ["iife"], name: "mailmoor", fileName: () => "app.js" },
		rollupOptions: { output: { banner: `/*! With Preact:\n${licence}*/` } },
	},
});
