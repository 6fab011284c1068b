/* A newcomer's way through the connect page, in a real Chromium: the form filled in, the checklist watched, the result read.
 *
 *     node journey.mjs URL '{"address": …, "password": …, "lang": "de", "shots": "FOLDER/NAME", "script": true, "width": 390}'
 *
 * "found": SELECTOR waits, before anything but the address is filled in, until a search has filled something into that field; "find": true presses
 * the button that asks for it where scripts cannot; `found` is then what the page said and what stands in the fields.
 * "repair": true takes the right URL of Exchange by the result's button; `before` is what that page said.
 * Prints one JSON object: {title, text, url, steps, before, found, lang, faults}. Without "script" the page has to do without JavaScript.
 */
import { chromium } from "playwright-core";

const RESULT_MS = 90000;

async function shot(page, order, name) {
	if (order.shots) {
		await page.screenshot({ path: `${order.shots}-${name}.png`, fullPage: true });
	}
}

/* What is found before anything is submitted: by leaving the field, or by the button. */
async function search(page, order) {
	if (!order.found) {
		return null;
	}
	if (order.find) {
		await Promise.all([page.waitForEvent("framenavigated"), page.click("button[formaction$='/find']")]);
	} else {
		await page.press("#address", "Tab");
	}
	await page.waitForSelector(`${order.found}-found:not([hidden])`, { state: "attached" });
	const at = (id) => page.inputValue(`#${id}`);
	await shot(page, order, "found");
	return {
		said: await page.locator("[role=status]").innerText(), hints: await page.locator(".found:not([hidden])").count(), address: await at("address"),
		provider: await at("provider"), ews_url: await at("ews_url"), imap_host: await at("imap_host"), imap_port: await at("imap_port"), smtp_host: await at("smtp_host"),
	};
}

/* What is found comes while the person is in that field, and has not begun to type. */
async function type(page, id, text, release) {
	await page.focus(id);
	release();
	await page.waitForSelector("#smtp_host-found:not([hidden])", { state: "attached" });
	await page.keyboard.type(text);
}

async function fill(page, order) {
	let release = () => {};
	const released = order.busy ? new Promise((resolve) => { release = resolve; }) : null;

	await page.route(/\/find\.json/, async (route) => {
		await released;
		await route.continue();
	});
	if (await page.isEditable("#address")) {
		await page.fill("#address", order.address);
	}
	const found = await search(page, order);
	await page.fill("#password", order.password);
	if (order.imap_host) {
		await page.click("details.more > summary");
		await page.fill("#imap_host", order.imap_host);
		if (order.busy) {
			await type(page, "#imap_port", String(order.imap_port), release);
		} else {
			await page.fill("#imap_port", String(order.imap_port));
		}
	}
	if (order.ews_url) {
		await page.click("details.more > summary");
		await page.selectOption("#provider", "exchange");
		await page.fill("#ews_url", order.ews_url);
	}
	await shot(page, order, "form");
	/* by the keyboard alone: the button is where Tab leads, and Enter sends */
	await page.press("#password", "Enter");
	return found;
}

async function main([url, text]) {
	const order = JSON.parse(text);
	const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
	const context = await browser.newContext({
		locale: order.lang, javaScriptEnabled: order.script !== false, colorScheme: order.dark ? "dark" : "light",
		viewport: { width: order.width ?? 1280, height: 900 },
	});
	const page = await context.newPage();
	const faults = [];

	page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
	page.on("pageerror", (error) => faults.push(String(error)));
	await page.goto(url);
	const found = await fill(page, order);
	await page.waitForURL(/\/(progress|result)/);
	const steps = await page.locator("[data-progress] li").count();
	await shot(page, order, "checklist");
	await page.waitForURL(/\/result/, { timeout: RESULT_MS });
	await shot(page, order, "result");
	const before = await page.locator("main").innerText();
	if (order.repair) {
		await Promise.all([page.waitForEvent("framenavigated"), page.click("form[action$='/url'] button")]);
		await page.waitForURL(/\/result/, { timeout: RESULT_MS });
		await shot(page, order, "repaired");
	}
	console.log(JSON.stringify({
		title: await page.locator("h1").innerText(), text: await page.locator("main").innerText(), url: page.url(), steps, before, found,
		lang: await page.locator("html").getAttribute("lang"), faults,
	}));
	await browser.close();
	return 0;
}

process.exitCode = await main(process.argv.slice(2));
