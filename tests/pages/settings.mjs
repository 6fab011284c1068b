/* The pages of web/app in a headless Chromium, as somebody uses them. Run by tests/flows/settings.py, which has the daemon and the mail
 * servers: `node settings.mjs JSON`, with the links of both pages, the addresses that are fine, the one whose password is wrong, and a
 * folder for pictures or "". Prints TAP; exit status 1 when something is not as it should be. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { chromium } from "playwright-core";

const given = JSON.parse(process.argv[2]);
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PATIENCE = 20000;

let count = 0, failed = 0;

function hold(fine, what) {
	if (!fine) {
		throw new Error(what);
	}
}

async function row(name, test) {
	count += 1;
	try {
		await test();
		console.log(`ok ${count} - ${name}`);
	} catch (error) {
		failed += 1;
		console.log(`not ok ${count} - ${name}`);
		console.log(`# ${String(error.message ?? error).split("\n").slice(0, 8).join("\n# ")}`);
		await shot(`failed-${count}`);
	}
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", locale: "en" });
const page = await context.newPage();
const faults = [];

context.setDefaultTimeout(PATIENCE);
page.on("pageerror", (error) => faults.push(String(error)));
page.on("console", (message) => {
	if (/Content Security Policy/i.test(message.text())) {
		faults.push(message.text());
	}
});
page.on("request", (request) => {
	if (new URL(request.url()).origin !== new URL(given.settings).origin && !request.url().startsWith("data:")) {
		faults.push(`external: ${request.url()}`);
	}
});

async function shot(name) {
	if (given.shots) {
		await page.screenshot({ path: path.join(given.shots, `${name}.png`), fullPage: true });
	}
}

const card = (address) => page.locator("li.account", { has: page.getByRole("heading", { name: address, exact: true }) });
const button = (address, action) => card(address).locator(`[data-action=${action}]`);
const status = () => page.locator("[role=status].unseen").textContent();

async function inState(address, state) {
	await page.locator(`li.account[data-state=${state}]`, { has: page.getByRole("heading", { name: address, exact: true }) }).waitFor();
}

async function until(ask, what) {
	const end = Date.now() + PATIENCE;

	while (!(await ask())) {
		hold(Date.now() < end, what);
		await page.waitForTimeout(50);
	}
}

async function accessible(name) {
	const world = await context.newCDPSession(page);
	const wide = page.viewportSize();
	const found = [];

	for (const colorScheme of ["light", "dark"]) {
		for (const width of [320, 1280]) {
			await page.emulateMedia({ colorScheme });
			await page.setViewportSize({ width, height: 800 });
			await world.send("Runtime.evaluate", { expression: axe });
			const answer = await world.send("Runtime.evaluate", {
				expression: `axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then((r) => JSON.stringify(r.violations))`,
				awaitPromise: true, returnByValue: true,
			});
			for (const v of JSON.parse(answer.result.value)) {
				found.push(...v.nodes.slice(0, 2).map((n) => `${colorScheme} ${width} ${v.id}: ${v.help}: ${n.html.slice(0, 140)}`));
			}
			const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
			if (sideways > 0) {
				found.push(`${width}: scrolls sideways by ${sideways}`);
			}
			await shot(`${name}-${colorScheme}-${width}`);
		}
	}
	await page.emulateMedia({ colorScheme: "light" });
	await page.setViewportSize(wide);
	hold(found.length === 0, found.join("\n"));
}

const [ann, bob] = given.fine;

await row("the mailboxes are listed, and what is wrong with one", async () => {
	await page.goto(given.settings);
	for (const address of given.fine) {
		await inState(address, "connected");
	}
	await card(given.wrong).getByText("Who can put it right").waitFor();
	hold(await card(given.wrong).locator(".steps li").count() > 0, "no steps");
	hold((await card(given.wrong).getByRole("link", { name: "More about this cause" }).getAttribute("href")).includes("/help/auth.password_rejected"), "no help");
});

await row("the proof is there when it is asked for", async () => {
	await card(given.wrong).locator(".cause summary").first().click();
	await card(given.wrong).locator(".facts code").first().waitFor();
	hold((await card(given.wrong).locator(".facts").first().textContent()).length > 20, "an empty proof");
});

await row("axe has nothing to say, light and dark, narrow and wide", () => accessible("settings"));

await row("a test is shown as it goes on, and its end is said", async () => {
	await button(ann, "verify").click();
	await card(ann).locator(".checks li").first().waitFor();
	await inState(ann, "connected");
	await until(async () => (await status()).includes("it works"), "its end was not said");
	hold(await card(ann).locator(".checks .passed").count() > 3, "the steps are gone");
	await shot("tested");
});

await row("paused and resumed with the keyboard alone, and the focus stays", async () => {
	await button(bob, "pause").focus();
	await page.keyboard.press("Enter");
	await inState(bob, "paused");
	hold((await status()).includes(bob), "it was not said");
	hold(await button(bob, "resume").evaluate((b) => b === document.activeElement), "the focus is lost");
	await page.keyboard.press("Space");
	await inState(bob, "connected");
});

await row("reconnect and add open a link of their own", async () => {
	await button(given.wrong, "reconnect").click();
	const dialog = page.getByRole("dialog");

	await dialog.waitFor();
	hold(/\/connect\/\w+$/.test(await dialog.getByRole("link").getAttribute("href")), "no link");
	await accessible("dialog-link");
	await page.keyboard.press("Escape");
	await dialog.waitFor({ state: "detached" });
	hold(await button(given.wrong, "reconnect").evaluate((b) => b === document.activeElement), "the focus did not come back");
	await page.locator("[data-action=add]").click();
	await dialog.getByRole("textbox").waitFor();
	await dialog.getByRole("button", { name: "Close" }).click();
	await dialog.waitFor({ state: "detached" });
});

await row("without the API the list stays, says so, and comes back by itself", async () => {
	await page.route("**/v1/**", (route) => route.abort());
	await page.getByRole("alert").getByText("cannot be reached").waitFor();
	hold(await page.locator("li.account").count() === 3, "the list is gone");
	await button(bob, "pause").click();
	await until(async () => (await status()).includes("not certain"), "the failure was not said");
	await shot("unreached");
	await page.reload();
	await page.getByRole("alert").getByText("cannot be reached").waitFor();
	hold(await page.locator("li.account").count() === 3, "the list is gone after a reload");
	await page.unroute("**/v1/**");
	await page.getByRole("alert").getByRole("button").click();
	await until(async () => await page.getByRole("alert").count() === 0, "it does not come back");
});

await row("nonsense, errors and a fresh start without the API show no blank page", async () => {
	for (const answer of [{ status: 503, body: "{}" }, { status: 200, contentType: "application/json", body: "<html>" }, { status: 200, contentType: "application/json", body: "{}" }]) {
		await page.evaluate(() => sessionStorage.clear());
		await page.route("**/v1/**", (route) => route.fulfill(answer));
		await page.reload();
		await page.getByRole("alert").getByText("cannot be reached").waitFor();
		await page.getByRole("heading", { level: 1 }).waitFor();
		await page.unroute("**/v1/**");
	}
	await page.route("**/assets/texts-**", (route) => route.abort());
	await page.evaluate(() => sessionStorage.clear());
	await page.reload();
	await page.getByRole("alert").getByRole("button", { name: "Try again" }).waitFor();
	await page.unroute("**/assets/texts-**");
	await page.getByRole("alert").getByRole("button").click();
	await inState(ann, "connected");
});

await row("in German and in Thai", async () => {
	for (const [lang, title] of [["de", "Postfach hinzufügen"], ["th", "เพิ่มกล่องจดหมาย"]]) {
		await page.goto(`${given.settings}?lang=${lang}`);
		await page.getByRole("button", { name: title }).waitFor();
		await inState(ann, "connected");
		hold(!/page\/|app\.|\{[a-z]+\}/.test(await page.locator("main").innerText()), "a key or a placeholder is shown");
		await accessible(`settings-${lang}`);
	}
	await page.goto(`${given.settings}?lang=en`);
	await inState(ann, "connected");
});

await row("many mailboxes are paged and searched, and hostile words stay words", async () => {
	const evil = "<img src=x onerror=alert(1)>";
	const one = (n, more) => ({ id: `acc_${n}`, address: `user${n}@birch.example`, state: "connected", since: "2026-11-01T10:00:00Z", next_try: null,
		last_ok: "2026-11-20T10:00:00Z", cause: null, incident: null, ...more });
	const cause = { id: "net.timeout", title: evil, why: `${evil} \`code\` https://known.example/a`, fix: [evil], who: "provider", certainty: "likely",
		links: ["https://known.example/a", "javascript:alert(2)"], help: "javascript:alert(3)" };
	const all = [one(0, { state: "waiting", cause, incident: "inc_1", next_try: "2099-01-01T00:00:00Z" }), ...Array.from({ length: 59 }, (_, n) => one(n + 1, {}))];

	await page.route("**/v1/accounts?**", (route) => {
		const asked = new URL(route.request().url()).searchParams;
		const found = all.filter((a) => a.address.includes(asked.get("search") ?? ""));
		const from = Number(asked.get("after") ?? 0);

		return route.fulfill({ contentType: "application/json", body: JSON.stringify({ items: found.slice(from, from + 50), next: from + 50 < found.length ? String(from + 50) : null }) });
	});
	await page.reload();
	await until(async () => await page.locator("li.account").count() === 50, "not one page");
	await page.getByRole("button", { name: "Show more" }).click();
	await until(async () => await page.locator("li.account").count() === 60, "not two pages");
	hold(await page.locator("main img").count() === 0 && await page.locator("main a[href^=javascript]").count() === 0, "a stranger's markup is in the page");
	hold(await page.locator("main a[href='https://known.example/a']").count() === 1 && await page.locator(".cause code").count() === 1, "no prose");
	await accessible("many");
	await page.getByRole("searchbox").fill("user17@");
	await until(async () => await page.locator("li.account").count() === 1, "not found");
	await page.getByRole("searchbox").fill("nobody");
	await page.getByText("No address contains this.").waitFor();
	await page.unroute("**/v1/accounts?**");
	await page.goto(given.settings);
	await inState(ann, "connected");
});

await row("removed only after a warning, and the focus goes on", async () => {
	await button(ann, "remove").focus();
	await page.keyboard.press("Enter");
	const dialog = page.getByRole("dialog");

	await dialog.getByText("What you must still do yourself").waitFor();
	hold((await dialog.textContent()).includes("app password"), "nothing is said of app passwords");
	await accessible("dialog-remove");
	await dialog.getByRole("button", { name: "Cancel" }).click();
	await dialog.waitFor({ state: "detached" });
	await inState(ann, "connected");
	await button(ann, "remove").click();
	for (let n = 0; n < 6 && !(await dialog.getByRole("button", { name: "Remove this mailbox" }).evaluate((b) => b === document.activeElement)); n++) {
		await page.keyboard.press("Tab");
	}
	await page.keyboard.press("Enter");
	await card(ann).waitFor({ state: "detached" });
	await until(async () => (await status()).includes("was removed"), "it was not said");
	await until(() => page.evaluate(() => document.activeElement?.tagName === "H2"), "the focus is nowhere");
	await page.reload();
	await inState(bob, "connected");
	hold(await card(ann).count() === 0, "it is still there");
});

await row("the operator sees states, causes and what goes through", async () => {
	await page.goto(given.operator);
	await page.getByRole("heading", { name: "Throughput" }).waitFor();
	await page.locator(".plot .line").first().waitFor({ state: "attached" });
	hold((await page.locator("table").textContent()).includes("password"), "no cause");
	await page.getByRole("heading", { name: "Our outgoing addresses" }).waitFor();
	await page.getByText("Not known yet: the settings name none").waitFor();
	await accessible("operator");
	await page.route("**/v1/**", (route) => route.abort());
	await page.getByRole("alert").getByText("cannot be reached").waitFor();
	hold(await page.locator("table tbody tr").count() > 0, "the table is gone");
	await page.unroute("**/v1/**");
});

await row("both pages live in one browser, and another one is not let in", async () => {
	await page.goto(given.settings);
	await inState(bob, "connected");
	const other = await browser.newContext();
	const stranger = await other.newPage();

	hold((await stranger.goto(given.settings)).status() === 403, "another browser is let in");
	await other.close();
});

await row("without scripts the page says what it needs", async () => {
	const state = await context.storageState();
	const plain = await browser.newContext({ javaScriptEnabled: false, storageState: state });
	const still = await plain.newPage();

	await still.goto(given.settings);
	hold((await still.locator("main").innerText()).includes("needs JavaScript"), "nothing is said");
	await plain.close();
});

await row("no script failed, none was refused, and nothing was asked elsewhere", async () => hold(faults.length === 0, faults.join("\n")));

console.log(`1..${count}`);
await browser.close();
process.exitCode = failed ? 1 : 0;
