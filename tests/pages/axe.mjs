/* Every page in a headless Chromium, light and dark, on a phone and on a desk: axe finds no violation (WCAG 2.2 A and AA and its best
 * practices), nothing scrolls sideways, every target can be hit, and the content policy refuses nothing that the page needs.
 *
 *     node axe.mjs FOLDER            what the program `samples` wrote, served with the daemon's own policy
 *     node axe.mjs URL [PATH …]      pages of a running daemon
 *
 * CHROMIUM names the browser, /usr/bin/chromium otherwise. Prints TAP; exit status 1 when there is anything to say.
 */
import { readFileSync, readdirSync, existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import http from "node:http";
import path from "node:path";
import { chromium } from "playwright-core";

const POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";
const TYPES = { ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml" };
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/* A folder as the daemon would serve it. What the pages ask for by script is not there: 503, and they must bear it. */
async function serve(folder) {
	const server = http.createServer((question, answer) => {
		const file = path.join(folder, path.normalize(new URL(question.url, "http://x").pathname));

		if (!existsSync(file) || !statSync(file).isFile()) {
			answer.writeHead(503).end();
			return;
		}
		answer.writeHead(200, { "Content-Type": TYPES[path.extname(file)], "Content-Security-Policy": POLICY });
		answer.end(readFileSync(file));
	});

	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	return server;
}

function described(violation) {
	return violation.nodes.slice(0, 3).map((node) => `${violation.id}: ${violation.help}: ${node.html.slice(0, 160)}`);
}

/* Runs axe in the page, put in by the debugger's own way, which the page's policy does not concern. */
async function violations(world, rules) {
	const found = await world.send("Runtime.evaluate", {
		expression: `axe.run(document, ${JSON.stringify(rules)}).then((r) => JSON.stringify(r.violations))`,
		awaitPromise: true, returnByValue: true,
	});

	return JSON.parse(found.result.value).flatMap(described);
}

/* Light with all rules; dark differs in its colours only. */
async function faultsOf(page, url) {
	const faults = [];
	const heard = (message) => /Content Security Policy/i.test(message.text()) && faults.push(message.text());
	const broke = (error) => faults.push(String(error));

	page.on("console", heard);
	page.on("pageerror", broke);
	await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
	await page.goto(url);
	/* what is folded away is looked at as well */
	await page.evaluate(() => document.querySelectorAll("main details").forEach((details) => { details.open = true; }));
	const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
	if (sideways > 0) {
		faults.push(`scrolls sideways by ${sideways}`);
	}
	const world = await page.context().newCDPSession(page);
	await world.send("Runtime.evaluate", { expression: axe });
	faults.push(...await violations(world, { runOnly: RULES }));
	await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
	faults.push(...(await violations(world, { runOnly: { type: "rule", values: ["color-contrast"] } })).map((fault) => `dark: ${fault}`));
	await world.detach();
	page.off("console", heard);
	page.off("pageerror", broke);
	return faults;
}

async function main([where, ...paths]) {
	if (!where) {
		console.error("usage: axe.mjs FOLDER | URL [PATH …]");
		return 2;
	}
	const isFolder = existsSync(where);
	const server = isFolder ? await serve(where) : null;
	const base = isFolder ? `http://127.0.0.1:${server.address().port}` : where.replace(/\/$/, "");
	const pages = isFolder ? readdirSync(where).filter((name) => name.endsWith(".html")).map((name) => `/${name}`) : paths.length ? paths : ["/help"];
	/* the narrow one is where things go wrong; on a desk one language will do */
	const visits = pages.map((name) => [320, name]).concat(pages.filter((name) => /[.=]de\b/.test(name)).map((name) => [1280, name]));
	const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
	let count = 0, failed = 0;

	/* several side by side: a browser waits for itself much of the time */
	async function visitor() {
		const page = await (await browser.newContext()).newPage();

		/* some pages lead on by themselves: this is about where they begin */
		await page.route((url) => !url.href.startsWith(base), (route) => route.abort("aborted"));
		for (let visit = visits.shift(); visit; visit = visits.shift()) {
			const [width, name] = visit;

			await page.setViewportSize({ width, height: 800 });
			const faults = await faultsOf(page, base + name);

			count += 1;
			failed += faults.length > 0;
			console.log(`${faults.length ? "not ok" : "ok"} ${count} - ${width} ${name}`);
			faults.forEach((fault) => console.log(`# ${fault}`));
		}
	}
	await Promise.all([1, 2, 3].map(visitor));
	console.log(`1..${count}`);
	await browser.close();
	server?.close();
	return failed ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
